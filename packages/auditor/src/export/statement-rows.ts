/** What the pages and tables of an export say of each statement, taken from the statement itself. */
import { type Certified, type Digest, type JsonValue, keyIdOf, PREDICATE, readCertificate, type Identity } from '@sealane/core';
import { isAbout, namedBlobs, parseBundle, type ParsedBundle, type Policy, quorumThen, secondsToTime, verifyTrustOf } from '@sealane/trust';
import type { ExportedStatement, ExportPackage } from './export-package.js';
import { partNamed, releaseParts } from './release-parts.js';

/** One statement, as rows and pages show it. */
export interface StatementRow {
  readonly index: number;
  readonly bundle: ParsedBundle;
  readonly digest: Digest;
  readonly predicateType: string;
  readonly subjects: readonly string[];
  /** In an export of a release: the part that it is about, where it does not name the release; else empty. */
  readonly part: string;
  /** Of a key; null when an identity signed. */
  readonly key: { readonly id: string; readonly spki: Uint8Array } | null;
  readonly identity: Identity | null;
  /** People, roles and things that policy gives the key to, in words. */
  readonly signer: string;
  /** When a quorum of witnesses first had seen it at the latest, RFC 3339 UTC. */
  readonly witnessedAt: string;
  /** What it says, in a few words. */
  readonly says: string;
  readonly blobs: readonly Digest[];
}

/** @throws TrustError `TRUST_MALFORMED` a bundle; `LOG_*` a checkpoint without its quorum */
export function statementRows(
  { statements, manifest, blobs }: Pick<ExportPackage, 'statements' | 'manifest' | 'blobs'>,
  policies: readonly Policy[],
): readonly StatementRow[] {
  const { release } = manifest;
  const { parts } = release === null ? { parts: [] } : releaseParts(release, (digest) => blobs.get(digest));
  const times = new Map<string, string>();
  return statements.map((statement) => {
    const { first } = statement;
    const time = times.get(first.note) ?? witnessedTime(first.note, manifest.origin, policies);
    times.set(first.note, time);
    const row = rowOf(statement, time, policies);
    const isWhole = release === null || isAbout(row.bundle.statement, release);
    return { ...row, part: isWhole ? '' : (partNamed(row.bundle.statement, parts) ?? '') };
  });
}

/** The highest time of the quorum: by then all of it had seen the checkpoint. */
function witnessedTime(note: string, origin: string, policies: readonly Policy[]): string {
  const trust = policies[0] === undefined ? undefined : verifyTrustOf(policies[0]);
  const log = trust?.logs.find((each) => each.origin === origin);
  return trust === undefined || log === undefined ? '' : secondsToTime(quorumThen(note, log, trust).highestSeconds);
}

function rowOf({ index, bundle: bytes }: ExportedStatement, witnessedAt: string, policies: readonly Policy[]): Omit<StatementRow, 'part'> {
  const bundle = parseBundle(bytes);
  const { statement, certified, logged } = bundle;
  const identity = certified === undefined ? null : readIdentity(certified);
  const spki = certified === undefined ? logged?.leaf.spki : undefined;
  const key = spki === undefined ? null : { id: keyIdOf(spki), spki };
  return {
    index,
    bundle,
    digest: bundle.statementDigest,
    predicateType: statement.predicateType,
    subjects: statement.subject.map(({ digest }) => digest.sha256),
    key,
    identity,
    signer: identity === null ? signerName(key?.id ?? '', policies) : identity.identity,
    witnessedAt,
    says: says(statement.predicateType, statement.predicate),
    blobs: namedBlobs(statement),
  };
}

function readIdentity({ certificate }: Certified): Identity {
  const { identity, issuer } = readCertificate(certificate);
  return { identity, issuer };
}

/** A person by name, else the part that policy gives the key, else the key. */
function signerName(keyId: string, policies: readonly Policy[]): string {
  const names = policies.flatMap((policy) => [
    ...policy.people.filter(({ keys }) => keys.includes(keyId)).map(({ id }) => id),
    ...policy.chain.filter(({ keys }) => keys.includes(keyId)).map(({ stage }) => `stage ${stage}`),
    ...Object.entries(policy.signers)
      .filter(([, keys]) => (keys as readonly string[] | undefined)?.includes(keyId) === true)
      .map(([kind]) => `signer of ${kind}`),
    ...(policy.registrar.includes(keyId) ? ['registrar'] : []),
  ]);
  const [name] = names;
  return name ?? `key ${keyId.slice(0, 16)}`;
}

/** Fields of each kind that say what it is about. */
const TELLING: Readonly<Record<string, readonly (readonly string[])[]>> = {
  [PREDICATE.release]: [['name'], ['version']],
  [PREDICATE.provenance]: [['runDetails', 'builder', 'id']],
  [PREDICATE.testResult]: [['result'], ['configuration', '0', 'name']],
  [PREDICATE.decision]: [['verificationResult'], ['sealane_promotion', 'to']],
  [PREDICATE.approval]: [['verdict'], ['stage']],
  [PREDICATE.receipt]: [['site'], ['event'], ['at'], ['reason']],
  [PREDICATE.revocation]: [['reason']],
  [PREDICATE.siteRecord]: [['site'], ['stage']],
  [PREDICATE.siteCertificate]: [['site']],
  [PREDICATE.rig]: [['rig']],
  [PREDICATE.recall]: [['reason']],
  [PREDICATE.erasure]: [['reason']],
  [PREDICATE.exception]: [['kind'], ['reason']],
  [PREDICATE.order]: [['order'], ['stage'], ['reason']],
  [PREDICATE.review]: [['note']],
  [PREDICATE.root]: [['version']],
};

function says(predicateType: string, predicate: JsonValue): string {
  const words = (TELLING[predicateType] ?? []).map((path) => textAt(predicate, path)).filter((word) => word !== '');
  return words.join(', ');
}

function textAt(value: JsonValue, path: readonly string[]): string {
  const found = path.reduce<JsonValue | undefined>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? (inner as Record<string, JsonValue>)[name] : undefined,
    value,
  );
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
}
