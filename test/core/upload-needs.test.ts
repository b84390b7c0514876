import { expect, it } from 'vitest';
import { missingForUpload } from '../../src/core/upload-needs.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';

const WHOLE = {
  notice: {
    ...DEFAULT_POLICY.notice,
    controller: 'Example Corp',
    contact: 'privacy@example.com',
    purpose: 'training',
    basis: 'consent',
    readers: 'the data team',
    serverRetentionMs: 1000,
  },
  encrypt: { recipients: ['age1example'] },
};

it('finds nothing missing in a policy that says all that people must be told', () => {
  expect(missingForUpload(WHOLE)).toEqual([]);
});

it.each([
  ['the retention', { notice: { ...WHOLE.notice, serverRetentionMs: null } }, 'notice.server_retention'],
  ['the contact', { notice: { ...WHOLE.notice, contact: '' } }, 'notice.contact'],
  ['the recipients', { encrypt: { recipients: [] } }, 'encrypt.recipients'],
])('names %s once it is deleted', (_what, change, name) => {
  expect(missingForUpload({ ...WHOLE, ...change })).toEqual([name]);
});
