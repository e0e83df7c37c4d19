/** Checks an export by a root of trust that the reader holds: signatures, proofs, completeness, and that every other file is made from them. */
import {
  type Checkpoint,
  type Digest,
  equalBytes,
  type ErrorCode,
  leafHash,
  logLeaf,
  parseCheckpoint,
  type QuorumCheckpoint,
  SealaneError,
  sha256,
  verifyEnvelope,
  verifyInclusion,
} from '@sealane/core';
import type { LedgerProblem } from '@sealane/ledger';
import {
  isAbout,
  isEnrolment,
  parseBundle,
  type ParsedBundle,
  type Policy,
  quorumThen,
  type TrustedLog,
  trustWithEnrolled,
  type VerifiedStatement,
  verifyStatement,
  type VerifyTrust,
  verifyTrustOf,
} from '@sealane/trust';
import { readLaneTrust } from '../lane-trust.js';
import type { ExportedStatement, ExportPackage } from './export-package.js';
import { malformed } from './manifest.js';
import { borderProblems, periodProblems } from './period-proof.js';
import { partNamed, releaseParts } from './release-parts.js';
import { type ExportFiles, renderExport } from './render.js';
import { unpackExport } from './unpack.js';

/** A statement that is signed and logged, by a key that policy does not vouch for at that place. */
export interface UnvouchedStatement {
  readonly statement: Digest;
  readonly logIndex: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What an export is worth. `problems` empty: it is what the log holds. */
export interface ExportVerdict {
  readonly exported: ExportPackage;
  readonly statements: readonly { readonly digest: Digest; readonly logIndex: number }[];
  readonly problems: readonly LedgerProblem[];
  readonly doubts: readonly UnvouchedStatement[];
}

/** What statements are held against, and the checkpoints that were verified already. */
interface Measure {
  readonly policies: readonly Policy[];
  readonly trust: VerifyTrust;
  readonly log: TrustedLog;
  readonly quorums: Map<string, QuorumCheckpoint>;
}

/**
 * Verifies the files of an export from `root`, a root.json that the reader holds.
 *
 * @throws AuditorError `EXPORT_MALFORMED` no export; TrustError `TRUST_*` the trust in it does not follow from that root
 */
export function verifyExport(files: ExportFiles, root: Uint8Array): ExportVerdict {
  const exported = unpackExport(files);
  const { policies } = readLaneTrust(root, (name, maxBytes) => {
    const bytes = exported.trust.get(name);
    return bytes === undefined || bytes.length > maxBytes ? undefined : bytes;
  });
  const measure = measureOf(exported, policies);
  const problems: LedgerProblem[] = [...checkpointProblems(exported, measure)];
  const bundles: ParsedBundle[] = [];
  for (const statement of exported.statements) {
    problems.push(...found('statement', String(statement.index), () => void bundles.push(provedBundle(exported, statement, measure))));
  }
  problems.push(...subjectProblems(exported, bundles), ...blobProblems(exported));
  if (exported.manifest.period !== null) {
    problems.push(...found('period', 'log/tile', () => periodProblems(exported, bundles)));
    problems.push(...found('period', 'time', () => borderProblems(exported, (note) => quorumThen(note, measure.log, measure.trust))));
  }
  if (problems.length === 0) problems.push(...renderedProblems(files, exported, policies));
  return {
    exported,
    statements: bundles.map(({ statementDigest, logged }) => ({ digest: statementDigest, logIndex: logged?.proof.logIndex ?? -1 })),
    problems,
    doubts: unvouched(bundles, measure),
  };
}

function measureOf({ manifest }: ExportPackage, policies: readonly Policy[]): Measure {
  const [policy] = policies;
  const trust = policy === undefined ? undefined : verifyTrustOf(policy);
  const log = trust?.logs.find(({ origin }) => origin === manifest.origin);
  if (trust === undefined || log === undefined) throw malformed(`a policy that names the log ${manifest.origin}`, 'none');
  return { policies, trust, log, quorums: new Map() };
}

/** A failed check as a problem; what `check` returns are problems too. */
function found(where: string, key: string, check: () => readonly LedgerProblem[] | undefined): readonly LedgerProblem[] {
  try {
    return check() ?? [];
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return [{ where, key, expected: 'what the log holds', actual: `${error.message} (${error.code})` }];
  }
}

function checkpointProblems({ checkpoint, notes, manifest }: ExportPackage, { log, trust }: Measure): readonly LedgerProblem[] {
  const { size } = parseCheckpoint(checkpoint);
  const other = size === manifest.size ? [] : [{ where: 'manifest', key: 'size', expected: String(size), actual: String(manifest.size) }];
  return [
    ...other,
    ...[checkpoint, ...notes].flatMap((note) =>
      found('checkpoint', String(parseCheckpoint(note).size), () => void quorumThen(note, log, trust)),
    ),
  ];
}

/** The bundle of a statement whose signature and both proofs hold. @throws SealaneError by what does not */
function provedBundle(
  { checkpoint, notes }: ExportPackage,
  { index, bundle: bytes, first }: ExportedStatement,
  { trust, log }: Measure,
): ParsedBundle {
  const bundle = parseBundle(bytes);
  const { logged, envelope, certified } = bundle;
  if (logged?.proof.logIndex !== index || logged.proof.checkpoint !== checkpoint)
    throw malformed(`a proof of entry ${index} under the export's checkpoint`, 'another');
  if (!verifyEnvelope(envelope, logged.leaf.spki)) throw malformed(`the signature of entry ${index}`, 'a wrong one');
  if (!equalBytes(logged.leafBytes, logLeaf(envelope, logged.leaf.spki, certified?.certificate)))
    throw malformed('a log entry of this signature', 'one of another');
  const hash = leafHash(logged.leafBytes);
  const under = ({ size, root }: Pick<Checkpoint, 'size' | 'root'>, proof: readonly Uint8Array[]): void => {
    verifyInclusion({ leafHash: hash, index, size, proof, root });
  };
  under(quorumThen(checkpoint, log, trust).checkpoint, logged.proof.hashes);
  if (first.note !== checkpoint && !notes.includes(first.note))
    throw malformed(`a first checkpoint of entry ${index} that is here`, 'another');
  under(quorumThen(first.note, log, trust).checkpoint, first.hashes);
  return bundle;
}

/** What an export says it is about, its statements are about, or about a part of it; records of sites and rigs are there to vouch for keys. */
function subjectProblems({ manifest, blobs }: ExportPackage, bundles: readonly ParsedBundle[]): readonly LedgerProblem[] {
  const { release } = manifest;
  if (release === null) return [];
  const { parts } = releaseParts(release, (digest) => blobs.get(digest));
  const strangers = bundles.filter(
    ({ statement }) => !isEnrolment(statement) && !isAbout(statement, release) && partNamed(statement, parts) === undefined,
  );
  return strangers.map(({ statementDigest }) => ({
    where: 'statement',
    key: statementDigest,
    expected: `one about ${release} or a part of it`,
    actual: 'one about something else',
  }));
}

function blobProblems({ blobs }: ExportPackage): readonly LedgerProblem[] {
  return [...blobs].flatMap(([digest, bytes]) => {
    const actual = sha256(bytes);
    return actual === digest ? [] : [{ where: 'blob', key: digest, expected: digest, actual }];
  });
}

/** Every file that is made from statements is what this program makes of them, and there is no other. */
function renderedProblems(files: ExportFiles, exported: ExportPackage, policies: readonly Policy[]): readonly LedgerProblem[] {
  const wanted = renderExport(exported, policies);
  const names = [...new Set([...files.keys(), ...wanted.keys()])].sort();
  return names.flatMap((name): readonly LedgerProblem[] => {
    const [expected, actual] = [wanted.get(name), files.get(name)];
    if (expected !== undefined && actual !== undefined && equalBytes(expected, actual)) return [];
    return [{ where: 'file', key: name, expected: told(expected), actual: told(actual) }];
  });
}

function told(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'no such file' : sha256(bytes);
}

/** Statements for whose key no policy speaks, sites and rigs that a registrar enrolled included. */
function unvouched(bundles: readonly ParsedBundle[], { policies, quorums }: Measure): readonly UnvouchedStatement[] {
  const trusts = policies.map((policy) => {
    const trust = verifyTrustOf(policy);
    const records = bundles.flatMap((bundle) => (isEnrolment(bundle.statement) ? vouchedBy(bundle, [trust], quorums).verified : []));
    return trustWithEnrolled(trust, records);
  });
  return bundles.flatMap((bundle) => {
    const { verified, refusal } = vouchedBy(bundle, trusts, quorums);
    if (verified.length > 0 || refusal === undefined) return [];
    const { statementDigest: statement, logged } = bundle;
    return [{ statement, logIndex: logged?.proof.logIndex ?? -1, code: refusal.code, message: refusal.message }];
  });
}

function vouchedBy(
  bundle: ParsedBundle,
  trusts: readonly VerifyTrust[],
  quorums: Map<string, QuorumCheckpoint>,
): { readonly verified: readonly VerifiedStatement[]; readonly refusal?: SealaneError } {
  let refusal: SealaneError | undefined;
  for (const trust of trusts) {
    try {
      return { verified: [verifyStatement(bundle, { trust, quorums })] };
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      refusal = error;
    }
  }
  return { verified: [], ...(refusal === undefined ? {} : { refusal }) };
}
