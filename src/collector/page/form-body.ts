import type { IncomingMessage } from 'node:http';
import { readWhole } from '../whole-body.ts';

/** The longest answer to a person, escaped for a form, is 9 KB. */
const MAX_FORM_BYTES = 16 * 1024;

/** The fields of a posted form; `null` for anything else, or more than fits. */
export async function readForm(raw: IncomingMessage): Promise<URLSearchParams | null> {
  const [type = ''] = (raw.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return null;
  const body = await readWhole(raw, MAX_FORM_BYTES);
  return body === null ? null : new URLSearchParams(body.toString('utf8'));
}
