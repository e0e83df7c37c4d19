/** A ledger to which nothing is added meanwhile: questions of a batch that ask it the same get the same answer, which is looked up once. */
import type { Ledger } from '@sealane/ledger';

/** The ledger with answers kept that do not depend on one release, or that releases share. For as long as the publish lock keeps others from adding. */
export function stillLedger(ledger: Ledger): Ledger {
  return {
    ...ledger,
    knowsType: once(ledger.knowsType),
    latestCosigned: once(ledger.latestCosigned),
    fleet: once(ledger.fleet),
    statementsAbout: once(ledger.statementsAbout),
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
