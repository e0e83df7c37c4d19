/** Row D9: a backup restores on an empty machine with every entry that was acknowledged, is refused when it was touched, and leads to no fork. */
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { canonicalJson, sha256 } from '@sealane/core';
import { DEFAULT_UNPACK_LIMITS, packedFile, packTar, readTar } from '@sealane/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { postgresPrograms, startPostgres } from '../support/postgres.js';
import { commandWords, expectJson, runJson, runProgram } from '../support/run.js';
import { enrolSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let release: string;
let backup: string;
let made: { size: number; digest: string };

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d9-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release);
  backup = path.join(dir, 'backup.tar');
  made = await lane.sealane(['backup', '--out', backup]);
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A folder that is not there yet, alone in one of its own. */
const nowhere = (): string => path.join(mkdtempSync(path.join(dir, 'machine-')), 'home');

const refusal = async (words: readonly string[]): Promise<unknown> => {
  const { exit, json } = await runJson('sealane', words);
  return { exit, code: json.error?.code };
};

/** The backup with some of its entries changed, dropped or added. */
async function rewritten(change: (name: string, bytes: Uint8Array) => readonly (readonly [string, Uint8Array])[]): Promise<string> {
  const entries: (readonly [string, Uint8Array])[] = [];
  for await (const entry of readTar(createReadStream(backup), DEFAULT_UNPACK_LIMITS)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content) chunks.push(new Uint8Array(chunk));
    entries.push(...change(entry.name, new Uint8Array(Buffer.concat(chunks))));
  }
  const file = path.join(mkdtempSync(path.join(dir, 'bent-')), 'backup.tar');
  const tar: Uint8Array[] = [];
  for await (const chunk of packTar(entries.map(([name, bytes]) => packedFile(name, bytes)))) tar.push(new Uint8Array(chunk));
  writeFileSync(file, Buffer.concat(tar));
  return file;
}

/** The backup's bytes, changed. */
function bent(change: (bytes: Buffer) => Uint8Array): string {
  const file = path.join(mkdtempSync(path.join(dir, 'bent-')), 'backup.tar');
  writeFileSync(file, change(readFileSync(backup)));
  return file;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const asText =
  (wanted: string, change: (words: string) => string) =>
  (name: string, bytes: Uint8Array): [string, Uint8Array][] => [[name, name === wanted ? Buffer.from(change(text(bytes))) : bytes]];

describe('D9 a backup that is not what was written is refused, and nothing is laid down', () => {
  it('D9 with the digest that was kept apart no other file is restored, however well it is made', async () => {
    const other = await rewritten(asText('backup.json', (words) => words.replace(/"madeAt":"[^"]*"/, '"madeAt":"2020-01-01T00:00:00Z"')));
    const longer = bent((bytes) => Buffer.concat([bytes, new Uint8Array(512)]));
    for (const file of [other, longer]) {
      const home = nowhere();
      expect(await refusal(['restore', file, '--digest', made.digest, '--home', home])).toEqual({ exit: 4, code: 'BACKUP_MALFORMED' });
      expect(readdirSync(path.dirname(home))).toEqual([]);
    }
    expect(await expectJson('sealane', ['restore', other, '--home', nowhere()])).toMatchObject({ madeAt: '2020-01-01T00:00:00Z' });
    expect(await expectJson('sealane', ['restore', backup, '--digest', made.digest, '--home', nowhere()])).toMatchObject({
      size: made.size,
    });
  });

  it('is taken as it is', async () => {
    const same = await rewritten((name, bytes) => [[name, bytes]]);
    expect(readFileSync(same).equals(readFileSync(backup))).toBe(true);
  });

  it.each<readonly [string, () => string | Promise<string>]>([
    [
      'one byte flipped in the ledger',
      () => rewritten((name, bytes) => [[name, name === 'ledger/ledger.sqlite' ? bytes.with(5000, (bytes[5000] ?? 0) ^ 1) : bytes]]),
    ],
    ['one byte flipped in the manifest', () => rewritten(asText('backup.json', (words) => words.replace('"size":', '"sizf":')))],
    ['one byte flipped in the middle', () => bent((bytes) => bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 1))],
    ['a last file that is missing', () => rewritten((name, bytes) => (name === 'pipeline.yaml' ? [] : [[name, bytes]]))],
    ['a file that is missing', () => rewritten((name, bytes) => (name === 'log.vkey' ? [] : [[name, bytes]]))],
    ['a file too many', () => rewritten((name, bytes) => [[name, bytes], ...(name === 'log.vkey' ? [['log.wkey', bytes] as const] : [])])],
    ['no manifest', () => rewritten((name, bytes) => (name === 'backup.json' ? [] : [[name, bytes]]))],
    ['a tar that is cut', () => bent((bytes) => bytes.subarray(0, bytes.length >> 1))],
    ['a tar without its end', () => bent((bytes) => bytes.subarray(0, bytes.length - 1024))],
    ['bytes after its end', () => bent((bytes) => Buffer.concat([bytes, bytes]))],
    ['a path that leads out', () => bent((bytes) => Buffer.from(bytes.toString('latin1').replaceAll('log.vkey', '../.vkey'), 'latin1'))],
    [
      'a manifest that names a path that leads out',
      () => rewritten(asText('backup.json', (words) => words.replace('"log.vkey"', '"lane/log/../../x"'))),
    ],
    ['an empty file', () => bent(() => new Uint8Array(0))],
  ])('%s', async (_, make) => {
    const home = nowhere();
    expect(await refusal(['restore', await make(), '--home', home])).toEqual({ exit: 4, code: 'BACKUP_MALFORMED' });
    expect(readdirSync(path.dirname(home))).toEqual([]);
  });

  it('and so is one whose ledger was edited by somebody who wrote a manifest to it', async () => {
    const edited = path.join(mkdtempSync(path.join(dir, 'edited-')), 'ledger.sqlite');
    await rewritten((name, bytes) => {
      if (name === 'ledger/ledger.sqlite') writeFileSync(edited, bytes);
      return [];
    });
    const database = new Database(edited);
    const kept = database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'envelope_kept'").pluck().get() as string;
    database.exec(`DROP TRIGGER envelope_kept; DELETE FROM envelope WHERE idx = 2; ${kept}`);
    database.close();
    const ledger = readFileSync(edited);
    const file = await rewritten((name, bytes) => {
      if (name === 'ledger/ledger.sqlite') return [[name, ledger]];
      if (name !== 'backup.json') return [[name, bytes]];
      const manifest = JSON.parse(text(bytes));
      const files = manifest.files.map((each: { name: string }) =>
        each.name === 'ledger/ledger.sqlite' ? { name: each.name, size: ledger.length, digest: sha256(ledger) } : each,
      );
      return [[name, canonicalJson({ ...manifest, files })]];
    });
    const home = nowhere();
    expect(await refusal(['restore', file, '--home', home])).toEqual({ exit: 4, code: 'LEDGER_DAMAGED' });
    expect(readdirSync(path.dirname(home))).toEqual([]);
  });
});

describe('D9 a backup', () => {
  it('replaces no file, and is restored over no home', async () => {
    const before = readFileSync(backup);
    expect(await refusal(['backup', '--out', backup, '--home', lane.home])).toEqual({ exit: 2, code: 'USAGE' });
    // the mount point of a disk that is not there
    const unmounted = path.join(dir, 'unmounted', 'backup.tar');
    expect(await refusal(['backup', '--out', unmounted, '--home', lane.home])).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    expect(existsSync(path.dirname(unmounted))).toBe(false);
    expect(readFileSync(backup).equals(before)).toBe(true);
    const files = readdirSync(lane.home);
    expect(await refusal(['restore', backup, '--home', lane.home])).toEqual({ exit: 2, code: 'USAGE' });
    expect(readdirSync(lane.home)).toEqual(files);
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is restored in the place of no link and no mount point, and says so before it lays anything down', async () => {
    const machine = mkdtempSync(path.join(dir, 'machine-'));
    const [link, mount] = [path.join(machine, 'link'), path.join(machine, 'mount')];
    symlinkSync(mkdtempSync(path.join(dir, 'elsewhere-')), link);
    mkdirSync(mount);
    const words = commandWords('sealane', ['restore', backup, '--json', '--home']);
    const onLink = await runProgram(process.execPath, [...words, link]);
    const told = [onLink];
    // a disk that was mounted there, for a process of its own
    if (process.getuid?.() === 0) {
      const script = 'mount -t tmpfs none "$1" && shift && exec "$@"';
      told.push(await runProgram('unshare', ['-m', 'sh', '-c', script, 'sh', mount, process.execPath, ...words, mount]));
    }
    for (const { exit, stdout } of told) {
      expect({ exit, error: JSON.parse(stdout).error }).toMatchObject({
        exit: 2,
        error: { code: 'USAGE', hint: expect.stringContaining('name a folder in it') },
      });
    }
    expect(readdirSync(machine)).toEqual(['link', 'mount']);
  });

  it('takes no private key as plain text: it is refused, or leaves out all of them and names each', async () => {
    const home = path.join(mkdtempSync(path.join(dir, 'copy-')), 'home');
    cpSync(lane.home, home, { recursive: true });
    await expectJson('sealane', ['key', 'create', 'sealed', '--encrypt', '--home', home], 0, { env: { COSIGN_PASSWORD: 'correct horse' } });
    const out = path.join(dir, 'sealed.tar');
    expect(await expectJson('sealane', ['backup', '--out', out, '--home', home])).toMatchObject({ leftOut: [] });
    expect(readFileSync(out).includes('ENCRYPTED SIGSTORE PRIVATE KEY')).toBe(true);
    await expectJson('sealane', ['key', 'create', 'plain', '--home', home]);
    const refused = path.join(dir, 'refused.tar');
    const answer = await runJson('sealane', ['backup', '--out', refused, '--home', home]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'KEY_UNSEALED' });
    expect(answer.json.error.message).toMatch(/keys\/plain\.pem/);
    expect(existsSync(refused)).toBe(false);
    const without = await expectJson('sealane', ['backup', '--out', refused, '--without-keys', '--home', home]);
    expect(without.leftOut).toEqual(expect.arrayContaining(['keys/plain.pem', 'keys/sealed.pem', 'keys/log.pem', 'owners/root-1.pem']));
    expect(readFileSync(refused).includes('PRIVATE KEY')).toBe(false);
    const restored = await expectJson('sealane', ['restore', refused, '--home', nowhere()]);
    expect(restored.leftOut).toEqual(without.leftOut);
  });

  it('is whole while a promoter goes on, and once restored refuses to fork what was published since', async () => {
    const { size } = made;
    const next = await lane.release('1.1.0');
    const [during] = await Promise.all([lane.sealane(['backup', '--out', path.join(dir, 'during.tar')]), lane.promote(next)]);
    expect(during.size).toBeGreaterThan(size);
    const [old, recent] = [nowhere(), nowhere()];
    const behind = await expectJson('sealane', ['restore', backup, '--home', old, '--lane', lane.lane]);
    expect(behind).toMatchObject({ size, published: { isAhead: true } });
    await expectJson('sealane', ['restore', path.join(dir, 'during.tar'), '--home', recent]);
    const words = ['revoke', release, '--reason', 'broken'];
    // by the lane that is published, and by the witness where that is lost
    expect(await refusal([...words, '--home', old, '--lane', lane.lane])).toEqual({ exit: 8, code: 'LOG_RESTORED' });
    expect(await refusal([...words, '--home', recent])).toEqual({ exit: 8, code: 'LOG_RESTORED' });
  });

  it('restores on an empty machine: every acknowledged entry is there, and the lane goes on from it', async () => {
    const file = path.join(dir, 'last.tar');
    const last = await lane.sealane(['backup', '--out', file]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(last.digest).toBe(sha256(readFileSync(file)));
    const home = nowhere();
    const restored = await expectJson('sealane', ['restore', file, '--home', home]);
    expect(restored).toMatchObject({
      home,
      origin: lane.origin,
      size: last.size,
      files: last.files,
      ledgerFrom: 'sqlite',
      published: null,
    });
    expect(Object.keys(restored.tookMs)).toEqual(['unpack', 'verify']);
    expect(readdirSync(path.dirname(home))).toEqual(['home']);
    for (const secret of ['ledger/ledger.sqlite', 'keys/prod.pem']) expect(statSync(path.join(home, secret)).mode & 0o077, secret).toBe(0);
    const there: TestLane = {
      ...lane,
      home,
      lane: path.join(home, 'lane'),
      sealane: (words, exit) => expectJson('sealane', [...words, '--home', home], exit),
    };
    expect((await there.sealane(['audit', 'verify'])).answer.ok).toBe(true);
    expect(await there.sealane(['evidence', 'list', release])).toEqual(await lane.sealane(['evidence', 'list', release]));
    // it signs with its own keys, and the same witness takes it: one history
    const fresh = await enrolSite(there, path.join(path.dirname(home), 'site'), { name: 'harbour-8' });
    expect((await fresh.must(['update'])).outcome).toBe('installed');
    await fresh.stop();
    expect(await refusal(['publish', '--home', lane.home])).toEqual({ exit: 8, code: 'LOG_RESTORED' });
  });
});

const programs = postgresPrograms();
describe.runIf(programs !== undefined)('D9 a ledger in PostgreSQL (skipped without initdb, postgres, pg_basebackup)', () => {
  it('is backed up too, and restored into SQLite', async () => {
    if (programs === undefined) return;
    const server = await startPostgres(programs);
    const folder = mkdtempSync(path.join(dir, 'postgres-'));
    const shared = await makeLane(folder, { database: (await server.createDatabase('lane')).json });
    try {
      const logged = await shared.release('1.0.0');
      const file = path.join(folder, 'backup.tar');
      const { size } = await shared.sealane(['backup', '--out', file]);
      const home = nowhere();
      const restored = await expectJson('sealane', ['restore', file, '--home', home]);
      expect(restored).toMatchObject({ size, ledgerFrom: 'postgresql' });
      expect((await expectJson('sealane', ['release', 'show', logged, '--home', home])).release).toBe(logged);
    } finally {
      await shared.stop();
      await server.remove();
    }
  });
});
