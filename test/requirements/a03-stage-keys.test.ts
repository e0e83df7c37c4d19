/**
 * Each stage has its own key and its quorum of people. Here prod's key is in a SoftHSM token, edge-preprod's with a helper program and dev's encrypted by
 * a passphrase, from the first day of the lane; people sign out of the environment and of an encrypted file. No plain private key of a stage is on disk.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageText } from '../docs/pages.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { type Answer, expectJson, ROOT, runJson } from '../support/run.js';
import { enrolSite, type TestSite, versionOnDisk } from '../support/site.js';
import { makeToken, SOFTHSM_PROGRAMS, type Token } from '../support/softhsm.js';

const programs = SOFTHSM_PROGRAMS.map(requireProgram);
const HELPER = /```sh\n(#!\/bin\/sh\n# usage: exec:[\s\S]*?)```/.exec(pageText('docs/keys.md'))?.[1] ?? '';
const PASSWORD = 'correct horse battery staple';

describe.skipIf(programs.includes(undefined))('the keys of stages (skipped without softhsm2-util and pkcs11-tool)', () => {
  let dir: string;
  let lane: TestLane;
  let site: TestSite;
  let release: string;
  let token: Token;
  let env: Readonly<Record<string, string>>;

  const run = (words: readonly string[], more: Readonly<Record<string, string>> = env): Promise<Answer> =>
    runJson('sealane', [...words, '--home', lane.home], { env: more });

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-a03-'));
    token = makeToken(path.join(dir, 'token'));
    token.generate('prod', '01');
    env = { ...token.env, COSIGN_PASSWORD: PASSWORD };
    const home = path.join(dir, 'home');
    mkdirSync(home, { recursive: true });
    const helper = path.join(dir, 'helper');
    writeFileSync(helper, HELPER, { mode: 0o700 });
    const [made] = [await expectJson('sealane', ['key', 'create', path.join(dir, 'service.pem')])];
    const create = (words: readonly string[]): Promise<unknown> =>
      expectJson('sealane', ['key', 'create', ...words, '--home', home], 0, { env });
    await create(['prod', '--held-by', token.uri('object=prod')]);
    await create(['edge-preprod', '--held-by', `exec:${helper} ${made.path}`]);
    await create(['dev', '--encrypt']);
    await create(['alice', '--encrypt']);
    // what every command of the lane needs to open its keys
    lane = await makeLane(dir, { env });
    site = await enrolSite(lane, path.join(dir, 'site'));
    release = await lane.release('1.0.0');
    await lane.evidence(release);
  });

  afterAll(async () => {
    await site.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('A3 no private key of a stage is a plain file', async () => {
    const stages = ['dev', 'edge-preprod', 'prod'];
    const { keys } = await lane.sealane(['key', 'list']);
    const kept = (name: string): unknown =>
      (keys as { names: string[]; keptIn: string[] }[]).find(({ names }) => names.includes(name))?.keptIn;
    expect(stages.map(kept)).toEqual([['encrypted file'], ['elsewhere'], ['elsewhere']]);
    for (const name of readdirSync(path.join(lane.home, 'keys')).filter((file) => stages.some((stage) => file.startsWith(stage))))
      expect(readFileSync(path.join(lane.home, 'keys', name), 'utf8')).not.toMatch(/BEGIN (EC )?PRIVATE KEY/);
  });

  test('A3 a stage is promoted into by its own key only, and waits for its own quorum', async () => {
    await lane.sealane(['promote', release, '--to', 'dev']);
    await lane.sealane(['promote', release, '--to', 'edge-preprod']);
    // prod asks for two people; dev's key is nobody's approval there
    await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice']);
    expect((await run(['approve', release, '--to', 'prod', '--key', 'dev'])).json.error.code).toBe('EVIDENCE_SIGNER');
    expect((await lane.sealane(['promote', release, '--to', 'prod'], 5)).decision).toBe('pending');
    const bob = readFileSync(path.join(lane.home, 'keys', 'bob.pem'), 'utf8');
    expect((await run(['approve', release, '--to', 'prod', '--key', 'env:BOB'], { ...env, BOB: bob })).exit).toBe(0);
    await lane.sealane(['promote', release, '--to', 'prod']);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
  });

  test('A3 without passphrase, PIN or helper nothing is decided or published', async () => {
    const before = readdirSync(path.join(lane.lane, 'trust', 'metadata')).length;
    const next = await lane.release('1.1.0');
    await lane.evidence(next);
    const locked = await run(['promote', next, '--to', 'dev'], { ...env, COSIGN_PASSWORD: 'hunter2' });
    expect(locked.json.error.code).toBe('KEY_LOCKED');
    expect(readdirSync(path.join(lane.lane, 'trust', 'metadata'))).toHaveLength(before);
    await lane.sealane(['promote', next, '--to', 'dev']);
    writeFileSync(token.pinFile, '9999\n');
    expect((await run(['channel', 'hold', 'prod', '--reason', 'drill'])).json.error.code).toBe('KEY_LOCKED');
    writeFileSync(token.pinFile, `${token.pin}\n`);
    expect((await lane.sealane(['channel', 'show', 'prod'])).held).toEqual([]);
    rmSync(path.join(dir, 'service.pem'));
    expect((await run(['promote', next, '--to', 'edge-preprod'])).json.error.code).toBe('KEY_UNAVAILABLE');
    expect((await lane.sealane(['channel', 'show', 'edge-preprod'])).groups).toEqual([expect.objectContaining({ release })]);
  });

  test('A3 a key of dev is worthless in prod: a prod lane takes neither its channel nor its decision', async () => {
    // the reference of prod is replaced by dev's: the key behind it is not the one that the owners delegated to
    const kept = path.join(lane.home, 'keys', 'prod.keyref');
    const aside = path.join(dir, 'prod.keyref');
    cpSync(kept, aside);
    const pem = path.join(lane.home, 'keys', 'prod.pem');
    cpSync(path.join(ROOT, 'keys-example', 'dev.pem'), pem);
    rmSync(kept);
    const next = await lane.release('1.2.0');
    const { size } = await lane.sealane(['ledger', 'fsck']);
    for (const words of [
      ['channel', 'hold', 'prod', '--reason', 'drill'],
      ['promote', release, '--to', 'prod'],
      ['promote', next, '--to', 'prod'],
    ])
      expect({ words, code: (await run(words)).json.error?.code }).toEqual({ words, code: 'KEY_NOT_NAMED' });
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ size });
    expect(size).toEqual(expect.any(Number));
    rmSync(pem);
    cpSync(aside, kept);
    expect((await run(['channel', 'hold', 'prod', '--reason', 'drill'])).exit).toBe(0);
  });
});
