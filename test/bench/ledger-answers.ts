/** The questions that the benchmarks ask. */
export { approvals } from '../../packages/auditor/src/answers/approvals.js';
export { atSite } from '../../packages/auditor/src/answers/at-site.js';
export { awareness } from '../../packages/auditor/src/answers/awareness.js';
export { cases } from '../../packages/auditor/src/answers/cases.js';
export { changes } from '../../packages/auditor/src/answers/changes.js';
export { decisions } from '../../packages/auditor/src/answers/decisions.js';
export { devices } from '../../packages/auditor/src/answers/devices.js';
export { evidenceState } from '../../packages/auditor/src/answers/evidence.js';
export { exposure } from '../../packages/auditor/src/answers/exposure.js';
export { parity } from '../../packages/auditor/src/answers/parity.js';
export { population } from '../../packages/auditor/src/answers/population.js';
export { remedy } from '../../packages/auditor/src/answers/remedy.js';
export { rollbacks } from '../../packages/auditor/src/answers/rollbacks.js';
export { snapshot } from '../../packages/auditor/src/answers/snapshot.js';
export { traceRelease } from '../../packages/auditor/src/answers/trace.js';
export { unit } from '../../packages/auditor/src/answers/unit.js';
export { waivers } from '../../packages/auditor/src/answers/waivers.js';
