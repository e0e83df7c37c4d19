/** Roots of a lane against its log, where no promoter would have made them so. */
import { type Digest, sha256, type Signer } from '@sealane/core';
import { describeRoot, rootMetadata, ROOTS_LOGGED_MARK, rootStatement, signMetadata } from '@sealane/trust';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TIMES } from '../../../trust/src/testing/statement-lane.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { keys } from './keys.js';
import { rootProblems } from './root-problems.js';

let lane: LedgerLane;
let owners: readonly Signer[];

beforeEach(async () => {
  lane = new LedgerLane();
  owners = [lane.people.alice, lane.people.bob];
  lane.roots.push(await rootOf(1));
});
afterEach(() => lane.close());

/** Root metadata of a version; `expires` tells two of one version apart. */
async function rootOf(version: number, signers = owners, expiresAt = '2027-03-01T00:00:00Z'): Promise<Uint8Array> {
  const role = (threshold: number): object => ({ keys: owners.map(({ spki }) => spki), threshold });
  const roles = { root: role(2), targets: role(1), snapshot: role(1), timestamp: role(1) } as Parameters<typeof rootMetadata>[0]['roles'];
  return await signMetadata(rootMetadata({ version, expiresAt, roles, marks: { [ROOTS_LOGGED_MARK]: true } }), signers);
}

const OTHER = '2028-03-01T00:00:00Z';

/** Logs a root by the word of `by`, and puts its bytes where the lane has them. */
function log(bytes: Uint8Array, by: keyof LedgerLane['people'] = 'lab'): Digest {
  lane.blobs.set(sha256(bytes), bytes);
  return lane.sign(rootStatement(describeRoot(bytes)), lane.people[by]);
}

const problems = async (): Promise<readonly string[]> =>
  (await rootProblems(await lane.open())).map(({ key, actual }) => `${key} ${actual}`);

test('an entry is an entry, whoever made it: revoking a key hides no root', async () => {
  lane.roots.push(await rootOf(2));
  expect(await problems()).toEqual(['2 none: this root was made beside the log']);
  log(lane.roots[1]!, 'lab');
  expect(await problems()).toEqual([]);
});

test('an entry that owners did not sign makes no fork: nobody invents one', async () => {
  lane.roots.push(await rootOf(2));
  log(lane.roots[1]!);
  log(await rootOf(2, [lane.people.alice], OTHER));
  expect(await problems()).toEqual([]);
  lane.sign(rootStatement({ ...describeRoot(lane.roots[1]!), signed: sha256(new Uint8Array()) }), lane.people.lab);
  expect(await problems()).toEqual([]);
  const gone = await rootOf(2, owners, OTHER);
  log(gone);
  lane.blobs.delete(sha256(gone));
  expect(await problems()).toEqual([]);
  lane.blobs.set(sha256(gone), gone);
  expect(await problems()).toEqual([
    expect.stringMatching(/^2 two that owners signed, which is a fork: sha256:\w+ in entry 0, and sha256:\w+ in entry 3$/),
  ]);
});

test('two roots of the next version are a fork before one of them is published; one alone waits', async () => {
  log(await rootOf(2));
  expect(await problems()).toEqual([]);
  log(await rootOf(2, owners, OTHER));
  expect(await problems()).toEqual([expect.stringMatching(/^2 two that owners signed, which is a fork/)]);
});

test('the answer about keys names the roots that were known then, and proves their entries', async () => {
  lane.roots.push(await rootOf(2));
  lane.seal(TIMES.decided);
  log(lane.roots[1]!);
  lane.seal(TIMES.published);
  const now = await keys(await lane.open(), undefined);
  const ids = owners.map(({ keyId }) => keyId).sort();
  expect(now.answer.roots).toMatchObject([{ version: 2, signedBy: ids, logIndex: 0 }]);
  expect(now).toMatchObject({ complete: true, statements: [{ logIndex: 0 }] });
  expect((await keys(await lane.open(), undefined, { asOf: TIMES.decided })).answer.roots).toEqual([]);
  expect((await keys(await lane.open(), lane.people.lab.keyId)).answer.roots).toEqual([]);
});
