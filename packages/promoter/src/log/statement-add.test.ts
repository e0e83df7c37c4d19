/** Statements that are brought in one document are one act: all are in the log, or none, whatever happens on the way. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';

let lane: TestHome;
let release: string;

beforeEach(async () => {
  lane = await makeHome();
  release = await lane.release('1.0.0');
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['promote', release, '--to', 'dev']);
});

afterEach(async () => {
  await lane.stop();
});

/** The votes of these people in one document; `bend` changes each bundle. */
async function votes(people: readonly string[], bend = (bundle: string): string => bundle): Promise<string> {
  const bundles: string[] = [];
  for (const person of people) {
    const file = path.join(lane.dir, `${person}.json`);
    await lane.sealane(['approve', release, '--to', 'prod', '--key', person, '--out', file]);
    bundles.push(bend(readFileSync(file, 'utf8')));
  }
  return lane.file('votes.json', `[${bundles.join(',')}]`);
}

const count = async (): Promise<number> => (await lane.sealane(['evidence', 'list', release])).statements.length;

/** How often the ledger commits meanwhile. */
async function commitsIn(work: () => Promise<unknown>): Promise<number> {
  let commits = 0;
  const listen = (message: unknown): void => void (commits += (message as { readonly name: string }).name === 'ledger:committed' ? 1 : 0);
  subscribe('sealane:point', listen);
  await work();
  unsubscribe('sealane:point', listen);
  return commits;
}

it('are logged in one commit, each once', async () => {
  const file = await votes(['alice', 'bob', 'alice']);
  expect(await commitsIn(() => lane.sealane(['statement', 'add', file]))).toBe(1);
  const { answer } = await lane.sealane(['audit', 'trace', release]);
  expect((answer.approvals as { person: string }[]).map(({ person }) => person).sort()).toEqual(['alice', 'alice', 'bob']);
  const size = await count();
  const again = await lane.sealane(['statement', 'add', file]);
  expect(again.statements.map(({ predicateType }: { predicateType: string }) => predicateType)).toEqual(
    Array.from({ length: 3 }, () => 'urn:sealane:approval:v1'),
  );
  expect(await count()).toBe(size);
});

it('are not logged where one of them is not to be', async () => {
  const before = await count();
  const seen: string[] = [];
  // the last one has the signature of the first
  const file = await votes(['alice', 'bob'], (bundle) => {
    const [, signature = ''] = /"sig":"([^"]+)"/.exec(bundle) ?? [];
    seen.push(signature);
    return bundle.replace(signature, seen[0] ?? '');
  });
  expect((await lane.sealane(['statement', 'add', file], 4)).error.code).toBe('WAYBILL_SIGNATURE');
  expect(await count()).toBe(before);
});
