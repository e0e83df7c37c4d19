/** Whether a run was made on a qualified rig: inventoried in that run, built from its template lately, and still what it was then. */
import { counted, hardwareDrift, type JsonObject, type JsonValue } from '@sealane/core';
import { isTime, timeToSeconds } from '../time.js';
import type { GateContext, Problem } from './gate.js';
import type { Rig } from './rigs.js';
import type { TestRun } from './test-runs.js';

/** What the gate asks of rigs. */
export interface RigRules {
  readonly rebuiltWithinDays?: number;
  readonly drift: 'refuse' | 'allow';
}

const SECONDS_A_DAY = 86_400;
/** An inventory is of a run when it was taken within a day of the end of it; who tests longer takes it again at the end. */
const MAX_INVENTORY_AGE_SECONDS = SECONDS_A_DAY;
/** Lines of drift that a verdict names. */
const MAX_NAMED = 3;

/** Why a run on a rig does not count; undefined when it does. */
export function rigProblem(context: GateContext, run: TestRun, rig: Rig, rules: RigRules): Problem | undefined {
  const name = rig.record.predicate.rig;
  const hardware = run.predicate.hardware === undefined ? undefined : context.hardware(run.predicate.hardware);
  if (hardware === undefined) return bad(run, name, 'names no inventory');
  if (!hardware.ok) return hardware.problem;
  const { hbom } = hardware.value;
  const ended = endOf(context, run);
  if (typeof ended === 'string') return bad(run, name, ended);
  const why = inventoryProblem(hbom, ended) ?? buildProblem(context, rig, ended, rules);
  if (why !== undefined) return bad(run, name, why);
  return rules.drift === 'allow' ? undefined : driftProblem(context, run, rig, hbom);
}

function bad({ from }: TestRun, rig: string, why: string): Problem {
  return { code: 'EVIDENCE_RIG', why: `${from.digest} on rig ${rig}: ${why}` };
}

/** When the run ended, in seconds; a run that ended after its log entry was witnessed did not end then. */
function endOf(context: GateContext, { from, predicate }: TestRun): number | string {
  if (predicate.finishedAt === undefined) return 'the run does not say when it ended';
  const ended = timeToSeconds(predicate.finishedAt);
  const seen = timeToSeconds(from.witnessed?.highest ?? context.time.highest);
  return ended > seen ? `the run says it ended at ${predicate.finishedAt}, after it was logged` : ended;
}

/** An inventory that was taken at another time may be of another state, or of another machine. */
function inventoryProblem(hbom: JsonObject, ended: number): string | undefined {
  const takenAt = timestampOf(hbom);
  if (takenAt === undefined) return 'its inventory does not say when it was taken';
  return Math.abs(ended - timeToSeconds(takenAt)) > MAX_INVENTORY_AGE_SECONDS
    ? `its inventory was taken at ${takenAt}, not in that run`
    : undefined;
}

function timestampOf({ metadata }: JsonObject): string | undefined {
  const timestamp = isObject(metadata) ? metadata.timestamp : undefined;
  return typeof timestamp === 'string' && isTime(timestamp) ? timestamp : undefined;
}

/** Built from the template it was enrolled with, by a statement that was not logged before the build it tells of, and lately. */
function buildProblem(context: GateContext, { record, rebuild }: Rig, ended: number, { rebuiltWithinDays }: RigRules): string | undefined {
  const { from, predicate } = rebuild ?? record;
  if (predicate.template !== record.predicate.template)
    return `it was built from template ${predicate.template}, not from ${record.predicate.template}`;
  const built = timeToSeconds(predicate.builtAt);
  const seen = timeToSeconds(from.witnessed?.highest ?? context.time.highest);
  if (built > seen || built > ended) return `it says it was built at ${predicate.builtAt}, which is after the run or after that was logged`;
  if (rebuiltWithinDays === undefined || ended - built <= rebuiltWithinDays * SECONDS_A_DAY) return undefined;
  return `it was last built at ${predicate.builtAt}, more than ${counted(rebuiltWithinDays, 'day')} before the run`;
}

/** Serial by serial what the registrar enrolled, and in firmware what the last build made of it. */
function driftProblem(context: GateContext, run: TestRun, { record, rebuild }: Rig, hbom: JsonObject): Problem | undefined {
  const enrolled = context.hardware(record.predicate.inventory);
  if (!enrolled.ok) return enrolled.problem;
  const built = rebuild === undefined ? enrolled : context.hardware(rebuild.predicate.inventory);
  if (!built.ok) return built.problem;
  const name = record.predicate.rig;
  if (enrolled.value.devices[0]?.serial === undefined) return bad(run, name, 'its record does not know the serial number of the machine');
  const other = hardwareDrift(enrolled.value.hbom, built.value.hbom).units;
  if (other.length > 0) return bad(run, name, `it was rebuilt with other units than it was enrolled with: ${listed(other)}`);
  const { units, firmware } = hardwareDrift(built.value.hbom, hbom);
  return units.length + firmware.length === 0 ? undefined : bad(run, name, `it is not what was built: ${listed([...units, ...firmware])}`);
}

function listed(lines: readonly string[]): string {
  return [...lines.slice(0, MAX_NAMED), ...(lines.length > MAX_NAMED ? [`and ${lines.length - MAX_NAMED} more`] : [])].join('; ');
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
