/** What the ledger holds about rigs: the statements beside a release's test results, and the keys of enrolled rigs. */
import {
  type Digest,
  fromBase64,
  hardwareClass,
  hardwareDevices,
  type JsonObject,
  keyIdOf,
  LIMITS,
  parseStrictJson,
  PREDICATE,
  SealaneError,
} from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { hintOf, keySubject, type Policy, readRig, readTestResult, subjectOfRecall } from '@sealane/trust';
import { withDocuments } from '../archive/documents.js';
import { readBlob } from '../content.js';
import type { GateSource } from '../decision/gate-source.js';
import { statementOf } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';

const ABOUT_RIGS: readonly string[] = [PREDICATE.rig, PREDICATE.rigRebuild, PREDICATE.recall];

/**
 * Of the rigs that signed test results among `entries`, and of what was there in those runs: records, rebuilds and recalls, each once, in
 * log order. Who may have said so is for the gates to judge.
 */
export async function rigStatements(
  promoter: Pick<GateSource, 'home' | 'ledger' | 'blobs'>,
  entries: readonly LedgerEntry[],
): Promise<readonly LedgerEntry[]> {
  const results = entries.filter(({ statement }) => statement.predicateType === PREDICATE.testResult);
  // what was there in a run is read only where something was ever recalled: most lanes never recall anything
  const recalled = await promoter.ledger.knowsType(PREDICATE.recall);
  const read = recalled ? await withDocuments(promoter, results.map(statementOf)) : promoter;
  const things = new Set(results.flatMap((entry) => [keySubject(entry.keyId), ...(recalled ? thingsOf(read, entry) : [])]));
  const found = new Map<number, LedgerEntry>();
  for (const thing of things) {
    for (const entry of await promoter.ledger.statementsAbout(thing, ABOUT_RIGS)) found.set(entry.index, entry);
  }
  return [...found.values()].sort((left, right) => left.index - right.index);
}

/** The subjects under which a recall of the hardware of a run would be found. A result or inventory that cannot be read counts in no gate. */
function thingsOf(promoter: Pick<GateSource, 'home' | 'blobs'>, entry: LedgerEntry): readonly Digest[] {
  try {
    const { hardware } = readTestResult(statementOf(entry));
    const bytes = hardware === undefined ? undefined : readBlob(promoter, hardware);
    if (bytes === undefined) return [];
    const hbom = parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth }) as JsonObject;
    return hardwareDevices(hbom).flatMap(({ facts, serial }) => [
      hardwareClass(facts),
      ...(serial === undefined ? [] : [subjectOfRecall({ serial })]),
    ]);
  } catch (error) {
    if (error instanceof SealaneError) return [];
    throw error;
  }
}

/** The public key of an enrolled rig that a bundle's hint means; a key that a policy names is none. */
export async function rigKeyByHint(promoter: Promoter, hint: string): Promise<Uint8Array | undefined> {
  const keyId = Buffer.from(hint, 'base64').toString('hex');
  if (!/^[0-9a-f]{64}$/.test(keyId)) return undefined;
  const spki = await rigKey(promoter, keyId);
  return spki !== undefined && hintOf(spki) === hint ? spki : undefined;
}

/** The public key of an enrolled rig by its id; undefined when no registrar of a policy enrolled it. */
export async function rigKey(promoter: Promoter, keyId: string): Promise<Uint8Array | undefined> {
  const policies = policiesOf(promoter);
  if (policies.some(({ keys }) => Object.hasOwn(keys, keyId))) return undefined;
  const registrars = policies.flatMap(({ registrar }) => registrar);
  const entries = await promoter.ledger.statementsAbout(keySubject(keyId), PREDICATE.rig);
  const record = entries.find((entry) => registrars.includes(entry.keyId));
  const spki = record === undefined ? undefined : fromBase64(readRig(statementOf(record)).key.spki);
  return spki !== undefined && keyIdOf(spki) === keyId ? spki : undefined;
}

/** The policies of all stages. */
export function policiesOf({ lane }: Promoter): readonly Policy[] {
  return [...lane.stages.values()].map(({ policy }) => policy);
}
