/** What the ledger held on a day: its size, root and checkpoint then, and the proof that the log of today begins with exactly that. */
import { AuditorError, base64, type Digest, parseCheckpoint, verifyConsistency } from '@sealane/core';
import { citeEntry } from './answer.js';
import type { AuditContext } from './context.js';
import { type Answered, type Asked, inquire, witnessedAt } from './inquiry.js';

export interface Snapshot {
  readonly size: number;
  readonly root: string;
  readonly byType: Readonly<Record<string, number>>;
  readonly last: { readonly statement: Digest; readonly logIndex: number; readonly witnessed: string | null };
  /** The log as it is now, and the hashes (RFC 9162, section 2.1.4) that were verified: the snapshot is its beginning. */
  readonly today: { readonly size: number; readonly root: string; readonly checkpoint: string; readonly consistency: readonly string[] };
}

/** Answers "what did the ledger show then, and was none of it edited since?". @throws AuditorError `LOG_WITNESS`; CoreError `PROOF_MISMATCH` */
export async function snapshot(context: AuditContext, asked: Asked = {}): Promise<Answered<Snapshot>> {
  return await inquire(context, 'snapshot', asked, async (inquiry) => {
    const { ledger } = inquiry.context;
    const [then, now] = [await witnessedHead({ ledger }), await witnessedHead(context)];
    const proof = await context.ledger.consistencyProof(then.size, now.size);
    verifyConsistency({ size1: then.size, root1: then.root, size2: now.size, root2: now.root, proof });
    const last = await ledger.entry(then.size - 1);
    citeEntry(inquiry.evidence, last);
    return {
      size: then.size,
      root: base64(then.root),
      byType: Object.fromEntries(await ledger.typeCounts(then.size)),
      last: { statement: last.statementDigest, logIndex: last.index, witnessed: await witnessedAt(inquiry.context, last.index) },
      today: { size: now.size, root: base64(now.root), checkpoint: now.note, consistency: proof.map(base64) },
    };
  });
}

async function witnessedHead({ ledger }: Pick<AuditContext, 'ledger'>): Promise<ReturnType<typeof parseCheckpoint>> {
  const note = await ledger.latestCosigned();
  if (note !== null) return parseCheckpoint(note);
  throw new AuditorError('LOG_WITNESS', `read the log of ${ledger.origin}: expected a cosigned checkpoint, got none`);
}
