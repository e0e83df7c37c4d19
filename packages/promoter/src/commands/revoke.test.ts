/** A release is called back wherever it can be: a stage whose key is lost, locked or with a helper that is down keeps it running in no other. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicKeyOf } from '../signers/public-key.js';
import { publicPem } from '../signers/key-file.js';
import { type Answer, makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';

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

const keyFile = (name: string): string => path.join(lane.home, 'keys', name);
const revoke = (...words: readonly string[]): Promise<Answer> => lane.run(['revoke', release, '--reason', 'burns its host', ...words]);
const revokedIn = async (stage: string): Promise<readonly string[]> =>
  (await lane.sealane(['channel', 'show', stage])).revoked.map(({ release: each }: { readonly release: string }) => each);

describe.each([
  ['dev', 'prod'],
  ['prod', 'dev'],
])('without the key of %s', (away, other) => {
  beforeEach(() => {
    renameSync(keyFile(`${away}.pem`), path.join(lane.dir, 'away.pem'));
  });

  it(`sites of ${other} hear of it all the same, and it is said who does not`, async () => {
    const { exit, json } = await revoke();
    expect({ exit, json }).toMatchObject({
      exit: 5,
      json: {
        statements: [{ logIndex: expect.any(Number) as number }],
        left: [{ stage: away, why: expect.stringMatching(/^sign as stage/) as string }],
      },
    });
    expect([await revokedIn(away), await revokedIn(other)]).toEqual([[], [release]]);
    // no stage takes it any more, whether its own channel says so or not
    for (const stage of [away, other])
      expect((await lane.sealane(['plan', release, '--to', stage], 3)).checks).toContainEqual(
        expect.objectContaining({ id: 'revoked', code: 'RELEASE_REVOKED' }),
      );
  });

  it('with the key again, and said again, all hear of it', async () => {
    await revoke();
    renameSync(path.join(lane.dir, 'away.pem'), keyFile(`${away}.pem`));
    const { exit, json } = await revoke();
    expect({ exit, left: json.left }).toEqual({ exit: 0, left: undefined });
    expect([await revokedIn(away), await revokedIn(other)]).toEqual([[release], [release]]);
  });
});

it('with a helper that has the key and signs nothing it is the same', async () => {
  const pem = readFileSync(keyFile('dev.pem'), 'utf8');
  renameSync(keyFile('dev.pem'), path.join(lane.dir, 'away.pem'));
  const spki = publicKeyOf(pem, 'dev');
  const helper = lane.file(
    'helper.cjs',
    `const { request } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
if (request !== 'public-key') process.exit(1);
console.log(JSON.stringify({ publicKey: ${JSON.stringify(publicPem(spki))} }));
`,
  );
  writeFileSync(keyFile('dev.keyref'), `exec:${process.execPath} ${helper}\n${publicPem(spki)}`, { mode: 0o600 });
  expect(await revoke()).toMatchObject({
    exit: 5,
    json: { left: [{ stage: 'dev', why: expect.stringContaining('run key helper') as string }] },
  });
  expect(await revokedIn('prod')).toEqual([release]);
});

it('a floor above it is the last stage’s to raise: without its key nothing is said', async () => {
  renameSync(keyFile('prod.pem'), path.join(lane.dir, 'away.pem'));
  const { exit, json } = await revoke('--floor');
  expect({ exit: exit === 0, code: json.error.code }).toEqual({ exit: false, code: 'KEY_NOT_NAMED' });
  expect(await revokedIn('dev')).toEqual([]);
});

it('without any key nothing is logged or published', async () => {
  for (const stage of ['dev', 'prod']) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(keyFile(`${stage}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  expect((await revoke()).json.error.code).toBe('KEY_NOT_NAMED');
  expect((await lane.sealane(['plan', release, '--to', 'dev'])).decision).toBe('passed');
});

it('whoever revokes is told of a stage that still names it, and what takes it elsewhere; of none, when none does', async () => {
  const told = (): Promise<string> => lane.talkOf(['revoke', release, '--reason', 'burns its host']);
  expect(await told()).toContain('sealane channel rollback dev --reason TEXT');
  const second = await lane.release('1.1.0');
  await lane.sealane(['evidence', 'add', second, '--provenance', lane.file('second.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['promote', second, '--to', 'dev']);
  expect(await told()).toBe('');
});
