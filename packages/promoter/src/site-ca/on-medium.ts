/** Certificates that travel with a medium: of each site that it is for the last one, while it holds. */
import { X509Certificate } from '@peculiar/x509';
import { fromBase64, sha256 } from '@sealane/core';
import { readOptional } from '../disk-shell.js';
import type { Promoter } from '../promoter.js';
import { standingOf } from '../site/in-force.js';
import { lastRecords } from '../site/records.js';
import { issuedTo } from './issued.js';
import { chainFile } from './names.js';
import { certificatePem, derOf, readCertificates } from './x509.js';

/** Files for the medium by name: of these sites, or of all of the stage (`null`); none in a home without an authority. Whoever finds the medium learns names of sites, and no key. */
export async function certificatesFor(
  promoter: Promoter,
  stage: string,
  sites: ReadonlySet<string> | null,
): Promise<readonly (readonly [name: string, pem: string])[]> {
  const file = chainFile(promoter.home);
  const pem = readOptional(file);
  if (pem === undefined) return [];
  const [issuer, root] = readCertificates(pem, file);
  if (issuer === undefined || root === undefined) return [];
  const names = new Set((await lastRecords(promoter)).map(({ site }) => site));
  const found: (readonly [string, string])[] = [];
  for (const name of names) {
    if (sites?.has(name) === false) continue;
    const { record, objection } = await standingOf(promoter, name);
    if (record.stage !== stage || objection !== null) continue;
    const last = (await issuedTo(promoter, record.key.id)).at(-1);
    if (last === undefined || last.notAfter <= promoter.now() || last.issuer !== sha256(derOf(issuer))) continue;
    const certificate = new X509Certificate(Uint8Array.from(fromBase64(last.certificate)));
    found.push([`certificates/${record.key.id}.pem`, certificatePem(certificate, issuer, root)]);
  }
  return found;
}
