/** Certificates of plain TLS, made by openssl: an authority, and who it vouches for. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(dir: string, ...words: readonly string[]): void {
  execFileSync('openssl', words, { cwd: dir, stdio: 'pipe' });
}

/** An authority: `NAME.pem` and `NAME.key` in a folder. */
export function authorityOf(dir: string, name: string): void {
  openssl(dir, 'req', '-x509', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
}

/** A certificate of an authority for a host with an address, as client and server. */
export function issueTo(dir: string, by: string, name: string, address: string): void {
  openssl(dir, 'req', '-new', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(path.join(dir, `${name}.ext`), `subjectAltName=DNS:${name},IP:${address}\nextendedKeyUsage=clientAuth,serverAuth\n`);
  const signed = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
  openssl(dir, 'x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
}
