/** Row D1: a program that has nothing of ours reads the published log, proves what is in it, and is the witness of a whole lane. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testHome } from '../../packages/ledger/src/testing/open.js';
import { numbered, testKey } from '../../packages/ledger/src/testing/statements.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, runJson, runProgram, type Server, startListening } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const program = requireProgram('foreign-tlog');
const QUICKSTART_WITNESS = /witness\.example\+\S+[0-9A-Za-z+/=]/;

describe.skipIf(program === undefined)('D1 another implementation (skipped without foreign-tlog)', () => {
  let dir: string;
  let witness: Server;
  let lane: TestLane;
  let site: TestSite;
  let first: string;
  let kept: string;
  /** The ledger's folder as it was at first. */
  let early: string;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-d1-foreign-'));
    witness = await startListening(program ?? '', ['witness', 'other.example', path.join(dir, 'home', 'log.vkey')]);
    lane = await makeLane(dir, {
      pipeline: (text) => text.replace(QUICKSTART_WITNESS, witness.vkey ?? '').replace('http://127.0.0.1:8791', witness.url),
    });
    first = await lane.release('1.0.0');
    early = path.join(dir, 'early');
    cpSync(path.join(lane.home, 'ledger'), early, { recursive: true });
    await lane.promote(first);
    kept = path.join(dir, 'kept.checkpoint');
    cpSync(path.join(lane.lane, 'log', 'checkpoint'), kept);
    site = await enrolSite(lane, path.join(dir, 'site'));
  });

  afterAll(async () => {
    await site.stop();
    await lane.stop();
    await witness.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const verify = (log: string, older = kept): Promise<Ended> =>
    runProgram(program ?? '', ['verify', log, path.join(lane.home, 'log.vkey'), older]);

  it('D1 cosigns what the promoter logs, and a site that trusts no other witness installs it', async () => {
    const checkpoint = readFileSync(path.join(lane.lane, 'log', 'checkpoint'), 'utf8');
    expect(checkpoint).toMatch(/^— other\.example /m);
    expect(checkpoint).not.toMatch(/^— witness\.example /m);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
  });

  it('D1 proves each entry of the published tiles, and that they extend a checkpoint that was kept', async () => {
    await lane.promote(await lane.release('1.1.0'), 'dev');
    await lane.sealane(['publish', '--refresh']);
    const { exit, stdout, stderr } = await verify(path.join(lane.lane, 'log'));
    expect(stderr).toBe('');
    const size = Number(readFileSync(path.join(lane.lane, 'log', 'checkpoint'), 'utf8').split('\n')[1]);
    const old = Number(readFileSync(kept, 'utf8').split('\n')[1]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ origin: lane.origin, size, included: size, extendsOld: old });
    expect(size).toBeGreaterThan(old);
  });

  it.each(['tile', 'entries', 'checkpoint'])('D1 finds a changed byte in %s', async (what) => {
    const log = path.join(dir, `bent-${what}`);
    cpSync(path.join(lane.lane, 'log'), log, { recursive: true });
    const size = readFileSync(path.join(log, 'checkpoint'), 'utf8').split('\n')[1] ?? '';
    const name = { tile: `tile/0/000.p/${size}`, entries: `tile/entries/000.p/${size}`, checkpoint: 'checkpoint' }[what] ?? '';
    const bytes = readFileSync(path.join(log, name));
    bytes[Math.floor(bytes.length / 4)]! ^= 1;
    writeFileSync(path.join(log, name), bytes);
    const { exit, stdout } = await verify(log);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
  });

  it('D1 remembers more than a ledger that was restored without what lay beside it, which signs no fork', async () => {
    const home = path.join(dir, 'restored');
    cpSync(lane.home, home, { recursive: true, verbatimSymlinks: true });
    for (const name of readdirSync(path.join(home, 'ledger'))) rmSync(path.join(home, 'ledger', name));
    cpSync(early, path.join(home, 'ledger'), { recursive: true });
    rmSync(path.join(home, 'lane', 'log'), { recursive: true });
    const answer = await runJson('sealane', ['revoke', first, '--reason', 'broken', '--home', home]);
    expect({ exit: answer.exit, code: answer.json.error?.code }).toEqual({ exit: 8, code: 'LOG_RESTORED' });
  });
});

describe.skipIf(program === undefined)('D1 another implementation, of a log of several tiles (skipped without foreign-tlog)', () => {
  it('D1 proves each of 600 entries and a tree of 300', async () => {
    const home = testHome();
    const ledger = await home.open();
    try {
      const folder = (name: string): string => path.join(home.folder, name);
      writeFileSync(folder('log.vkey'), ledger.vkey);
      const key = testKey();
      const publish = async (name: string, from: number): Promise<void> => {
        await ledger.append(Array.from({ length: 300 }, (_, at) => numbered(key, from + at)));
        await ledger.saveCosigned(home.cosigned(await ledger.checkpointNote()));
        await ledger.publishTiles((files) => {
          for (const [file, bytes] of files) {
            mkdirSync(path.dirname(path.join(folder(name), file)), { recursive: true });
            writeFileSync(path.join(folder(name), file), bytes);
          }
          return Promise.resolve();
        });
      };
      await publish('old', 0);
      await publish('log', 300);
      const words = ['verify', folder('log'), folder('log.vkey'), path.join(folder('old'), 'checkpoint')];
      const { stdout, stderr } = await runProgram(program ?? '', words);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({ origin: ledger.origin, size: 600, included: 600, extendsOld: 300 });
    } finally {
      await ledger.close();
      await home.remove();
    }
  });
});
