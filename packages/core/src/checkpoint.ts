/** Checkpoints: a log's signed promise of size and root (C2SP tlog-checkpoint v1.0.0). */
import { base64, equalBytes, fromBase64, fromUtf8 } from './bytes.js';
import { CoreError } from './errors.js';
import { emptyRoot } from './merkle.js';
import { restate } from './restate.js';
import { parseNote } from './signed-note.js';

/** A checkpoint. `text` is what is signed; `note` the whole with signatures. Not verified by parsing. */
export interface Checkpoint {
  readonly origin: string;
  /** Entries in the log. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly text: string;
  readonly note: string;
}

/** The text of a checkpoint: origin, size, root, each on a line. */
export function formatCheckpointText({ origin, size, root }: Pick<Checkpoint, 'origin' | 'size' | 'root'>): string {
  return `${origin}\n${size}\n${base64(root)}\n`;
}

/**
 * A checkpoint out of a signed note. Signatures are not verified here: see `verifyQuorum`.
 *
 * @throws CoreError `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`
 */
export function parseCheckpoint(note: string | Uint8Array): Checkpoint {
  const { text } = parseNote(note);
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  if (origin === '') throw malformed('an origin');
  // no sign, no leading zero, no other base
  if (!/^(?:0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size))) throw malformed('a size in decimal');
  if (extensions.some((line) => line === '')) throw malformed('no empty extension lines');
  const bytes = rootBytes(root);
  if (size === '0' && !equalBytes(bytes, emptyRoot())) throw malformed('the root of the empty tree at size 0');
  const whole = typeof note === 'string' ? note : fromUtf8(note);
  return { origin, size: Number(size), root: bytes, text, note: whole };
}

function rootBytes(text: string): Uint8Array {
  const root = restate('CHECKPOINT_MALFORMED', () => fromBase64(text), 'read a checkpoint: expected a root in base64');
  if (root.length !== 32) throw malformed(`a root of 32 bytes, got ${root.length}`);
  return root;
}

function malformed(expected: string): CoreError {
  return new CoreError('CHECKPOINT_MALFORMED', `read a checkpoint: expected ${expected}`);
}
