/** Bad input and bad conditions at a site: a clear error with the next step, the right exit code, and what runs goes on. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { commandWords, endOf, expectJson, runJson, runProgram } from '../support/run.js';
import { enrolSite, siteAt, type TestSite, versionOnDisk } from '../support/site.js';

let dir: string;
let lane: TestLane;
let base: string;
let upstream: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-bad-'));
  [base, upstream] = [path.join(dir, 'base'), path.join(dir, 'upstream')];
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0'));
  const site = await enrolSite(lane, base, { upstreams: [upstream] });
  cpSync(lane.lane, upstream, { recursive: true, verbatimSymlinks: true });
  expect((await site.must(['update'])).outcome).toBe('installed');
  await site.stop();
  await lane.promote(await lane.release('1.1.0'));
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A copy of the site and of the lane with 1.1.0, which it polls. */
function scene(): { site: TestSite; lane: string } {
  const scratch = mkdtempSync(path.join(dir, 'site-'));
  cpSync(base, scratch, { recursive: true, verbatimSymlinks: true });
  const copy = path.join(scratch, 'lane');
  cpSync(lane.lane, copy, { recursive: true, verbatimSymlinks: true });
  const site = siteAt(scratch);
  writeFileSync(site.config, readFileSync(site.config, 'utf8').replace(/^upstreams: .*$/m, `upstreams: ${JSON.stringify([copy])}`));
  return { site, lane: copy };
}

describe('site.yaml', () => {
  const bent: readonly (readonly [string, (text: string) => string])[] = [
    ['malformed YAML', (text) => text.replace('kind: Site', 'kind: [Site')],
    ['an unknown key', (text) => `${text}upstream: here\n`],
    ['a wrong type', (text) => text.replace(/^stage: prod$/m, 'stage: [prod]')],
    ['a key said twice', (text) => `${text}name: other\n`],
  ];

  it.each(bent)('%s is 2, with line and column', async (_name, bend) => {
    const { site } = scene();
    writeFileSync(site.config, bend(readFileSync(site.config, 'utf8')));
    const answer = await site.run(['update']);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    expect(answer.json.error.message).toMatch(/site\.yaml, line \d+, column \d+: /);
    expect(versionOnDisk(site.state)).toBe('1.0.0');
  });
});

describe('a site that is not enrolled', () => {
  it('is 2 and says how to enrol', async () => {
    const folder = path.join(dir, 'fresh');
    mkdirSync(folder);
    cpSync(path.join(base, 'site.yaml'), path.join(folder, 'site.yaml'));
    const answer = await siteAt(folder).run(['update']);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'NOT_ENROLLED' });
    expect(answer.json.error.hint).toMatch(/enroll/);
  });
});

describe('a site that has asked for its record', () => {
  it('is 2 and says how the record is taken in; a record that is not there is named', async () => {
    const { site } = scene();
    rmSync(site.state, { recursive: true });
    await site.must(['enroll', '--name', 'harbour-7', '--out', path.join(site.dir, 'request.json')]);
    const answer = await site.run(['update']);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'NOT_ENROLLED' });
    expect(answer.json.error.hint).toMatch(/sealane-site enroll --record RECORD --root ROOT$/);
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const record = path.join(site.dir, 'nowhere.json');
    const { exit, json } = await site.run(['enroll', '--record', record, '--root', root]);
    expect({ exit, message: json.error.message }).toEqual({ exit: 2, message: expect.stringContaining(record) });
  });
});

describe('enrolling', () => {
  it('again keeps the trust that is there, and refuses the root of another lane', async () => {
    const { site } = scene();
    const record = path.join(base, 'record.json');
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    expect(await site.must(['enroll', '--record', record, '--root', root])).toMatchObject({ site: 'harbour-7', rootVersion: 1 });
    const other = path.join(site.dir, 'other');
    await expectJson('sealane', ['init', other, '--pipeline', path.join(dir, 'pipeline.yaml'), '--example-keys']);
    const trust = readFileSync(path.join(site.state, 'trust.json'));
    const strange = path.join(other, 'lane', 'trust', 'metadata', '1.root.json');
    const answer = await site.run(['enroll', '--record', record, '--root', strange]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 3, code: 'SITE_MISMATCH' });
    expect(answer.json.error.message).toMatch(/another lane/);
    expect(readFileSync(path.join(site.state, 'trust.json'))).toEqual(trust);
  });

  it('under another name than the record’s nothing is looked for or written: no promoter would ever take that receipt', async () => {
    const { site } = scene();
    const kept = readFileSync(site.config, 'utf8');
    const before = readdirSync(site.state, { recursive: true }).sort();
    writeFileSync(site.config, kept.replace('name: harbour-7', 'name: harbour-8'));
    for (const verb of ['check', 'update', 'rollback', 'stop']) {
      const { exit, json } = await site.run([verb]);
      expect({ exit, ...json.error }, verb).toMatchObject({
        exit: 2,
        code: 'CONFIG_INVALID',
        message: `change this site: expected the name of its record in ${site.config}, harbour-7, got harbour-8`,
        hint: expect.stringMatching(/^write name: harbour-7 there; /),
      });
    }
    expect(readdirSync(site.state, { recursive: true }).sort()).toEqual(before);
    writeFileSync(site.config, kept);
    expect(await site.must(['check'])).toMatchObject({ outcome: 'available' });
  });

  it('where the key of the record was sealed makes no other one, and takes that one from who brings it', async () => {
    const { site } = scene();
    const words = ['enroll', '--name', 'harbour-7', '--out', path.join(site.dir, 'again.json')];
    const { keyId } = (await site.must(words)) as { keyId: string };
    const sealed = path.join(site.dir, 'credentials');
    mkdirSync(sealed);
    for (const name of ['site.pem', 'sealing.key']) renameSync(path.join(site.state, name), path.join(sealed, name));
    const refused = await site.run(words);
    expect({ exit: refused.exit, code: refused.json.error.code }).toEqual({ exit: 2, code: 'KEY_EXISTS' });
    expect(refused.json.error.message).toContain(keyId);
    expect(readdirSync(site.state)).not.toContain('site.pem');
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const env = { CREDENTIALS_DIRECTORY: sealed };
    expect((await site.run(words, { env })).json).toMatchObject({ keyId });
    const record = ['enroll', '--record', path.join(base, 'record.json'), '--root', root];
    expect((await site.run(record, { env })).json).toMatchObject({ keyId });
    renameSync(path.join(sealed, 'site.pem'), path.join(site.state, 'site.pem'));
    const other = await site.run(words);
    expect(other.json.error).toMatchObject({ code: 'KEY_EXISTS', message: expect.stringContaining('sealing key') });
    rmSync(path.join(site.state, 'record.json'));
    await site.must(words);
    expect(readdirSync(site.state)).toContain('sealing.key');
  });

  it('says the key that a registrar compares, and names a file that is not what was to be brought', async () => {
    const { site } = scene();
    rmSync(site.state, { recursive: true });
    const request = path.join(site.dir, 'request.json');
    const place = ['--config', site.config, '--state', site.state];
    const said = await runProgram(
      process.execPath,
      commandWords('sealane-site', ['enroll', '--name', 'harbour-7', '--out', request, ...place]),
    );
    const { keyId } = (await site.must(['enroll', '--name', 'harbour-7', '--out', request])) as { keyId: string };
    expect(said.stdout).toContain(`key ${keyId}`);
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    for (const [record, trusted, named] of [
      [request, root, request],
      [request, request, request],
    ] as const) {
      const answer = await site.run(['enroll', '--record', record, '--root', trusted]);
      expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 4, code: 'TRUST_MALFORMED' });
      expect(answer.json.error.message).toContain(named);
      expect(answer.json.error.hint).toMatch(/^check the file/);
    }
  });
});

describe('the disk', () => {
  const isRoot = process.getuid?.() === 0;

  it.skipIf(!isRoot)('that is full defers (5), keeps what runs, and installs when there is room (skipped without root)', async () => {
    const { site } = scene();
    const releases = path.join(site.state, 'releases');
    const kept = path.join(site.dir, 'kept');
    cpSync(releases, kept, { recursive: true, verbatimSymlinks: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', releases]);
    try {
      cpSync(kept, releases, { recursive: true, verbatimSymlinks: true });
      expect(await site.must(['update'], 5)).toMatchObject({ outcome: 'deferred', reason: 'DISK_SHORT' });
      expect(versionOnDisk(site.state)).toBe('1.0.0');
      execFileSync('mount', ['-o', 'remount,size=256m', releases]);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
      await site.stop();
    } finally {
      execFileSync('umount', [releases]);
    }
  });

  it.skipIf(!isRoot)('that is read-only is 2, and nothing changes (skipped without root)', async () => {
    const { site } = scene();
    execFileSync('mount', ['--bind', site.state, site.state]);
    execFileSync('mount', ['-o', 'remount,ro,bind', site.state]);
    try {
      const answer = await site.run(['update']);
      expect({ exit: answer.exit, code: answer.json.error.code }, answer.stderr).toEqual({ exit: 2, code: 'STATE_UNWRITABLE' });
    } finally {
      execFileSync('umount', [site.state]);
    }
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    await site.stop();
  });
});

describe('two updaters at once', () => {
  it('the second is told (5) and changes nothing', async () => {
    const { site } = scene();
    const words = ['update', '--config', site.config, '--state', site.state];
    const first = await standAt('update:probation', 'sealane-site', words, path.join(site.dir, 'standing'));
    const second = await site.run(['update']);
    expect({ exit: second.exit, code: second.json.error?.code }, second.stdout).toEqual({ exit: 5, code: 'UPDATER_BUSY' });
    expect((await first.goOn()).json.outcome).toBe('installed');
    await site.stop();
  });
});

describe('a file to write', () => {
  it('in a folder that is not there is 2, and names the folder', async () => {
    const { site } = scene();
    const missing = path.join(site.dir, 'not-mounted', 'out.json');
    for (const words of [
      ['inventory', '--out', missing],
      ['certificate', 'request', '--out', missing],
    ]) {
      const { exit, json } = await runJson('sealane-site', [...words, '--config', site.config, '--state', site.state]);
      expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
      expect(json.error.message).toContain(path.dirname(missing));
    }
  });
});

it('a folder where a file is to be written is 2, and nothing is left in it or beside it', async () => {
  const { site } = scene();
  const folder = path.join(site.dir, 'folder');
  mkdirSync(folder);
  for (const words of [
    ['inventory', '--out', folder],
    ['certificate', 'request', '--out', folder],
  ]) {
    const { exit, json } = await runJson('sealane-site', [...words, '--config', site.config, '--state', site.state]);
    expect({ exit, code: json.error.code, hint: json.error.hint }).toEqual({
      exit: 2,
      code: 'CONFIG_INVALID',
      hint: 'name a file: --out FILE',
    });
  }
  expect([...readdirSync(folder), ...readdirSync(site.dir).filter((name) => name.startsWith('folder.'))]).toEqual([]);
});

it('a file where a folder is expected is 2', async () => {
  const { site } = scene();
  for (const words of [
    ['receipt', 'export', site.config],
    ['inventory', '--root', site.config],
    ['inventory', '--root', path.join(site.dir, 'nowhere')],
  ]) {
    const { exit, json } = await runJson('sealane-site', [...words, '--config', site.config, '--state', site.state]);
    expect({ exit, message: json.error?.message }, words.join(' ')).toEqual({
      exit: 2,
      message: expect.stringContaining('expected a folder'),
    });
  }
});

describe('Ctrl-C', () => {
  it('in probation is 5, and the next command goes on', async () => {
    const { site } = scene();
    writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('"probationSeconds":0.2', '"probationSeconds":20'));
    const child = spawn(
      process.execPath,
      commandWords('sealane-site', ['update', '--json', '--config', site.config, '--state', site.state]),
    );
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    const ended = endOf(child);
    await expect.poll(async () => (await site.must(['status'])).state as string).toBe('probation');
    child.kill('SIGINT');
    const { exit } = await ended;
    expect({ exit, code: (JSON.parse(out) as { error?: { code: string } }).error?.code }).toEqual({
      exit: 5,
      code: 'INTERRUPTED',
    });
    writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('"probationSeconds":20', '"probationSeconds":0.2'));
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    expect(versionOnDisk(site.state)).toBe('1.1.0');
    await site.stop();
  });
});

describe('a lane that is half copied', () => {
  it('without the newest blobs is refused by name, and installs when they have come', async () => {
    const { site, lane: copy } = scene();
    rmSync(path.join(copy, 'content'), { recursive: true });
    cpSync(path.join(upstream, 'content'), path.join(copy, 'content'), { recursive: true, verbatimSymlinks: true });
    expect(await site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'CONTENT_MISSING' });
    cpSync(path.join(lane.lane, 'content'), path.join(copy, 'content'), { recursive: true, verbatimSymlinks: true });
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    await site.stop();
  });

  it('without its folder defers (6), and what runs goes on', async () => {
    const { site, lane: copy } = scene();
    rmSync(copy, { recursive: true });
    expect(await site.must(['update'], 6)).toMatchObject({ outcome: 'deferred', reason: 'FETCH_FAILED' });
    expect(versionOnDisk(site.state)).toBe('1.0.0');
  });
});

describe('a medium', () => {
  const told = async (site: TestSite, medium: string): Promise<string> => {
    const words = ['media', 'import', medium, '--config', site.config, '--state', site.state];
    const { stdout, stderr } = await runProgram(process.execPath, commandWords('sealane-site', words));
    return stdout + stderr;
  };

  it('that is none is 2, and says what was found there', async () => {
    const { site, lane: copy } = scene();
    const at = (...names: readonly string[]): string => path.join(site.dir, ...names);
    for (const folder of [at('empty'), at('pictures', '2025'), at('stick')]) mkdirSync(folder, { recursive: true });
    cpSync(copy, at('stick', 'lane'), { recursive: true, verbatimSymlinks: true });
    const found: readonly (readonly [string, RegExp])[] = [
      [at('nowhere'), /got nothing of the kind$/],
      [site.config, /got nothing of the kind$/],
      [at('empty'), /got an empty one$/],
      [at('pictures'), /got one with 2025 in it$/],
      [at('stick'), /got one in which lane is one$/],
    ];
    for (const [folder, message] of found) {
      const { exit, json } = await site.run(['media', 'import', folder]);
      expect({ exit, error: json.error }, folder).toEqual({
        exit: 2,
        error: {
          code: 'USAGE',
          message: expect.stringMatching(message),
          hint: expect.stringMatching(/^(check the path|name that folder)/),
        },
      });
    }
    rmSync(at('stick', 'lane', 'trust', 'metadata', 'timestamp.json'));
    const { exit, json } = await site.run(['media', 'import', at('stick', 'lane')]);
    expect({ exit, code: json.error.code, hint: json.error.hint }).toEqual({
      exit: 4,
      code: 'TRUST_MALFORMED',
      hint: expect.stringMatching(/before it was whole/),
    });
  });

  it('with nothing new on it says so, and one that brings orders without a file does not', async () => {
    const { site } = scene();
    const [one, two] = [path.join(site.dir, 'one'), path.join(site.dir, 'two')];
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', one]);
    expect(await site.must(['media', 'import', one])).toMatchObject({ imported: expect.any(Number), reason: null });
    expect(await site.must(['media', 'import', one])).toMatchObject({ imported: 0, reason: 'everything on it was here already' });
    expect(await told(site, one)).toMatch(/^nothing new: everything on it was here already[^]*hint: .*sealane-site status\n$/);
    await lane.sealane(['publish', '--refresh']);
    await lane.sealane(['media', 'export', '--stage', 'prod', '--out', two]);
    expect(await told(site, two)).toMatch(/^newer orders of the lane; [^]*hint: install what it brought: sealane-site update\n$/);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    await site.stop();
  });
});

describe('the site’s own files', () => {
  it('a key that others can read is 2', async () => {
    const { site } = scene();
    chmodSync(path.join(site.state, 'site.pem'), 0o644);
    const answer = await site.run(['update']);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'KEY_EXPOSED' });
  });

  it('a journal in which a record was edited is held (8) until a person has looked', async () => {
    const { site } = scene();
    const journal = path.join(site.state, 'journal');
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"1.0.0"', '"1.0.9"'));
    expect(await site.must(['update'], 8)).toMatchObject({ outcome: 'held', reason: 'STATE_CORRUPT' });
    await site.run(['doctor', '--mend']);
    await site.must(['unhold']);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    await site.stop();
  });

  it('a journal and the receipts beside it, both damaged, are mended: the damaged receipts are set aside', async () => {
    const { site } = scene();
    const [journal, receipts] = [path.join(site.state, 'journal'), path.join(site.state, 'receipts')];
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"1.0.0"', '"1.0.9"'));
    for (const name of readdirSync(receipts)) writeFileSync(path.join(receipts, name), '{"mediaType":');
    const before = readdirSync(receipts);
    await site.run(['doctor', '--mend']);
    await site.must(['unhold']);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    const left = readdirSync(receipts);
    for (const name of before) {
      expect(left).not.toContain(name);
      expect(left).toContainEqual(expect.stringContaining(`${name}.damaged-`));
    }
    await site.stop();
  });

  it('a receipt that rotted is set aside, and the update comes to its end', async () => {
    const { site } = scene();
    const receipts = path.join(site.state, 'receipts');
    const [rotted = '', ...others] = readdirSync(receipts).filter((name) => name.endsWith('.json'));
    writeFileSync(path.join(receipts, rotted), '{"mediaType":');
    const exported = await site.run(['receipt', 'export', path.join(site.dir, 'out')]);
    expect(exported.json.error).toMatchObject({ code: 'STATE_CORRUPT', message: expect.stringContaining(rotted) });
    const ended = await site.run(['update']);
    expect({ exit: ended.exit, said: ended.stderr }).toEqual({ exit: 0, said: expect.stringContaining('is damaged and lies in') });
    expect(readdirSync(receipts)).toContainEqual(expect.stringContaining(`${rotted}.damaged-`));
    // what was told since waits
    expect([others, (await site.must(['status'])).receiptsQueued]).toEqual([[], 1]);
    await site.stop();
  });

  it('trust state in which a version was edited is held (8)', async () => {
    const { site } = scene();
    const trust = path.join(site.state, 'trust.json');
    writeFileSync(trust, readFileSync(trust, 'utf8').replace(/"timestamp":\d+/, '"timestamp":0'));
    expect(await site.must(['update'], 8)).toMatchObject({ outcome: 'held', reason: 'STATE_CORRUPT' });
  });
});

it('a hold that has lapsed already, or says no reason, is 2: nobody is left to believe in it', async () => {
  const { site } = scene();
  for (const words of [
    ['--reason', 'crane', '--until', '2020-01-01T00:00:00Z'],
    ['--reason', ''],
    ['--reason', 'red \u001b[31m'],
  ]) {
    const answer = await site.run(['hold', ...words]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'USAGE' });
  }
  expect((await site.must(['status'])).state).toBe('idle');
});
