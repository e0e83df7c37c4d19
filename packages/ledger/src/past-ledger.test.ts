/** The past of a ledger answers as that ledger did then: compared with a ledger that never got further. */
import { PREDICATE, sha256, utf8 } from '@sealane/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from './ledger.js';
import { type PastLedger, pastLedger } from './past-ledger.js';
import { type TestHome, testHome } from './testing/open.js';
import { oneOfEach, signed, testKey } from './testing/statements.js';

const author = testKey();
const site = testKey();
const release = sha256(utf8('release 1'));
let whole: TestHome;
let short: TestHome;

beforeEach(() => {
  [whole, short] = [testHome(), testHome()];
});
afterEach(async () => {
  await whole.remove();
  await short.remove();
});

/** Every question that can be asked of the past, but for who signed its checkpoints. */
async function answers(ledger: PastLedger): Promise<unknown> {
  const about = await ledger.statementsAbout(release);
  return {
    size: await ledger.size(),
    about: about.map(({ index }) => index),
    evidence: (await ledger.evidenceAbout(release)).map(({ index }) => index),
    ofTypes: (await ledger.statementsOf([PREDICATE.release, PREDICATE.receipt])).map(({ index }) => index),
    by: (await ledger.statementsBy(author.id)).map(({ index }) => index),
    indexesBy: await ledger.indexesBy(author.id),
    all: (await ledger.entries(0, 100)).map(({ statementDigest }) => statementDigest),
    first: (await ledger.byStatement((await ledger.entry(0)).statementDigest)).length,
    releases: await ledger.releases(),
    named: await ledger.releaseByName('api', '1.0.0'),
    decisions: await ledger.decisions({}),
    approvals: await ledger.approvals({}),
    tests: await ledger.testResults(release),
    revocations: await ledger.revocations(),
    sites: await ledger.sites(),
    receipts: await ledger.receiptsOf('shop-17'),
    links: await ledger.receiptLinks(['shop-17']),
    receiptsAt: await ledger.receiptsAt([6, 7, 8]),
    receiptIndexes: await ledger.receiptIndexes('shop-17'),
    fleet: await ledger.fleet('prod'),
    latest: await ledger.latestReceipts(),
    keys: (await ledger.keysSeen()).map(({ keyId }) => keyId),
  };
}

test('answers for every size as the ledger of that size did', async () => {
  const entries = [...oneOfEach(author, site), signed(testKey(), 'urn:example:later:v1', { n: 1 }, 'release 1')];
  const grown = await whole.open();
  await grown.append(entries);
  const growing = await short.open();
  for (const [at, entry] of entries.entries()) {
    await growing.append([entry]);
    expect(await answers(pastLedger(grown, at + 1))).toEqual(await answers(growing));
  }
  await expect(pastLedger(grown, 1).entry(1)).rejects.toMatchObject({ code: 'STATEMENT_UNKNOWN' });
  await grown.close();
  await growing.close();
});

test('knows of no checkpoint that holds more than it, however often it was saved since', async () => {
  const ledger = await whole.open();
  const [one, two, three] = oneOfEach(author, site);
  const save = async (entry: typeof one, time: number): Promise<string> => {
    await ledger.append([entry!]);
    const note = whole.cosigned(await ledger.checkpointNote(), time);
    await ledger.saveCosigned(note);
    return note;
  };
  const first = await save(one, 1_000_000_000);
  await save(two, 1_000_000_100);
  const again = whole.cosigned(await ledger.checkpointNote(), 1_000_000_200);
  await ledger.saveCosigned(again);
  const last = await save(three, 1_000_000_300);
  const latest = (from: Ledger, size: number): Promise<string | null> => pastLedger(from, size).latestCosigned();
  expect(await Promise.all([0, 1, 2, 3].map((size) => latest(ledger, size)))).toEqual([null, first, again, last]);
  expect(await pastLedger(ledger, 2).firstCosignedCovering(2)).toBeNull();
  expect(await pastLedger(ledger, 1).firstCosignedCovering(0)).toBe(first);
  await ledger.close();
});
