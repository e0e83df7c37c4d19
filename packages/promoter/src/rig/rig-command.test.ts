/** The registrar of rigs signs for as long as it takes: nobody who publishes waits for that. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PREDICATE } from '@sealane/core';
import { expect, it } from 'vitest';
import { slowHelper } from '../testing/slow-helper.js';
import { makeHome } from '../testing/test-home.js';

it('rig revoke lets others publish and revoke while the registrar has still to touch the token that signs', async () => {
  const lane = await makeHome();
  try {
    const bad = await lane.release('0.9.0');
    const words = ['rig', 'revoke', '--serial', 'NR0001', '--reason', 'loose cable', '--key', slowHelper(lane, 'registrar')];
    const recalling = lane.run(words);
    await expect.poll(() => existsSync(path.join(lane.dir, 'asked'))).toBe(true);
    await lane.sealane(['revoke', bad, '--reason', 'burns its host']);
    writeFileSync(path.join(lane.dir, 'touched'), '');
    expect(await recalling).toMatchObject({ exit: 0, json: { statements: [{ predicateType: PREDICATE.recall }] } });
  } finally {
    await lane.stop();
  }
});

it('rig revoke by another than the registrar, or of no rig, signs and logs nothing', async () => {
  const lane = await makeHome();
  try {
    await lane.sealane(['publish', '--refresh']);
    const size = (): string => readFileSync(path.join(lane.home, 'lane', 'log', 'checkpoint'), 'utf8').split('\n')[1] ?? '';
    const before = size();
    const refused = async (key: string, code: string): Promise<void> => {
      const { json } = await lane.run(['rig', 'revoke', 'rig-1', '--reason', 'loose cable', '--key', key]);
      expect(json.error.code).toBe(code);
    };
    await refused('alice', 'EVIDENCE_SIGNER');
    await refused('registrar', 'EVIDENCE_RIG');
    await lane.sealane(['publish', '--refresh']);
    expect(size()).toBe(before);
  } finally {
    await lane.stop();
  }
});
