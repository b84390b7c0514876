import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import * as schemas from '../../src/collector/api-schemas.ts';
import { openApiDocument } from '../../src/collector/openapi.ts';
import { createServer } from '../../src/collector/server.ts';
import { SERVER_LIMITS } from '../../src/collector/server-limits.ts';
import { newKey, pathOf, post, put, startCollector, temporaryFolder } from './support.ts';

const SNAPSHOT = join(import.meta.dirname, '../../docs/openapi.json');

describe('the OpenAPI document', () => {
  it('is what docs/openapi.json has', () => {
    const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
    if (process.argv.includes('--update') || process.argv.includes('-u')) writeFileSync(SNAPSHOT, text);
    // Otherwise: telemetry-collector openapi > docs/openapi.json
    expect(readFileSync(SNAPSHOT, 'utf8')).toBe(text);
  });

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(openApiDocument())).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect((await validator.validate({ ...openApiDocument(), paths: [] })).valid).toBe(false);
  });

  it('is served, and has every route of the server and no other', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const served = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
    expect(served).toEqual(openApiDocument());
    const described = Object.entries(served.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${path} ${method.toUpperCase()}`),
    );
    expect((await routesOfServer()).toSorted()).toEqual(described.toSorted());
  });

  it('describes what is really answered', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const key = newKey();
    const kept = await put(url, key, randomBytes(10));
    const ask = async (path: string, body: object): Promise<unknown> => {
      const { status, json } = await post(`${url}/v1/devices/${key.device}/${path}`, body);
      expect(status).toBeLessThan(300);
      return json;
    };
    const now = new Date().toISOString();
    const answers: [z.ZodObject, unknown][] = [
      [schemas.receipt, JSON.parse(kept.body)],
      [schemas.deletionAnswer, await ask('deletions', { request: randomUUID(), segments: [key.segment] })],
      [
        schemas.exemptionAnswer,
        await ask('exemptions', { request: randomUUID(), scope: 'all', askedAt: now, until: now }),
      ],
      [schemas.health, await (await fetch(`${url}/healthz`)).json()],
      [schemas.ready, await (await fetch(`${url}/readyz`)).json()],
      [schemas.apiErrorBody, await (await fetch(`${url}${pathOf({ ...key, segment: 'x' })}`)).json()],
    ];
    for (const [schema, answer] of answers) expect(schema.strict().parse(answer)).toEqual(answer);
  });
});

/** The routes as the framework lists them, as `/path/{name} METHOD`; it adds HEAD to each GET by itself. */
async function routesOfServer(): Promise<string[]> {
  const parts = { tls: null, limits: SERVER_LIMITS, keeper: {}, identity: {} };
  const app = await createServer(parts as unknown as Parameters<typeof createServer>[0]);
  const lines = app.printRoutes({ commonPrefix: false }).trim().split('\n');
  await app.close();
  return lines.flatMap((line) => {
    const [, path = '', methods = ''] = /(\/\S*) \((.*)\)$/.exec(line) ?? [];
    const named = path.replaceAll(/:(\w+)/g, '{$1}');
    return methods.split(', ').flatMap((method) => (method === 'HEAD' ? [] : [`${named} ${method}`]));
  });
}
