/** The gates by name, and the one way to evaluate them: stage order first, then those of policy in their order. */
import { type Check, type Digest, type JsonObject, type JsonValue, PREDICATE, TrustError } from '@sealane/core';
import { approvalsGate } from './approvals.js';
import { conditionsGate } from './conditions.js';
import { rollbackRehearsedGate } from './rollback-rehearsed.js';
import { failed, faulty, sortedDigests } from './check-result.js';
import { digestsOf, EVIDENCE_CODES, selectStatements } from './evidence-selection.js';
import { exceptionsIn, withException } from './exceptions.js';
import { fidelityGate } from './fidelity.js';
import type { Gate, GateContext, GateInput } from './gate.js';
import { createContext } from './gate-context.js';
import { hardwareGate } from './hardware.js';
import { irreversibleGate, irreversibleRefusal } from './irreversible.js';
import { PROMOTER_VERDICTS } from './promoter-verdicts.js';
import { provenanceGate } from './provenance.js';
import { scopeChecks } from './scope.js';
import { soakGate } from './soak.js';
import { stageOrderGate } from './stage-order.js';
import { outstandingFailures, selectRuns } from './test-runs.js';
import { testsGate } from './tests.js';
import { topologyGate } from './topology.js';
import { variablesGate } from './variables.js';

/** The gates that every program knows. Those of the promoter alone are behind the door `@sealane/trust/promoter-gates`. */
export const GATES: readonly Gate[] = [
  stageOrderGate,
  provenanceGate,
  testsGate,
  hardwareGate,
  approvalsGate,
  soakGate,
  fidelityGate,
  topologyGate,
  conditionsGate,
  variablesGate,
  rollbackRehearsedGate,
  irreversibleGate,
];

/**
 * Checks a gate as a pipeline names it.
 *
 * @throws TrustError `CONFIG_INVALID` an unknown gate (the message lists the known ones) or setting (it lists those of the gate)
 */
export function validateGateConfig(use: string, settings: JsonValue, gates: readonly Gate[] = GATES): void {
  const gate = gateOf(use, gates);
  if (gate === undefined)
    throw new TrustError('CONFIG_INVALID', `read gate ${use}: expected one of ${knownGates()}, got another`, { gate: use });
  gate.check(settings);
}

/**
 * The verdict of every gate, in order: `stage-order`, then those of policy, then `scope` where policy has scopes. A part without a way back that no
 * gate allows adds a failing check `irreversible`, a revocation of the release one `revoked`.
 *
 * `gates` is what the caller can evaluate. Never throws: an unknown gate is an error, and so is one that throws. None of these is a pass.
 */
export function evaluateGates(input: GateInput, gates: readonly Gate[] = GATES): Check[] {
  const evaluation = startEvaluation(input, gates);
  const uses = [{ use: stageOrderGate.id, with: {} }, ...input.policy.gates.filter(({ use }) => use !== stageOrderGate.id)];
  const { context } = evaluation;
  return [...uses.map(evaluation.check), ...irreversibleRefusal(context), ...scopeChecks(context), ...revocations(context)];
}

/**
 * What approvers must have seen now: the statements that evidence gates of policy read, and the failures that stand. Sorted.
 *
 * @throws TrustError `GATE_ERROR` a gate cannot be judged, so what it reads is not known
 */
export function evidenceToApprove(input: GateInput, gates: readonly Gate[] = GATES): readonly Digest[] {
  return startEvaluation(input, gates).context.evidenceToSee();
}

interface GateUse {
  readonly use: string;
  readonly with: JsonObject;
}

/** One evaluation: each gate runs at most once, also when approvals ask what the others read. */
function startEvaluation(
  input: GateInput,
  gates: readonly Gate[],
): { readonly context: GateContext; readonly check: (gate: GateUse) => Check } {
  const done = new Map<GateUse, Check>();
  const check = (gate: GateUse): Check => {
    const result = done.get(gate) ?? withException(context, gate, runGate(context, gate, gates));
    done.set(gate, result);
    return result;
  };
  const context: GateContext = createContext(input, (inner) => {
    const checks = input.policy.gates.filter(({ use }) => gateOf(use, gates)?.reads === 'evidence').map(check);
    const unjudged = checks.find(({ verdict }) => verdict === 'error');
    if (unjudged !== undefined)
      throw new TrustError('GATE_ERROR', `list the evidence to see: gate ${unjudged.id} cannot be judged: ${unjudged.actual}`);
    const read = checks.flatMap(({ evidence }) => evidence);
    // what lets a gate through must have been seen, also where what the gate itself reads need not be
    const others = input.policy.gates.filter(({ use }) => gateOf(use, gates)?.reads === 'decisions').map(check);
    const exceptions = exceptionsIn(input, others);
    const { tests, hardware } = input.policy.signers;
    const failures = outstandingFailures(inner, selectRuns(inner, [...tests, ...hardware]).accepted);
    return sortedDigests([...read, ...exceptions, ...digestsOf(failures)]);
  });
  return { context, check };
}

function runGate(context: GateContext, { use, with: settings }: GateUse, gates: readonly Gate[]): Check {
  const gate = gateOf(use, gates);
  const remedy = 'mend the gate in pipeline.yaml, then: sealane trust propose';
  if (gate === undefined) {
    return faulty(use.slice(0, 64), {
      expected: `one of the gates ${knownGates()}`,
      actual: `unknown gate ${use}`,
      remedy,
      code: 'GATE_UNKNOWN',
    });
  }
  try {
    return gate.run(context, settings);
  } catch (error) {
    // Whatever was thrown, the rule was not judged: an error check, which refuses.
    return faulty(use, {
      expected: gate.summary,
      actual: error instanceof Error ? error.message : String(error),
      remedy,
      code: 'GATE_ERROR',
    });
  }
}

/**
 * Whoever may let a release in may also call it back: stage keys, approvers, authors. Said once, it stands; its reason is the only
 * thing read, so that a revocation in a newer form is not passed over.
 */
function revocations(context: GateContext): readonly Check[] {
  const { chain, people, signers } = context.policy;
  const { accepted } = selectStatements(context, {
    predicateType: PREDICATE.revocation,
    signers: [...[...chain, ...people].flatMap((holder) => holder.keys), ...signers.release],
    read: ({ predicate }) => (typeof predicate.reason === 'string' ? predicate.reason : 'no reason given'),
    codes: EVIDENCE_CODES,
  });
  const [first] = accepted;
  if (first === undefined) return [];
  const words = { expected: 'not revoked', actual: `revoked: ${first.predicate}`, remedy: 'make and promote another release' };
  return [failed('revoked', { ...words, evidence: digestsOf(accepted), code: 'RELEASE_REVOKED' })];
}

function gateOf(use: string, gates: readonly Gate[]): Gate | undefined {
  return gates.find(({ id }) => id === use);
}

function knownGates(): string {
  return [...GATES.map(({ id }) => id), ...PROMOTER_VERDICTS].join(', ');
}
