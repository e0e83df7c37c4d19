/** From a site's request to its certificate: who asks, whether it is in force, what it may have; logged before it is handed out. */
import { base64, type CertificateRequest, fromBase64, keyIdOf, PREDICATE, PromoterError, sha256 } from '@sealane/core';
import { siteCertificateStatement, type SiteCertificatePredicate } from '@sealane/trust';
import { X509Certificate } from '@peculiar/x509';
import { type LoggedStatement, signAndLog, tryWitness } from '../log/log-statements.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { publishLogFiles } from '../trust/publish-lane.js';
import { standingOf } from '../site/in-force.js';
import { DEFAULT_DAYS } from './days.js';
import { homeAuthority } from './home-authority.js';
import { readCsr } from './csr.js';
import { issueCertificate } from './issue.js';
import { answeredBefore, issuedTo } from './issued.js';
import { siteDnsName } from './names.js';
import { certificatePem, derOf } from './x509.js';

/** What a site gets: its certificate, the issuer's and the root, in PEM. */
export interface Certified {
  readonly site: string;
  readonly stage: string;
  readonly name: string;
  readonly serial: string;
  readonly notAfter: string;
  readonly chain: string;
  /** What was logged now; none when the answer of before still holds. */
  readonly statements: readonly LoggedStatement[];
}

/**
 * Answers a request. The same request gets the same answer, unless that has less than a third of its life left.
 *
 * @throws PromoterError `CERTIFICATE_DENIED`, `SITE_UNKNOWN`, `AUTHORITY_MISSING`, `AUTHORITY_INVALID`
 */
export async function certifySite(promoter: Promoter, request: CertificateRequest, days = DEFAULT_DAYS): Promise<Certified> {
  const { record, objection } = await standingOf(promoter, request.site);
  const deny = (why: string): PromoterError => new PromoterError('CERTIFICATE_DENIED', `certify ${request.site}: ${why}`);
  // who asks comes first: a stranger learns nothing about a site
  if (request.keyId !== record.key.id || !request.isBy(fromBase64(record.key.spki)))
    throw deny(`expected a request by the key of its record, ${record.key.id}, got another`);
  if (objection !== null) throw deny(`expected a site in force: ${objection}`);
  const { stage } = record;
  const name = siteDnsName(promoter.pipeline.lane, request.site, stage);
  const spki = await readCsr(request.csr, request.site, name);
  const { authority, signer } = await homeAuthority(promoter);
  const nowMs = Date.parse(promoter.now());
  const before = answeredBefore(await issuedTo(promoter, record.key.id), request);
  const answer = (issued: SiteCertificatePredicate, certificate: X509Certificate, statements: readonly LoggedStatement[]): Certified => ({
    site: request.site,
    stage,
    name,
    serial: issued.serial,
    notAfter: issued.notAfter,
    chain: certificatePem(certificate, authority.issuer, authority.root),
    statements,
  });
  const issuer = sha256(derOf(authority.issuer));
  if (before?.issuer === issuer && isFresh(before, nowMs))
    return answer(before, new X509Certificate(Uint8Array.from(fromBase64(before.certificate))), []);
  const serial = newSerial(promoter);
  const certificate = await issueCertificate(authority, signer, { site: request.site, name, spki, days, nowMs, serial });
  const issued: SiteCertificatePredicate = {
    site: request.site,
    keyId: record.key.id,
    stage,
    serial,
    certifiedKeyId: keyIdOf(spki),
    notBefore: timeText(certificate.notBefore),
    notAfter: timeText(certificate.notAfter),
    request: request.digest,
    issuer,
    certificate: base64(derOf(certificate)),
    salt: promoter.randomHex(),
  };
  const { index, statementDigest } = await signAndLog(
    promoter.ledger,
    siteCertificateStatement(issued),
    await stageSigner(promoter, stage),
  );
  if (await tryWitness(promoter)) await publishLogFiles(promoter);
  return answer(issued, certificate, [{ predicateType: PREDICATE.siteCertificate, digest: statementDigest, logIndex: index }]);
}

function isFresh({ notBefore, notAfter }: SiteCertificatePredicate, nowMs: number): boolean {
  const [from, until] = [Date.parse(notBefore), Date.parse(notAfter)];
  return until - nowMs > (until - from) / 3;
}

/** 16 bytes of chance, positive in DER and with no zeros in front, so that every reader writes it alike. */
function newSerial({ randomHex }: Pick<Promoter, 'randomHex'>): string {
  return `4${randomHex().slice(1)}`;
}

function timeText(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
