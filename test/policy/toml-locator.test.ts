import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { locateToml } from '../../src/policy/toml-locator.ts';

/** The text from a value's place to the end of its line: what a person sees there. */
function valueAt(text: string, ...path: string[]): string {
  const { line, column } = locateToml(text).ofValue(path);
  return (text.split(/\r?\n/)[line - 1] ?? '').slice(column - 1);
}

function keyAt(text: string, ...path: string[]): string {
  const { line, column } = locateToml(text).ofKey(path);
  return `${line}:${column} ${(text.split(/\r?\n/)[line - 1] ?? '').slice(column - 1, column + 3)}`;
}

const ODD = `# [capture] keys = "not here"
title = "a # is no comment here" # but here it is
"quoted key" = 1
'literal.key' = 2
"esc\\u0061pe" = 3

[ capture ]   # spaces
  keys   =   "off"
  "mouse_hz"=4
upload.url = 'in capture'
upload . "hold back" = "x"

[upload]
networks = [ # comment ] with a bracket
  "wifi", 'a]b,c',

  """eth
ernet""",
  ["nested", 5], { k = 6 },
]
nested = { a = 1, b . c = [ 7, 8 ], "d" = { e = '''x
y''' } }
long = """
  "quoted" \\""" not the end
  [fake] = 1"""
after = true
"[encrypt]" = 9

[[row]]
x = 1
[[row]]
x = 2
[deep.er."st"]
z = 2025-01-01T00:00:00Z
end = 1`;

describe('places in a TOML text', () => {
  test('are found whatever the layout', () => {
    expect(() => parse(ODD)).not.toThrow();
    expect(valueAt(ODD, 'title')).toBe('"a # is no comment here" # but here it is');
    expect(valueAt(ODD, 'quoted key')).toBe('1');
    expect(valueAt(ODD, 'literal.key')).toBe('2');
    expect(valueAt(ODD, 'escape')).toBe('3');
    expect(valueAt(ODD, 'capture', 'keys')).toBe('"off"');
    expect(valueAt(ODD, 'capture', 'mouse_hz')).toBe('4');
    expect(valueAt(ODD, 'capture', 'upload', 'url')).toBe("'in capture'");
    expect(valueAt(ODD, 'capture', 'upload', 'hold back')).toBe('"x"');
    expect(valueAt(ODD, 'upload', 'networks')).toBe('[ # comment ] with a bracket');
    expect(valueAt(ODD, 'upload', 'networks', '0')).toBe(`"wifi", 'a]b,c',`);
    expect(valueAt(ODD, 'upload', 'networks', '1')).toBe("'a]b,c',");
    expect(valueAt(ODD, 'upload', 'networks', '2')).toBe('"""eth');
    expect(valueAt(ODD, 'upload', 'networks', '3', '1')).toBe('5], { k = 6 },');
    expect(valueAt(ODD, 'upload', 'networks', '4', 'k')).toBe('6 },');
    expect(valueAt(ODD, 'upload', 'nested', 'b', 'c', '1')).toMatch(/^8 \]/);
    expect(valueAt(ODD, 'upload', 'nested', 'd', 'e')).toBe("'''x");
    expect(valueAt(ODD, 'upload', 'after')).toBe('true');
    expect(valueAt(ODD, 'upload', '[encrypt]')).toBe('9');
    expect(valueAt(ODD, 'row', '1', 'x')).toBe('2');
    expect(valueAt(ODD, 'deep', 'er', 'st', 'end')).toBe('1');
  });

  test('of keys are where they are first named', () => {
    expect(keyAt(ODD, 'capture')).toBe('7:3 capt');
    expect(keyAt(ODD, 'capture', 'upload')).toBe('10:1 uplo');
    expect(keyAt(ODD, 'deep', 'er')).toMatch(/er\."$/);
  });

  test('of what the text does not name are those of the nearest thing around it', () => {
    expect(keyAt(ODD, 'capture', 'missing', 'deeper')).toBe('7:3 capt');
    expect(valueAt(ODD, 'nowhere')).toBe(ODD.split('\n')[0]);
  });

  test('are the same with Windows line ends', () => {
    const text = '# x\r\n[capture]\r\nkeys = "off"\r\nmouse_hz = 3\r\n';
    expect(locateToml(text).ofValue(['capture', 'mouse_hz'])).toEqual({ line: 4, column: 12 });
  });

  test('come to an end on any text at all', () => {
    for (const text of [
      '',
      '[',
      '[[',
      'a',
      'a=',
      'a="',
      "a='''",
      'a=[',
      'a={',
      'a={b',
      '=',
      '"',
      '[a]]]=',
      '\u0000',
      'a=[[[[',
      ']',
    ]) {
      expect(locateToml(text).ofKey(['x'])).toEqual({ line: 1, column: 1 });
    }
  });
});
