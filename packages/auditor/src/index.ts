/** The public surface of `auditor`, listed by hand. */
export { type AtSite, atSite } from './answers/at-site.js';
export type { Answer, AuditContext, Citation, Doubt } from './answers/context.js';
export { type TestedHardware, type Trace, traceRelease } from './answers/trace.js';
export { verifyAll, type VerifyAnswer } from './answers/verify.js';
export { auditAt } from './commands/audit-at.js';
export { auditCoverage } from './commands/audit-coverage.js';
export { auditExposure } from './commands/audit-exposure.js';
export { auditPopulation } from './commands/audit-population.js';
export { auditTrace } from './commands/audit-trace.js';
export { auditVerify } from './commands/audit-verify.js';
