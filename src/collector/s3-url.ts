import { TelemetryError } from '../core/errors.ts';

const EXAMPLE = '--store s3://BUCKET/PREFIX?endpoint=https://s3.example.com&region=REGION';

/** Where in an S3-compatible store the objects are. Credentials come from where the AWS tools look for them. */
export interface S3Place {
  readonly bucket: string;
  /** Begins every key: empty, or ends in a slash. */
  readonly prefix: string;
  /** `null`: Amazon's own. */
  readonly endpoint: string | null;
  /** `null`: as the AWS tools find it. */
  readonly region: string | null;
}

/** Reads `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]`; what is missing comes from the AWS tools' variables. */
export function readS3Url(text: string, env: NodeJS.ProcessEnv): S3Place {
  const url = URL.parse(text);
  if (url?.protocol !== 's3:' || url.username !== '')
    throw bad(`"${text.replace(/\/\/[^@/]*@/, '//…@')}" is not the address of a bucket`);
  // Amazon S3 user guide, "Bucket naming rules"; what else there is cannot be a part of an address.
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    throw bad(`"${url.hostname}" names no bucket`);
  const strange = [...url.searchParams.keys()].find((name) => name !== 'endpoint' && name !== 'region');
  if (strange !== undefined) throw bad(`"${strange}" means nothing here`);
  const endpoint =
    url.searchParams.get('endpoint') ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? null;
  if (endpoint !== null && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    throw bad(`"${endpoint}" is not an endpoint`);
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
  const region =
    url.searchParams.get('region') ?? env['AWS_REGION'] ?? (endpoint === null ? null : ANY_REGION);
  return { bucket: url.hostname, prefix: prefix === '' ? '' : `${prefix}/`, endpoint, region };
}

/** The address of a place without what says how to get there: `s3://BUCKET/PREFIX/`. */
export function nameOfS3({ bucket, prefix }: Pick<S3Place, 'bucket' | 'prefix'>): string {
  return `s3://${bucket}/${prefix}`;
}

/** Stores with one region only are content with this one. */
const ANY_REGION = 'us-east-1';

function bad(message: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'read --store', hint: EXAMPLE });
}
