/**
 * What a process that answers many calls keeps of a home between them. Nothing is believed for having been true: each part is kept only while the
 * files that it was made from are the same, looked at anew for every call, so that what another process published counts at the next one.
 */
import type { Digest, Signer } from '@sealane/core';
import type { CommandIo } from '@sealane/core/command-line';
import { type Ledger, ledgerAt, openPublishLock, type PublishLock, type PublishLocks } from '@sealane/ledger';
import { parsePolicy, type Policy, policyDigest } from '@sealane/trust';
import type { Home } from './home.js';
import type { Pipeline } from './pipeline/pipeline.js';
import type { LaneTrust } from './trust/lane-trust.js';

/** The last thing that was made, given again while `from`, which says what it was made from, is the same. What fails is made anew. */
export type Kept<T> = (from: string, make: () => Promise<T>) => Promise<T>;

/** The parts that are kept. */
export interface KeptHome {
  readonly pipeline: Kept<Pipeline>;
  readonly lane: Kept<LaneTrust>;
  /** Parses the bytes of a policy; the same bytes are the same policy, so that what was verified against it stands. */
  policy(bytes: Uint8Array): Policy;
  readonly ledger: Kept<Ledger>;
  /** Signers by role. */
  signer(role: string): Kept<Signer>;
  /** The published checkpoint that the ledger was held against. */
  readonly observed: Kept<void>;
  /** Fence of the publish lock that is held now. */
  fence(): number;
  /** Runs `work` under the publish lock. */
  locked<T>(work: (lock: PublishLock) => Promise<T>): Promise<T>;
  /** Between two of them: lets others have the lock who wait for it. */
  giveWay(): Promise<void>;
  close(): Promise<void>;
}

/** An io whose home is kept open. */
export interface KeepingIo extends CommandIo {
  readonly kept: KeptHome;
}

/** What is kept for the caller of a command; undefined for a command line, which ends after one. */
export function keptFor(io: CommandIo): KeptHome | undefined {
  return 'kept' in io ? (io as KeepingIo).kept : undefined;
}

/** Those of all stages, and of stages to come. */
const MAX_POLICIES = 256;

/** Nothing is open yet. */
export function keepHome(home: Home): KeptHome {
  const policies = new Map<Digest, Policy>();
  const ledgers = new Set<Ledger>();
  const signers = new Map<string, Kept<Signer>>();
  const ledger = keeping<Ledger>();
  let locks: { readonly place: string; readonly opened: Promise<PublishLocks> } | undefined;
  let fence = 0;
  const locksNow = (): Promise<PublishLocks> => {
    const place = { ...ledgerAt(home.ledger), file: home.lock };
    const key = JSON.stringify(place);
    if (locks?.place !== key) locks = { place: key, opened: openPublishLock(place) };
    return locks.opened;
  };
  return {
    pipeline: keeping(),
    lane: keeping(),
    policy: (bytes) => {
      const digest = policyDigest(bytes);
      const policy = policies.get(digest) ?? parsePolicy(bytes);
      if (policies.size >= MAX_POLICIES) policies.clear();
      policies.set(digest, policy);
      return policy;
    },
    ledger: (from, make) =>
      ledger(from, async () => {
        const made = await make();
        // one that was replaced may still be read from: all are closed in the end
        ledgers.add(made);
        return made;
      }),
    signer: (role) => {
      const known = signers.get(role) ?? keeping<Signer>();
      signers.set(role, known);
      return known;
    },
    observed: keeping(),
    fence: () => fence,
    locked: async (work) =>
      await (
        await locksNow()
      ).hold(async (lock) => {
        fence = lock.fence ?? 0;
        return await work(lock);
      }),
    giveWay: async () => {
      await (await locksNow()).giveWay();
    },
    close: async () => {
      for (const each of ledgers) await each.close();
      await (await locks?.opened)?.close();
    },
  };
}

function keeping<T>(): Kept<T> {
  let last: { readonly from: string; readonly made: Promise<T> } | undefined;
  return (from, make) => {
    if (last?.from === from) return last.made;
    const made = make();
    const mine = { from, made };
    last = mine;
    made.catch(() => {
      if (last === mine) last = undefined;
    });
    return made;
  };
}
