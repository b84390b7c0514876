import { type ErrorCode, TelemetryError } from '../core/errors.ts';
import { StorageFullError } from './object-store.ts';

/** What errors of S3 mean here (Amazon S3 API reference, "Error responses"): the code, what to say, what to try. */
const MEANINGS: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  CredentialsProviderError: [
    'not-permitted',
    'there are no credentials for the object store',
    'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE=FILE',
  ],
  InvalidAccessKeyId: [
    'not-permitted',
    'the object store does not know this access key',
    'AWS_ACCESS_KEY_ID',
  ],
  SignatureDoesNotMatch: [
    'not-permitted',
    'the secret is not that of this access key',
    'AWS_SECRET_ACCESS_KEY',
  ],
  NoSuchBucket: ['bad-configuration', 'there is no such bucket', 'make it first, without versioning'],
  PermanentRedirect: ['bad-configuration', 'the bucket is in another region', '?region=NAME in --store'],
  AuthorizationHeaderMalformed: [
    'bad-configuration',
    'the bucket is in another region',
    '?region=NAME in --store',
  ],
};

const HTTP_FORBIDDEN = 403;

/** The HTTP status that an error of the SDK came with; 0 when no answer came. */
export function statusOf(error: unknown): number {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? 0;
}

/** The error in our words. What passes by itself is `unavailable` and retryable. */
export function s3Error(error: unknown, op: string): TelemetryError {
  if (error instanceof TelemetryError) return error;
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error);
  if (name === 'QuotaExceeded' || status === 507) return new StorageFullError(op, error);
  const [code, message, hint] = MEANINGS[name] ?? [];
  if (code !== undefined && message !== undefined)
    return new TelemetryError(code, message, { op, hint: hint ?? '', cause: error });
  if (status === HTTP_FORBIDDEN) {
    return new TelemetryError('not-permitted', `these credentials may not ${op}`, {
      op,
      hint: 'allow s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket',
      cause: error,
    });
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return new TelemetryError('failed', `the object store refused to ${op} (${name})`, { op, cause: error });
  return new TelemetryError('unavailable', 'the object store does not answer', {
    op,
    hint: 'see whether it runs at the endpoint of --store',
    retryable: true,
    // One for each address of a name that has several.
    cause: error instanceof AggregateError ? error.errors[0] : error,
  });
}
