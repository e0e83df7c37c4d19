/** What must hold of a ledger, whatever database keeps its rows. */
import { afterEach, beforeEach, describe } from 'vitest';
import { describeAnchor } from './ledger-anchor-suite.js';
import { describeLog } from './ledger-log-suite.js';
import { describeRows } from './ledger-rows-suite.js';
import type { TestHome } from './open.js';

/** Describes the ledger on one kind of store; `makeHome` makes an empty place for one. */
export function describeLedger(name: string, makeHome: () => TestHome | Promise<TestHome>): void {
  let current: TestHome;
  const home = (): TestHome => current;

  beforeEach(async () => {
    current = await makeHome();
  });
  afterEach(async () => {
    await current.remove();
  });

  describe(name, () => {
    describeLog(home);
    describeRows(home);
    describeAnchor(home, makeHome);
  });
}
