import type { Policy } from './policy.ts';

const TOLD = ['controller', 'contact', 'purpose', 'basis', 'readers'] as const;

/**
 * What a policy must say before anything leaves this machine and does not: names as in the file. People must be told who
 * has what of them, and for how long; without recipients nobody there could read it.
 */
export function missingForUpload({ notice, encrypt }: Pick<Policy, 'notice' | 'encrypt'>): string[] {
  return [
    ...TOLD.filter((name) => notice[name] === '').map((name) => `notice.${name}`),
    ...(notice.serverRetentionMs === null ? ['notice.server_retention'] : []),
    ...(encrypt.recipients.length === 0 ? ['encrypt.recipients'] : []),
  ];
}
