/**
 * Test rigs as gates see them: which are enrolled, what each was last built into, and what was recalled.
 *
 * The registrar's record says who a rig is and of which units it consists; a rebuild says into which state it was put. A recall takes away
 * what was tested on a rig, a class or a unit from a log index on, whenever it was logged itself: sites learn of it with the waybill.
 */
import { hardwareClass, PREDICATE, type Statement } from '@sealane/core';
import { subjectOfRecall } from '../evidence/predicates/recall.js';
import { keySubject, readRig, type RigPredicate } from '../evidence/predicates/rig.js';
import { readRigRebuild, type RigRebuildPredicate } from '../evidence/predicates/rig-rebuild.js';
import { isAbout } from '../evidence/predicates/statement.js';
import type { PolicyKey } from '../policy/policy-types.js';
import { EVIDENCE_CODES, type Selected, selectStatements } from './evidence-selection.js';
import type { GateContext } from './gate.js';
import type { TestRun } from './test-runs.js';

/** What is read of a recall. One in a newer form is not passed over: it counts from the start of the log. */
export interface Recall {
  readonly untilIndex: number;
  readonly reason: string;
}

/** Everything that is said of rigs, oldest first. */
export interface RigBook {
  /** By id, the keys of rigs: each may sign from its first record on. None is a key that policy names for something. */
  readonly keys: Readonly<Record<string, PolicyKey>>;
  readonly records: readonly Selected<RigPredicate>[];
  readonly rebuilds: readonly Selected<RigRebuildPredicate>[];
  readonly recalls: readonly Selected<Recall>[];
}

/** A rig as it was when a run on it was logged: its record, and the last rebuild since (none: it stands as it was enrolled). */
export interface Rig {
  readonly record: Selected<RigPredicate>;
  readonly rebuild: Selected<RigRebuildPredicate> | undefined;
}

/** Reads the book once for an evaluation. */
export function readRigs(context: GateContext): RigBook {
  const records = readRecords(context);
  const keys: Record<string, PolicyKey> = {};
  for (const { from, predicate } of records) {
    const { id, spki } = predicate.key;
    if (!Object.hasOwn(keys, id))
      keys[id] = { spki, origin: context.policy.lane, fromIndex: from.logIndex + 1, untilIndex: null, reason: null };
  }
  return { keys, records, rebuilds: readRebuilds(withKeys(context, keys)), recalls: readRecalls(context) };
}

/** The context with the keys of rigs among those that may sign. */
export function withRigKeys(context: GateContext, { keys }: RigBook): GateContext {
  return withKeys(context, keys);
}

/** The rig whose key signed a run, as it was when the run was logged; undefined when that key was no rig's. */
export function rigOfRun({ records, rebuilds }: RigBook, { from: { keyId, logIndex } }: TestRun): Rig | undefined {
  const record = records.filter(({ from, predicate }) => predicate.key.id === keyId && from.logIndex < logIndex).at(-1);
  if (record === undefined) return undefined;
  const since = rebuilds.filter(({ from, predicate }) => predicate.keyId === keyId && from.logIndex > record.from.logIndex);
  return { record, rebuild: since.filter(({ from }) => from.logIndex < logIndex).at(-1) };
}

/** The recalls that void a run: of the rig that signed it, of a class or a unit that was there. */
export function recallsOf(context: GateContext, book: RigBook, run: TestRun): readonly Selected<Recall>[] {
  if (book.recalls.length === 0) return [];
  const { keyId, logIndex } = run.from;
  const hardware = run.predicate.hardware === undefined ? undefined : context.hardware(run.predicate.hardware);
  const devices = hardware?.ok === true ? hardware.value.devices : [];
  const things = devices.flatMap(({ facts, serial }) => [
    hardwareClass(facts),
    ...(serial === undefined ? [] : [subjectOfRecall({ serial })]),
  ]);
  const enrolledAt = rigOfRun(book, run)?.record.from.logIndex ?? -1;
  return book.recalls.filter(({ from, predicate }) => {
    if (logIndex < predicate.untilIndex) return false;
    // a rig that was enrolled again after its recall starts anew
    if (isAbout(from.statement, keySubject(keyId))) return from.logIndex > enrolledAt;
    return things.some((thing) => isAbout(from.statement, thing));
  });
}

function withKeys(context: GateContext, keys: RigBook['keys']): GateContext {
  return { ...context, policy: { ...context.policy, keys: { ...keys, ...context.policy.keys } } };
}

function readRecords(context: GateContext): readonly Selected<RigPredicate>[] {
  const { accepted } = selectStatements(context, {
    predicateType: PREDICATE.rig,
    signers: context.policy.registrar,
    about: isAboutAnything,
    read: readRig,
    codes: EVIDENCE_CODES,
  });
  // a person, a lab or a stage does not become a rig by a record, nor the other way round
  return accepted.filter(
    ({ predicate, from }) => !Object.hasOwn(context.policy.keys, predicate.key.id) && isAbout(from.statement, keySubject(predicate.key.id)),
  );
}

/** Rebuilds by the rig itself or by the registrar. */
function readRebuilds(context: GateContext): readonly Selected<RigRebuildPredicate>[] {
  const { registrar, keys } = context.policy;
  const { accepted } = selectStatements(context, {
    predicateType: PREDICATE.rigRebuild,
    signers: Object.keys(keys),
    about: isAboutAnything,
    read: readRigRebuild,
    codes: EVIDENCE_CODES,
  });
  return accepted.filter(
    ({ from, predicate }) =>
      (from.keyId === predicate.keyId || registrar.includes(from.keyId)) && isAbout(from.statement, keySubject(predicate.keyId)),
  );
}

function readRecalls(context: GateContext): readonly Selected<Recall>[] {
  return selectStatements(context, {
    predicateType: PREDICATE.recall,
    signers: context.policy.registrar,
    about: isAboutAnything,
    read: ({ predicate }) => ({
      untilIndex: typeof predicate.untilIndex === 'number' ? predicate.untilIndex : 0,
      reason: typeof predicate.reason === 'string' ? predicate.reason : 'no reason given',
    }),
    codes: EVIDENCE_CODES,
  }).accepted;
}

/** These statements are about rigs and things, never about a release; what each is about is compared with what it says. */
function isAboutAnything(statement: Statement): boolean {
  return statement.subject.length > 0;
}
