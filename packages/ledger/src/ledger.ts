/** What an open ledger is: the log, its checkpoints and proofs, and the questions, behind one object. */
import type { Digest } from '@sealane/core';
import type { MoveDocumentsWish } from './archive/documents.js';
import type { ErasedStatement, ErasureName } from './archive/erasures.js';
import type { MoveInWish } from './archive/move-in.js';
import type { MovedOut, MoveOutWish } from './archive/move-out.js';
import type { AppendResult } from './log/append.js';
import type { Head } from './log/commits.js';
import type { LedgerEntry, NewEntry } from './log/entry.js';
import type { LeafTile } from './log/proofs.js';
import type { EntryLeaf, NoteErased } from './log/entry-rows.js';
import type { WriteFiles } from './log/publish-tiles.js';
import type { NoteSigner } from './note-signer.js';
import type { Projection } from './projection/questions.js';
import type { LedgerPlace } from './store/place.js';
import type { Compaction } from './store/store.js';
import type { LedgerReport } from './verify/report.js';

/** How to open a ledger. */
export interface LedgerOptions extends LedgerPlace {
  /** The log's origin: a bare host name. */
  readonly origin: string;
  /** The log's key. Without it the ledger answers, but logs nothing. */
  readonly logSigner?: NoteSigner;
  /**
   * The other key while one replaces the other. Whichever of the two the log has not handed over to signs checkpoints beside the log's own, so that they
   * count for who knows either.
   */
  readonly otherSigner?: NoteSigner;
  /** The wall clock, RFC 3339 UTC: the time of a commit. */
  readonly now: () => string;
  /** Opens for reading only, whatever keys there are. */
  readonly readOnly?: true;
  /** In a database that several promoters share, the fence of the publish lock that the caller holds now: without it nothing is written. */
  readonly fence?: () => number;
  /** Puts a callback behind the input that is ready (default `setImmediate`): requests that arrive together commit together. */
  readonly defer?: (run: () => void) => void;
}

/** An open ledger. Everything it returns is committed; every promise may reject with the codes of `LedgerError`. */
export interface Ledger extends Projection {
  readonly origin: string;
  /** The log's verifier key when it was opened. */
  readonly vkey: string;
  /**
   * Brings what is asked up to the log as it is now. Of a database that others share, what is asked is answered as of the last time: the opening, a call of
   * this, or something that was logged or saved here.
   *
   * @throws LedgerError `LOG_RESTORED`, `LOG_FORK` the log is not an extension of what was verified here before; `LEDGER_DAMAGED` its rows are not as signed
   */
  refresh(): Promise<void>;
  /** The verifier key that a proof under this checkpoint names: one that signed it, and that counts at its size. */
  proofKey(note: string): string;
  /**
   * From here on the log signs with `next`, the other key it was opened with. Durable when it resolves; done already, it does nothing.
   *
   * @throws LedgerError `LEDGER_MISMATCH` it was not opened with that key; `LEDGER_READ_ONLY`
   */
  replaceKey(next: string): Promise<void>;
  /**
   * Logs statements; durable and signed when it resolves. One call is one transaction: all or none. The same statement by the same key keeps
   * its first index, and the envelope that came first stands.
   *
   * @throws what `prepareEntry` names; LedgerError `LEDGER_READ_ONLY`, `LEDGER_BUSY`, `LEDGER_WRITE_FAILED`, `LOG_RESTORED`, `LOG_FORK`
   */
  append(entries: readonly NewEntry[]): Promise<readonly AppendResult[]>;
  size(): Promise<number>;
  head(): Promise<Head>;
  /** Size after the last commit before `time` (RFC 3339 UTC), by the promoter's clock; 0 before the first. */
  sizeAt(time: string): Promise<number>;
  /** The checkpoint of the head, signed by the log only: while its key is being replaced by both. */
  checkpointNote(): Promise<string>;
  /**
   * Saves a checkpoint with cosignatures. The caller has verified the quorum; here the log's signature is, and that it is our past.
   *
   * @throws LedgerError `LOG_NOT_INCLUDED` not ours, `LOG_FORK`, `LOG_RESTORED`, `LOG_WITNESS` no cosignature on it
   */
  saveCosigned(note: string): Promise<void>;
  /** Takes note of a checkpoint that somebody outside holds; see `log/anchor.ts`. @throws LedgerError `LOG_RESTORED`, `LOG_FORK`, `LOG_NOT_INCLUDED` */
  observe(note: string): Promise<void>;
  /** The saved checkpoint of the largest size, of at most `maxSize` entries where that is given. */
  latestCosigned(maxSize?: number): Promise<string | null>;
  /** The first saved checkpoint that holds entry `index` (and that `accepts`, where given): the one a decision's witnessed time is read from. */
  firstCosignedCovering(index: number, accepts?: (note: string) => boolean): Promise<string | null>;
  /** Root of the first `size` entries. */
  rootAt(size: number): Promise<Uint8Array>;
  /** Hashes leaf upwards. @throws `PROOF_LENGTH` index or size beyond the log */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  /** The lowest tile `index` of the tree of `size` entries, with the proof of it: one for all entries in it. @throws `PROOF_LENGTH` */
  leafTile(index: number, size: number): Promise<LeafTile>;
  consistencyProof(size1: number, size2: number): Promise<readonly Uint8Array[]>;
  /** Leaf bytes of an entry. @throws `STATEMENT_UNKNOWN` no such entry */
  leaf(index: number): Promise<Uint8Array>;
  /** Leaf of an entry, made anew of its envelope, and the digest of its statement: what a proof needs. @throws `STATEMENT_UNKNOWN` no such entry */
  entryLeaf(index: number): Promise<EntryLeaf>;
  /** @throws `STATEMENT_UNKNOWN` no such entry */
  entry(index: number): Promise<LedgerEntry>;
  /** Entries by index, in log order; an index beyond the log has none. */
  entriesAt(indexes: readonly number[]): Promise<readonly LedgerEntry[]>;
  entries(begin: number, count: number): Promise<readonly LedgerEntry[]>;
  byStatement(digest: Digest): Promise<readonly LedgerEntry[]>;
  /**
   * Writes the log's static files up to the latest cosigned checkpoint, that checkpoint last. `published` is the checkpoint that lies there
   * now: what it needs is not written again. Nothing is written while nothing is cosigned; the size that is published is returned. `write` is called at least once before it gets the checkpoint.
   */
  publishTiles(write: WriteFiles, published?: string): Promise<number>;
  /** Paths of the files of the published tree of `size` entries, without the checkpoint. */
  logPaths(size: number): readonly string[];
  /** The bytes that a file of the tree must have, by the rows; undefined when this log, as long as it is, has no such file. @throws `LEDGER_DAMAGED` */
  logFile(path: string): Promise<Uint8Array | undefined>;
  /** The same ledger, whose lists of entries leave out what was erased and tell `note` so; without it they fail with `STATEMENT_ERASED`. */
  noting(note: NoteErased): Ledger;
  /** Under what this is, something may be remembered of entries that were read: once one is erased, it is another. */
  memory(): object;
  /** Moves payloads out of the database into an archive. @throws as `moveOut` of `archive/` */
  moveOut(wish: MoveOutWish): Promise<MovedOut>;
  /** Copies documents of a lane's content into an archive, and tells which lie there; `entries` and `payloadBytes` count documents. @throws as `moveOut` */
  moveDocumentsOut(wish: MoveDocumentsWish): Promise<MovedOut>;
  /** Which of these documents were copied into an archive. */
  documentsArchived(documents: readonly Digest[]): Promise<ReadonlySet<Digest>>;
  /** A document out of the archive; undefined where it was never there. Whether it was erased since is for the caller to ask. @throws as `documentIn` of `archive/` */
  archivedDocument(digest: Digest): Promise<Uint8Array | undefined>;
  /** Brings payloads back. @throws as `moveIn` of `archive/` */
  moveIn(wish: MoveInWish): Promise<{ readonly entries: number }>;
  /**
   * Erases what the statements say that the entry `erasure` names, and are still there; their indexes. From then on lists that would have one fail, but for those of `noting`.
   *
   * @throws as `erasePayloads` of `archive/`
   */
  erase(erasure: number): Promise<readonly number[]>;
  /** Logs an entry of another copy of this log that was erased there: its leaf, and what the erasure, which may come later, says of it. */
  appendErased(leaf: Uint8Array, erasure: ErasureName, said: ErasedStatement): Promise<void>;
  /** Gives back the room of what was moved out; with `traces`, leaves nothing of what was erased. @throws LedgerError `LEDGER_READ_ONLY`, `LEDGER_BUSY`, `LEDGER_WRITE_FAILED` */
  compact(what: Compaction): Promise<void>;
  /** Makes the projection anew from the entries, archived ones too. */
  rebuildProjection(): Promise<void>;
  /** Recomputes everything and names each row that does not fit; with `checkpoint`, also against that signed note. */
  verify(options?: { readonly checkpoint?: string }): Promise<LedgerReport>;
  /** Writes a consistent copy to a file that does not exist yet. */
  copyTo(file: string): Promise<void>;
  close(): Promise<void>;
}
