import { z } from 'zod';
import { VERSION } from '../core/version.ts';
import { apiErrorBody } from './api-schemas.ts';
import { OPERATIONS, type Operation } from './operations.ts';

/** What statuses mean to a client; see `docs/collector.md`. */
const ERRORS: Readonly<Record<number, string>> = {
  400: 'It is not as it must be; never send it again as it is.',
  401: 'It is not signed as it must be.',
  403: 'This device may not.',
  404: 'Not here.',
  408: 'It came too slowly; send it again.',
  409: 'Something else is kept under this id.',
  410: 'It was erased, its time is over or its consent was taken back; delete it.',
  413: 'It is larger than is taken here.',
  429: 'Too much comes at once. It was not read; send it again after Retry-After.',
  500: 'The collector could not; send it again later.',
  503: 'The collector is stopping; send it again after Retry-After.',
  507: 'There is no room; send it again after Retry-After.',
};

/** Statuses whose answers say when to come again. */
const WAITING = [429, 503, 507];

/** The OpenAPI 3.1 document of the server, made from what its routes are made from. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [id, operation] of Object.entries<Operation>(OPERATIONS)) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(id, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'telemetry-collector',
      version: VERSION,
      summary: 'Takes in segments from telemetryd and keeps them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Error: schemaOf(apiErrorBody) },
      securitySchemes: {
        readerToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token that telemetry-collector readers add has shown once.',
        },
        deviceSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'Signature',
          description:
            'RFC 9421 by the device’s Ed25519 key over @method, @target-uri, content-digest and content-length, with created, expires, keyid and nonce. Devices that never enrolled may come unsigned to a collector that only its own machine reaches.',
        },
      },
    },
  };
}

function describe(id: string, operation: Operation): Record<string, unknown> {
  const { summary, params, body, replies, errors, isSigned, isForReaders, query } = operation;
  const headers = body === 'bytes' ? [CONTENT_DIGEST] : [];
  return {
    operationId: id,
    summary,
    security: isSigned ? [{ deviceSignature: [] }] : isForReaders === true ? [{ readerToken: [] }] : [],
    parameters: [...parametersIn('path', params), ...parametersIn('query', query), ...headers],
    ...(body === null ? {} : { requestBody: { required: true, content: contentOf(body) } }),
    responses: Object.fromEntries([
      ...Object.entries(replies).map(([status, { what, schema, isLines }]) => [
        status,
        schema === null ? { description: what } : { description: what, content: contentOf(schema, isLines) },
      ]),
      ...errors.map((status) => [String(status), errorReply(status)]),
    ]) as Record<string, unknown>,
  };
}

const CONTENT_DIGEST = {
  name: 'Content-Digest',
  in: 'header',
  required: true,
  schema: { type: 'string' },
  description: 'With sha-256 of the body (RFC 9530).',
};

function parametersIn(place: 'path' | 'query', parameters: z.ZodObject | null = null): object[] {
  return Object.entries(parameters?.shape ?? {}).map(([name, schema]) => {
    return { name, in: place, required: place === 'path', schema: schemaOf(schema as z.ZodType) };
  });
}

/** `isLines`: one of these a line. */
function contentOf(body: z.ZodType | 'bytes', isLines = false): object {
  if (body === 'bytes') return { 'application/octet-stream': {} };
  return { [isLines ? 'application/x-ndjson' : 'application/json']: { schema: schemaOf(body) } };
}

function errorReply(status: number): object {
  return {
    description: ERRORS[status],
    ...(WAITING.includes(status)
      ? { headers: { 'Retry-After': { schema: { type: 'integer', minimum: 1 } } } }
      : {}),
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
}

function schemaOf(schema: z.ZodType): object {
  const made = z.toJSONSchema(schema, { io: 'input' });
  // OpenAPI 3.1 has this dialect unless it says otherwise.
  delete made.$schema;
  return made;
}
