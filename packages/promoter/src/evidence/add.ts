/** Takes evidence in: provenance, test reports with what is known of the run, bundles that others signed. Checked and signed first, then logged. */
import {
  describeSigner,
  type Digest,
  encodeStatement,
  type JsonObject,
  LIMITS,
  parseStrictJson,
  PREDICATE,
  PromoterError,
  sha256,
  type Signed,
  type Signer,
  signerIdOf,
  signStatement,
} from '@sealane/core';
import {
  carriedBundleStatement,
  isCertificateBundle,
  namedBlobs,
  parseBundle,
  type Policy,
  readReport,
  reportFormatOf,
  reportFormats,
  signerWindow,
  testResultPredicate,
  testResultStatement,
} from '@sealane/trust';
import { writeBlob } from '../decision/waybill.js';
import { readNamed } from '../disk-shell.js';
import { readAs } from '../read-as.js';
import { reached } from '../crash-point.js';
import { releaseDocument } from '../decision/gate-input.js';
import { statementOf } from '../log/log-statements.js';
import { mayBeSaid } from '../log/who-may-say.js';
import type { Promoter } from '../promoter.js';
import { rigKey } from '../rig/statements.js';
import { isByIdentity, signedBy } from './bundle-signer.js';
import { expectInScope } from './expect-in-scope.js';
import { imageEvidence, type ImageEvidenceWish } from './image-evidence.js';
import { readRunDocuments, type RunDocumentFiles } from './run-documents.js';
import { subjectsOf } from './subjects.js';
import { leftOut } from './whole-release.js';

export interface EvidenceWish extends ImageEvidenceWish {
  readonly release: { readonly digest: Digest; readonly name: string };
  readonly provenance?: string;
  readonly tests?: string;
  /** Files that are bound to the run of `tests`. */
  readonly documents: RunDocumentFiles;
  readonly bundles: readonly string[];
  readonly signer?: Signer;
}

/** A statement that is signed and not logged yet; `run` is what tells its run from others, where a report says itself when it ran. */
export interface SignedEvidence {
  readonly signed: Signed;
  readonly run?: JsonObject;
}

/**
 * Logs what was signed, all of it or nothing; returns the log indexes in that order. A run that another job logged meanwhile keeps its place.
 *
 * @throws LedgerError as `append`
 */
export async function logEvidence(
  promoter: Promoter,
  release: EvidenceWish['release'],
  evidence: readonly SignedEvidence[],
): Promise<readonly number[]> {
  const signed: Signed[] = [];
  for (const each of evidence) {
    const known = each.run === undefined ? undefined : await sameRun(promoter, release.digest, signerIdOf(each.signed), each.run);
    signed.push(known ?? each.signed);
  }
  reached('evidence:checked');
  const appended = await promoter.ledger.append(signed);
  reached('evidence:logged');
  return appended.map(({ index }) => index);
}

/**
 * Reads, checks and signs evidence, in the order provenance, tests, scan, VEX, SBOM, bundles; logs nothing, so no lock is needed: nobody who publishes
 * waits for a large report, a token that somebody has to touch, or an authority. What the statements name by digest lies in the lane's content then.
 *
 * @throws PromoterError `USAGE`, `EVIDENCE_SIGNER`, `EVIDENCE_SUBJECT`, `CONFIG_INVALID`; TrustError `EVIDENCE_RESULT` an empty or unreadable report
 */
export async function signEvidence(promoter: Promoter, wish: EvidenceWish): Promise<readonly SignedEvidence[]> {
  const [kind] = Object.keys(wish.documents);
  if (kind !== undefined && wish.tests === undefined)
    throw new PromoterError('USAGE', `add evidence: expected --tests beside --${kind}: ${kind} counts only with the tests that ran in it`);
  await expectScope(promoter, wish);
  const signed: SignedEvidence[] = [
    ...(await provenance(promoter, wish)).map(alone),
    ...(await tests(promoter, wish)),
    ...(await aboutImages(promoter, wish)).map(alone),
    ...(await Promise.all(wish.bundles.map((file) => fromBundle(promoter, wish, file)))).map(alone),
  ];
  if (signed.length === 0)
    throw new PromoterError('USAGE', 'add evidence: expected at least one of --provenance, --tests, --scan, --vex, --sbom, --bundle');
  return signed;
}

function alone(signed: Signed): SignedEvidence {
  return { signed };
}

async function provenance(promoter: Promoter, { provenance: file, release, signer }: EvidenceWish): Promise<readonly Signed[]> {
  if (file === undefined) return [];
  const by = expectSigner(promoter, signer, 'provenance');
  const document = readJson(file, 'provenance');
  const statement = asObject(document['predicate']);
  const predicate = document['_type'] === undefined ? document : statement;
  if (predicate === undefined || asObject(predicate['buildDefinition']) === undefined || asObject(predicate['runDetails']) === undefined) {
    throw new PromoterError(
      'CONFIG_INVALID',
      `read provenance ${file}: expected SLSA v1 with buildDefinition and runDetails, got something else`,
    );
  }
  if (document['_type'] !== undefined) await expectWhole(promoter, document, { release, file });
  const payload = encodeStatement({ subject: subjects(promoter, release), predicateType: PREDICATE.provenance, predicate });
  return [await signStatement(payload, by)];
}

async function tests(promoter: Promoter, { tests: file, documents, release, signer }: EvidenceWish): Promise<readonly SignedEvidence[]> {
  if (file === undefined) return [];
  const by = await expectTester(promoter, signer);
  const report = readNamed(file, 'test report');
  const format = reportFormatOf(report);
  if (format === undefined)
    throw new PromoterError(
      'EVIDENCE_RESULT',
      `read test report ${file}: expected one of ${reportFormats().join(', ')}, got something else`,
    );
  const parsed = readReport(format, report);
  const blobs = await readRunDocuments(promoter, release.digest, documents);
  const digests = Object.fromEntries(Object.entries(blobs).map(([kind, bytes]) => [kind, sha256(bytes)]));
  const predicate = testResultPredicate({
    report,
    format,
    parsed,
    ...digests,
    finishedAt: earlier(parsed.ranAt, promoter.now()),
    salt: promoter.randomHex(),
  });
  for (const blob of [report, ...Object.values(blobs)]) writeBlob(promoter, blob);
  const sign = (): Promise<Signed> => signStatement(testResultStatement(subjectsOf(promoter, release), predicate), by);
  if (parsed.ranAt === undefined) return [{ signed: await sign() }];
  const known = await sameRun(promoter, release.digest, by.keyId, predicate);
  return [{ signed: known ?? (await sign()), run: predicate }];
}

/**
 * A report that says itself when it ran, handed in again with the same documents, is the same run: a retried job neither makes it newer nor voids
 * approvals that have seen it. One without a time may be of another run with the same words.
 */
async function sameRun({ ledger }: Promoter, release: Digest, keyId: string, predicate: JsonObject): Promise<Signed | undefined> {
  const { testResult: predicateType } = PREDICATE;
  const blobs = namedBlobs({ predicateType, predicate }).join();
  const entries = await ledger.statementsAbout(release, predicateType);
  return entries.find((entry) => entry.keyId === keyId && namedBlobs(statementOf(entry)).join() === blobs);
}

async function aboutImages(promoter: Promoter, wish: EvidenceWish): Promise<readonly Signed[]> {
  const signed: Signed[] = [];
  for (const { signers, payload } of await imageEvidence(promoter, wish.release, wish, readJson)) {
    const by = expectSigner(promoter, wish.signer, signers);
    signed.push(await signStatement(payload, by));
  }
  return signed;
}

/** When the run ended: as the report itself says, where it does, so that an old report is not fresh because it is handed in today. */
function earlier(stated: string | undefined, now: string): string {
  // one width, so text order is time order
  return stated !== undefined && stated < now ? stated : now;
}

/** A bundle that somebody else signed: a signer whom policy names, about this release; or, with a certificate of a stranger, one that gates judge. */
async function fromBundle(promoter: Promoter, wish: EvidenceWish, file: string): Promise<Signed> {
  const { release } = wish;
  const bytes = readNamed(file, 'bundle');
  const hint = 'check the file: a Sigstore bundle with an in-toto statement is expected there';
  const isCertified = readAs(file, hint, () => isCertificateBundle(bytes));
  if (isCertified && !isByIdentity(promoter, bytes)) return await carried(promoter, wish, bytes);
  const bundle = readAs(file, hint, () => parseBundle(bytes));
  expectSubject(promoter, { subject: bundle.statement.subject.map((item) => ({ ...item })) }, { release, file });
  const signed = await signedBy(promoter, bundle);
  if (signed !== undefined && (await mayBeSaid(promoter, signerIdOf(signed), bundle.statement))) return signed;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `add bundle ${file}: expected one by a signer whom a policy of the lane names for it, got another`,
  );
}

/** A keyless bundle goes into `content/` as it is; what is logged says only that it is there. Any key of policy may say so. */
async function carried(promoter: Promoter, { release, signer }: EvidenceWish, bytes: Uint8Array): Promise<Signed> {
  if (signer === undefined)
    throw new PromoterError('USAGE', 'add a keyless bundle: expected --key of any signer that policy names, got none');
  const known = [...promoter.lane.stages.values()].some(({ policy }) => signerWindow(policy, signer.keyId) !== undefined);
  if (!known)
    throw new PromoterError('EVIDENCE_SIGNER', `add a keyless bundle: expected a signer whom policy names, got ${describeSigner(signer)}`);
  const payload = carriedBundleStatement(release.digest, { bundle: writeBlob(promoter, bytes) });
  return await signStatement(payload, signer);
}

/** A lab that a policy names, or an enrolled rig. */
async function expectTester(promoter: Promoter, signer: Signer | undefined): Promise<Signer> {
  if (signer !== undefined && (await rigKey(promoter, signer.keyId)) !== undefined) return signer;
  return expectSigner(promoter, signer, 'tests');
}

function expectSigner({ lane }: Promoter, signer: Signer | undefined, kind: keyof Policy['signers']): Signer {
  if (signer === undefined)
    throw new PromoterError(
      'USAGE',
      `add evidence: expected --key SIGNER for ${kind}, got none`,
      {},
      { hint: `name who signs: --key NAME, one that pipeline.yaml lists under signers.${kind}` },
    );
  const named = [...lane.stages.values()].some(({ policy }) => policy.signers[kind]?.includes(signer.keyId) === true);
  if (!named)
    throw new PromoterError('EVIDENCE_SIGNER', `add evidence: expected one listed under signers.${kind}, got ${describeSigner(signer)}`);
  return signer;
}

async function expectScope(promoter: Promoter, { release, signer }: EvidenceWish): Promise<void> {
  if (signer === undefined) return;
  const policies = [...promoter.lane.stages.values()].map(({ policy }) => policy);
  expectInScope(policies, await releaseDocument(promoter, release.digest), signer.keyId, 'add evidence');
}

function expectSubject(
  promoter: Promoter,
  document: JsonObject,
  { release, file }: { release: EvidenceWish['release']; file: string },
): void {
  const named = new Set(subjectsOf(promoter, release).map(({ digest }) => digest.slice('sha256:'.length)));
  const about = [...namedBy(document)].some((hex) => named.has(hex));
  if (!about)
    throw new PromoterError(
      'EVIDENCE_SUBJECT',
      `read ${file}: expected a statement about release ${release.digest} or a part of it, got one about other bytes`,
    );
}

/** A statement of provenance that names its subjects, which is signed anew for the whole release. A scan of one image stays one; a build of one does not. */
async function expectWhole(
  promoter: Promoter,
  document: JsonObject,
  { release, file }: { release: EvidenceWish['release']; file: string },
): Promise<void> {
  if (document['predicateType'] !== PREDICATE.provenance)
    throw new PromoterError(
      'CONFIG_INVALID',
      `read provenance ${file}: expected an in-toto statement of ${PREDICATE.provenance}, got another`,
    );
  expectSubject(promoter, document, { release, file });
  const missing = await leftOut(promoter, release.digest, namedBy(document));
  if (missing.length > 0)
    throw new PromoterError(
      'EVIDENCE_SUBJECT',
      `read ${file}: expected provenance of release ${release.digest} or of each component, got one that leaves out ${missing.slice(0, 5).join(', ')}`,
    );
}

function namedBy(document: JsonObject): ReadonlySet<string> {
  const list = Array.isArray(document['subject']) ? (document['subject'] as readonly JsonObject[]) : [];
  return new Set(
    list.flatMap((subject) => asObject(asObject(subject)?.['digest'])?.['sha256'] ?? []).filter((hex) => typeof hex === 'string'),
  );
}

function subjects(promoter: Promoter, release: EvidenceWish['release']): { name: string; digest: { sha256: string } }[] {
  return subjectsOf(promoter, release).map(({ name, digest }) => ({ name, digest: { sha256: digest.slice('sha256:'.length) } }));
}

function readJson(file: string, what: string): JsonObject {
  return parseDocument(readNamed(file, what), file);
}

function parseDocument(bytes: Uint8Array, file: string): JsonObject {
  const bounds = { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth };
  const value = readAs(file, 'check the file: a JSON document is expected there', () => parseStrictJson(bytes, bounds));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new PromoterError('CONFIG_INVALID', `read ${file}: expected a JSON object`);
}

function asObject(value: JsonObject[string] | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}
