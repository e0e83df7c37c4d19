/** The public surface of `ledger`, listed by hand. */
export { command as witnessServe } from './commands/witness-serve.js';
export type { Entry, NewEntry } from './log/entry.js';
export { type Appended, type Ledger, type LedgerOptions, openLedger, openLedgerForReading } from './log/ledger.js';
export { type LogFolder, publishLog } from './log/publish.js';
export {
  type DecisionRow,
  decisions,
  rebuildProjection,
  type ReceiptRow,
  receipts,
  type ReleaseRow,
  releases,
  type SiteRow,
  sites,
  statementsAbout,
} from './projection/queries.js';
export { withPublishLock } from './store/publish-lock.js';
export { type LedgerProblem, type LedgerVerdict, verifyLedger } from './verify.js';
export { addLines, type CosignRequest, type Post, requestCosignature, type WitnessAddress } from './witness/client.js';
export { serveWitness, type WitnessOptions } from './witness/server-shell.js';
