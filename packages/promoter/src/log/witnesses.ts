/** Asks witnesses to cosign a checkpoint. */
import { parseVkey, SealaneError } from '@sealane/core';
import { type CosignRequest, requestCosignature } from '@sealane/ledger';
import type { Promoter } from '../promoter.js';

/** A witness that has not answered after this is left out of this round. In milliseconds. */
const WITNESS_TIMEOUT_MS = 10_000;

/** A witness as configurations name it: its verifier key, and where it is asked. */
export interface NamedWitness {
  readonly vkey: string;
  readonly url: string;
}

/** A checkpoint to cosign, and how it follows from those before. */
export type Asked = Pick<CosignRequest, 'note' | 'size' | 'believedSize' | 'consistencyProof'>;

/** The lines of those that cosigned it. One that is away costs its vote only. @throws SealaneError `LOG_FORK`, `LOG_RESTORED`, and faults */
export async function askWitnesses(
  witnesses: readonly NamedWitness[],
  { post, signal, talk }: Pick<Promoter, 'post' | 'signal' | 'talk'>,
  asked: Asked,
): Promise<readonly string[]> {
  const answers = await Promise.allSettled(
    witnesses.map(({ vkey, url }) =>
      requestCosignature({
        ...asked,
        witness: { vkey: parseVkey(vkey), url },
        post,
        signal: AbortSignal.any([signal, AbortSignal.timeout(WITNESS_TIMEOUT_MS)]),
      }),
    ),
  );
  for (const answer of answers) if (answer.status === 'rejected') talk(`sealane: warning: ${absence(answer.reason)}\n`);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

/** Why a witness did not vote; one that saw another log, or more of this one than is here, stops everything. */
function absence(reason: unknown): string {
  if (!(reason instanceof SealaneError) || reason.code === 'LOG_FORK' || reason.code === 'LOG_RESTORED') throw reason;
  return reason.message;
}
