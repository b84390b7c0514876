import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM texts, and where the certificate lies. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly certFile: string;
}

/** A key and a self-signed certificate for these names (this machine's by default), by the openssl command. */
export function makeCertificate(folder: string, names = 'DNS:localhost,IP:127.0.0.1'): Certificate {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', keyFile, '-out', certFile];
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names}`];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...ec, ...files, ...subject], { stdio: 'ignore' });
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), certFile };
}
