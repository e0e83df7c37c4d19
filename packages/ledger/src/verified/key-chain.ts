/** What reading a log asks for beside its rows. */
import type { FillIn } from '../archive/absent.js';
import type { LogKeys } from '../log/log-keys.js';
import type { Queries } from '../store/store.js';

/** The keys of the log: as known, and as they are when that is not enough. Whatever is fetched is held against the leaves. */
export interface KeyChain {
  /** Brings payloads that are in an archive. */
  readonly fillIn: FillIn;
  readonly known: () => LogKeys;
  readonly reread: (log: Queries) => Promise<LogKeys>;
}
