import { describe, expect, test } from 'vitest';
import { policyDocument, policySchemaDocument } from '../../src/policy/documents.ts';

/** `vitest -u` writes the files anew. */
describe('the documents in docs/', () => {
  test('policy.md is what the code says', async () => {
    await expect(policyDocument()).toMatchFileSnapshot('../../docs/policy.md');
  });

  test('policy.schema.json is what the code says', async () => {
    await expect(policySchemaDocument()).toMatchFileSnapshot('../../docs/policy.schema.json');
  });
});
