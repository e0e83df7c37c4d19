/** A ledger to which nothing is added meanwhile: questions of a batch that ask it the same get the same answer, which is looked up once. */
import { type Digest, PREDICATE } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';

/**
 * The ledger with answers kept that do not depend on one release, or that releases share; what is said about these releases is looked up for all of them at
 * once, when it is first asked for; where that fails each is looked up alone, so that what cannot be read of one fails for no other. For as long as the publish lock keeps others from adding: of what its holder adds, decisions and checkpoints, none
 * are seen here.
 */
export function stillLedger(ledger: Ledger, releases: readonly Digest[]): Ledger {
  const isKnown = new Set(releases);
  const evidence = once(() => ledger.evidenceAboutEach(releases));
  const decided = once(() => ledger.decisions({ release: releases }));
  const evidenceAlone = once(ledger.evidenceAbout);
  const evidenceOf = (release: Digest): Promise<readonly LedgerEntry[]> =>
    evidence().then(
      (found) => found.get(release) ?? [],
      () => evidenceAlone(release),
    );
  return {
    ...ledger,
    knowsType: once(ledger.knowsType),
    latestCosigned: once(ledger.latestCosigned),
    rootAt: once(ledger.rootAt),
    fleet: once(ledger.fleet),
    evidenceAbout: (release) => (isKnown.has(release) ? evidenceOf(release) : ledger.evidenceAbout(release)),
    statementsAbout: once(async (subject, types) => {
      const wanted = typeof types === 'string' ? [types] : types;
      // receipts are left out of evidence
      if (wanted === undefined || wanted.includes(PREDICATE.receipt) || !isKnown.has(subject))
        return await ledger.statementsAbout(subject, types);
      return (await evidenceOf(subject)).filter(({ statement }) => wanted.includes(statement.predicateType));
    }),
    decisions: async (where = {}) => {
      const { stage, release } = where;
      if (typeof release !== 'string' || !isKnown.has(release)) return await ledger.decisions(where);
      const rows = await decided().catch(() => ledger.decisions({ release }));
      return rows.filter((row) => row.release === release && (stage === undefined || row.stage === stage));
    },
  };
}

function once<A extends readonly unknown[], R>(ask: (...about: A) => Promise<R>): (...about: A) => Promise<R> {
  const answers = new Map<string, Promise<R>>();
  return (...about) => {
    const name = JSON.stringify(about);
    const answer = answers.get(name) ?? ask(...about);
    answers.set(name, answer);
    return answer;
  };
}
