/** The quorum rule: a checkpoint counts when its log signed it and enough witnesses cosigned it. */
import { hex } from './bytes.js';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { verifyCosignatures } from './cosignature.js';
import { CoreError } from './errors.js';
import { restate } from './restate.js';
import { openNote, type Vkey } from './signed-note.js';

/** A checkpoint under a quorum, with the witnessed time: the span of the quorum's cosignature times (seconds since 1970). */
export interface QuorumCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly lowestSeconds: number;
  readonly highestSeconds: number;
}

/**
 * Verifies log signature and witness quorum of a checkpoint.
 *
 * `logKeys` are keys of one log, any of which may have signed: more than one where it has replaced its key.
 *
 * Of more cosignatures than the quorum the latest count, so an old extra one cannot drag the time back; with a quorum of two or more no
 * single witness can move the lowest time forward or backdate the highest.
 *
 * @throws CoreError `LOG_NOT_INCLUDED` malformed, of another log, or not signed by it; `LOG_WITNESS` fewer than `quorum` witnesses
 */
export function verifyQuorum(input: {
  readonly note: string | Uint8Array;
  readonly logKeys: readonly Vkey[];
  readonly witnesses: readonly Vkey[];
  readonly quorum: number;
}): QuorumCheckpoint {
  const checkpoint = logSigned(input.note, input.logKeys);
  const times = cosignedTimes(input.note, input.witnesses);
  const counted = times.slice(0, input.quorum);
  const [highestSeconds] = counted;
  const lowestSeconds = counted.at(-1);
  // a quorum below one would make every log its own witness
  if (input.quorum < 1 || counted.length < input.quorum || highestSeconds === undefined || lowestSeconds === undefined) {
    throw new CoreError(
      'LOG_WITNESS',
      `verify checkpoint ${checkpoint.size} of ${checkpoint.origin}: expected ${input.quorum} witnesses, got ${times.length}`,
      { size: checkpoint.size, needed: input.quorum, valid: times.length },
    );
  }
  return { checkpoint, lowestSeconds, highestSeconds };
}

function logSigned(note: string | Uint8Array, logKeys: readonly Vkey[]): Checkpoint {
  const checkpoint = restate('LOG_NOT_INCLUDED', () => parseCheckpoint(note));
  const { verified } = restate('LOG_NOT_INCLUDED', () => openNote(note, logKeys));
  if (!verified.some(({ name }) => name === checkpoint.origin)) {
    const [name] = logKeys.map((key) => key.name);
    throw new CoreError(
      'LOG_NOT_INCLUDED',
      `verify a checkpoint: expected one signed by ${name ?? 'a log'}, got one of ${checkpoint.origin} without that signature`,
    );
  }
  return checkpoint;
}

/** Times of the valid cosignatures, latest first. One key is one witness, whatever names it goes by, and one name is, whatever key it had before. */
function cosignedTimes(note: string | Uint8Array, witnesses: readonly Vkey[]): readonly number[] {
  const counted = new Set<string>();
  const times: number[] = [];
  const cosignatures = restate('LOG_WITNESS', () => verifyCosignatures(note, witnesses));
  for (const { witness, timeSeconds } of cosignatures.toSorted((left, right) => right.timeSeconds - left.timeSeconds)) {
    const marks = [`key ${hex(witness.publicKey)}`, `name ${witness.name}`];
    if (!marks.some((mark) => counted.has(mark))) times.push(timeSeconds);
    for (const mark of marks) counted.add(mark);
  }
  return times;
}
