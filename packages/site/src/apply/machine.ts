/** The state machine with its journal: an event is on disk before the state it leads to is acted on. */
import type { Disk } from '../disk.js';
import { plainJson } from '../plain-json.js';
import { type Effect, effectsOf } from './effects.js';
import type { JournalRecord } from './journal.js';
import { openJournal, readJournal } from './journal-file.js';
import { INITIAL_STATE, type SiteEvent, type SiteState } from './state.js';
import { fold, step } from './step.js';

/** A machine that may change things; its holder has the lock. */
export interface Machine {
  state(): SiteState;
  effects(): readonly Effect[];
  /** Takes an event: refused without a trace if it cannot happen now, durable when this returns. */
  record(event: SiteEvent): void;
}

/** A journal beyond this is folded into one record: some thousand updates. */
const COMPACT_BYTES = 1024 * 1024;

/**
 * Opens the machine on its journal.
 *
 * @throws SiteError `STATE_CORRUPT`
 */
export function openMachine(disk: Disk, file: string): Machine {
  const journal = openJournal(disk, file);
  let state = foldRecords(journal.records);
  return {
    state: () => state,
    effects: () => effectsOf(state),
    record: (event) => {
      const next = step(state, event).state;
      journal.append(plainJson(event));
      state = next;
      if (journal.sizeBytes() > COMPACT_BYTES) journal.compact(plainJson({ is: 'snapshot', state }));
    },
  };
}

/**
 * The state as the journal has it now, for onlookers: without lock, without a change.
 *
 * @throws SiteError `STATE_CORRUPT`
 */
export function readState(disk: Disk, file: string): SiteState {
  return foldRecords(readJournal(disk, file));
}

/** Records were written by this program and are checked by their chain: their shape is that of events. */
function foldRecords(records: readonly JournalRecord[]): SiteState {
  return fold(
    INITIAL_STATE,
    records.map(({ event }) => event as unknown as SiteEvent),
  );
}
