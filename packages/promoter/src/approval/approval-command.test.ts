/** A person signs for as long as it takes: nobody who publishes waits for that. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PREDICATE } from '@sealane/core';
import { expect, it } from 'vitest';
import { slowHelper } from '../testing/slow-helper.js';
import { makeHome, PROVENANCE } from '../testing/test-home.js';

it.each([
  ['logged', []],
  ['written to a file', ['--out', 'approval.json']],
])('approve lets others publish and revoke while its person has still to touch the token that signs: %s', async (_, words) => {
  const lane = await makeHome();
  try {
    const [release, bad] = [await lane.release('1.0.0'), await lane.release('0.9.0')];
    await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', PROVENANCE), '--key', 'builder']);
    await lane.sealane(['promote', release, '--to', 'dev']);
    const approving = lane.run(['approve', release, '--to', 'prod', '--key', slowHelper(lane, 'alice'), ...words]);
    await expect.poll(() => existsSync(path.join(lane.dir, 'asked'))).toBe(true);
    await lane.sealane(['revoke', bad, '--reason', 'burns its host']);
    writeFileSync(path.join(lane.dir, 'touched'), '');
    expect(await approving).toMatchObject({ exit: 0, json: { statements: [{ predicateType: PREDICATE.approval }] } });
    if (words.length > 0) await lane.sealane(['statement', 'add', path.join(lane.dir, 'approval.json')]);
    expect((await lane.sealane(['promote', release, '--to', 'prod'])).decision).toBe('passed');
  } finally {
    await lane.stop();
  }
});
