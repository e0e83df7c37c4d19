/** The public surface of `ledger`, listed by hand. */
export { archiveFile, archivePlace, archivePlaces, parseArchive } from './archive/archive-file.js';
export { erasedBy, type ErasedStatement, type ErasureName } from './archive/erasures.js';
export type { MovedOut } from './archive/move-out.js';
export { command as ledgerFsck } from './commands/ledger-fsck.js';
export { command as witnessServe } from './commands/witness-serve.js';
export type { Ledger, LedgerOptions } from './ledger.js';
export type { AppendResult } from './log/append.js';
export type { Head } from './log/commits.js';
export type { LedgerEntry, NewEntry } from './log/entry.js';
export type { ErasedEntry } from './log/entry-rows.js';
export type { WriteFiles } from './log/publish-tiles.js';
export { ed25519NoteSigner, type NoteSigner } from './note-signer.js';
export { openLedger } from './open-ledger.js';
export { type PastLedger, pastLedger } from './past-ledger.js';
export type { FleetRecord, LastReport } from './projection/fleet.js';
export type { Projection } from './projection/questions.js';
export type { ReceiptLink } from './projection/receipt-links.js';
export type {
  ApprovalRecord,
  CountRecord,
  DecisionRecord,
  KeyRecord,
  ReceiptRecord,
  ReleaseRecord,
  RevocationRecord,
  SiteRecord,
  Source,
  TestRecord,
} from './projection/records.js';
export { openRecordLog, type RecordAnchor, type RecordFiles, type RecordLog, type RecordProof } from './records/record-log.js';
export type { PublishLock, PublishLocks } from './store/held-lock.js';
export { databaseFile, ledgerAt, type LedgerPlace, parseDatabase, type PostgresPlace } from './store/place.js';
export { openPublishLock, withPublishLock } from './store/publish-lock.js';
export type { LedgerProblem, LedgerReport, Unseen } from './verify/report.js';
export { verifyLedger } from './verify/verify.js';
export { type CosignRequest, type Post, requestCosignature, type WitnessAddress } from './witness/client.js';
export { createWitness, type RunningWitness, type WitnessOptions } from './witness/server.js';
