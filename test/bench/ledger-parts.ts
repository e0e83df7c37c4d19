/** What the benchmarks of the ledger reach into: bundled as the programs are, so that what is measured is what runs. */
export * from '@sealane/core';
export { ed25519NoteSigner, openLedger, verifyLedger } from '@sealane/ledger';
export { packLeaf } from '../../packages/ledger/src/log/leaf-row.js';
export { projectionOf } from '../../packages/ledger/src/projection/projected.js';
export { checkHashes } from '../../packages/ledger/src/verify/hashes.js';
export {
  approvalStatement,
  decisionStatement,
  readReport,
  receiptStatement,
  releaseStatement,
  siteRecordStatement,
  testResultPredicate,
  testResultStatement,
} from '@sealane/trust';
export { withAudit } from '../../packages/auditor/src/open-audit-shell.js';
export * as answers from './ledger-answers.js';
export { openBulk } from './ledger-bulk.js';
