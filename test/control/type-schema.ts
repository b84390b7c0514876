import ts from 'typescript';

/** JSON Schema (2020-12), as far as it is needed here. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** The JSON Schemas of exported interfaces, made by the compiler from the types themselves. */
export function schemasOf(file: string, names: readonly string[]): Record<string, Schema> {
  const program = ts.createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts'],
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} exports nothing`);
  const exported = checker.getExportsOfModule(module);
  return Object.fromEntries(
    names.map((name) => {
      const symbol = exported.find((found) => found.name === name);
      if (symbol === undefined) throw new Error(`${file} has no ${name}`);
      return [
        name,
        { ...described(symbol, checker), ...schemaOf(checker.getDeclaredTypeOfSymbol(symbol), checker) },
      ];
    }),
  );
}

function schemaOf(type: ts.Type, checker: ts.TypeChecker): Schema {
  if (type.isUnion()) return unionOf(type, checker);
  if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
  if ((type.flags & ts.TypeFlags.BooleanLiteral) !== 0)
    return { const: checker.typeToString(type) === 'true' };
  if ((type.flags & ts.TypeFlags.String) !== 0) return { type: 'string' };
  if ((type.flags & ts.TypeFlags.Number) !== 0) return { type: 'number' };
  if ((type.flags & ts.TypeFlags.Null) !== 0) return { type: 'null' };
  if (checker.isArrayType(type)) {
    const [item] = checker.getTypeArguments(type as ts.TypeReference);
    if (item !== undefined) return { type: 'array', items: schemaOf(item, checker) };
  }
  if ((type.flags & ts.TypeFlags.Object) !== 0) return objectOf(type, checker);
  throw new Error(`no JSON is ${checker.typeToString(type)}`);
}

function unionOf(type: ts.UnionType, checker: ts.TypeChecker): Schema {
  const parts = type.types
    .filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0)
    .map((part) => schemaOf(part, checker));
  const values = parts.flatMap((part) => ('const' in part ? [part.const] : []));
  const others = parts.filter((part) => !('const' in part));
  const isBoolean = values.length === 2 && values.every((value) => typeof value === 'boolean');
  const named: Schema[] =
    values.length === 0
      ? []
      : isBoolean
        ? [{ type: 'boolean' }]
        : [values.length === 1 ? { const: values[0] } : { enum: [...values].sort() }];
  const all = [...named, ...others];
  const [only] = all;
  return all.length === 1 && only !== undefined ? only : { anyOf: all };
}

function objectOf(type: ts.Type, checker: ts.TypeChecker): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const symbol of checker.getPropertiesOfType(type)) {
    properties[symbol.name] = {
      ...described(symbol, checker),
      ...schemaOf(checker.getTypeOfSymbol(symbol), checker),
    };
    if ((symbol.flags & ts.SymbolFlags.Optional) === 0) required.push(symbol.name);
  }
  return { type: 'object', properties, required };
}

/** The doc comment, with the names that it links as they stand. */
function described(symbol: ts.Symbol, checker: ts.TypeChecker): Pick<Schema, 'description'> {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  return text === ''
    ? {}
    : { description: text.replaceAll(/\{@link ([^}]+)\}/g, '$1').replaceAll(/\s+/g, ' ') };
}

/** Every fact of a schema that a reader may rely on, a line each: fields that are there, their types, their values. */
export function factsOf(schema: Schema, path = ''): string[] {
  const { type, properties, required = [], items, anyOf, enum: values } = schema;
  if (anyOf !== undefined) return anyOf.flatMap((part) => factsOf(part, path));
  if (values !== undefined) return values.map((value) => `${path} can be ${JSON.stringify(value)}`);
  if ('const' in schema) return [`${path} can be ${JSON.stringify(schema.const)}`];
  const own = path === '' ? [] : [`${path} can be a ${type ?? ''}`];
  if (items !== undefined) return [...own, ...factsOf(items, `${path}[]`)];
  const inner = Object.entries(properties ?? {}).flatMap(([name, property]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [...(required.includes(name) ? [`${at} is always there`] : []), ...factsOf(property, at)];
  });
  return [...own, ...inner];
}
