/** The witnesses of the log of records. service.yaml names them, since no policy does: whoever reads the log decides whom of them he trusts. */
import { type Checkpoint, parseVkey, SealaneError, verifyQuorum } from '@sealane/core';
import type { NoteSigner, RecordLog } from '@sealane/ledger';
import { askWitnesses, type NamedWitness } from '../log/witnesses.js';
import type { Promoter } from '../promoter.js';

/** None, and a quorum of none, is a log that no witness watches. */
export interface RecordWitnesses {
  readonly witnesses: readonly NamedWitness[];
  readonly quorum: number;
}

/** Whether enough of the witnesses stand behind a checkpoint. */
export function hasQuorum(checkpoint: Checkpoint, signer: NoteSigner, witnesses: RecordWitnesses): boolean {
  try {
    expectQuorum(checkpoint.note, signer, witnesses);
    return true;
  } catch (error) {
    if (error instanceof SealaneError && error.code === 'LOG_WITNESS') return false;
    throw error;
  }
}

/**
 * Has the newest checkpoint cosigned where it is not yet. Below the quorum its records stay logged, and whoever sends one again is answered once there is one.
 *
 * `before`: the one that they cosigned last, as far as is known.
 *
 * @throws SealaneError `LOG_WITNESS` too few answered; `LOG_FORK`, `LOG_RESTORED` one of them saw another log, or more of this one
 */
export async function haveCosigned(
  log: RecordLog,
  signer: NoteSigner,
  witnesses: RecordWitnesses,
  { promoter, before }: { readonly promoter: Promoter; readonly before: Checkpoint },
): Promise<void> {
  const head = log.head();
  if (hasQuorum(head, signer, witnesses)) return;
  const { note, size } = head;
  // a witness that has seen another size says which
  const believedSize = before.size < size ? before.size : 0;
  const lines = await askWitnesses(witnesses.witnesses, promoter, { note, size, believedSize, consistencyProof: log.consistencyProof });
  expectQuorum(note + lines.join(''), signer, witnesses);
  log.keepCosigned(lines);
}

function expectQuorum(note: string, { vkey }: NoteSigner, { witnesses, quorum }: RecordWitnesses): void {
  if (witnesses.length === 0) return;
  verifyQuorum({ note, logKeys: [parseVkey(vkey)], witnesses: witnesses.map((witness) => parseVkey(witness.vkey)), quorum });
}
