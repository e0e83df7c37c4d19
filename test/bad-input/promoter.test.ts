/** Bad input to the promoter's commands: a clear error with the next step, the right exit code, and nothing half-written. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { type Answer, commandWords, expectJson, ROOT, runJson, runProgram } from '../support/run.js';

let dir: string;
let lane: TestLane;
let release: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-bad-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.promote(release, 'dev');
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs a command that must fail so, and leave the log as long as it was. */
async function expectError(words: readonly string[], exit: number, code: string, message = /./): Promise<Answer['json']['error']> {
  const size = await logSize();
  const answer = await runJson('sealane', [...words, '--home', lane.home]);
  expect({ exit: answer.exit, code: answer.json?.error?.code }, answer.stdout + answer.stderr).toEqual({ exit, code });
  expect(answer.json.error.message).toMatch(message);
  expect(answer.json.error.hint).toMatch(/\w/);
  expect(answer.json.error.message).not.toMatch(/\n/);
  expect(answer.stderr).toMatch(new RegExp(`^sealane: error: .*\\(${code}\\)\\nsealane: hint: .+\\n`));
  expect(await logSize()).toBe(size);
  return answer.json.error;
}

async function logSize(): Promise<number> {
  return (await lane.sealane(['evidence', 'list', release])).statements.length;
}

const file = (name: string, text: string): string => {
  const full = path.join(dir, name);
  writeFileSync(full, text);
  return full;
};

describe('names and digests', () => {
  it('a digest that is none is 2', async () => {
    await expectError(['plan', 'sha256:abc', '--to', 'dev'], 2, 'DIGEST_MALFORMED');
  });

  it('a release that does not exist is 2', async () => {
    await expectError(['plan', `sha256:${'0'.repeat(64)}`, '--to', 'dev'], 2, 'RELEASE_UNKNOWN');
    await expectError(['plan', 'readings@9.9.9', '--to', 'dev'], 2, 'RELEASE_UNKNOWN');
  });

  it('an unknown stage is 2 and names those there are', async () => {
    await expectError(['plan', release, '--to', 'production'], 2, 'STAGE_UNKNOWN', /dev, edge-preprod, prod/);
  });

  it('an unknown command, an unknown flag and a missing argument are 2', async () => {
    await expectError(['promot', release], 2, 'USAGE');
    await expectError(['promote', release, '--to', 'prod', '--nope'], 2, 'USAGE', /--nope/);
    await expectError(['promote', '--to', 'prod'], 2, 'USAGE');
  });

  it('an image whose digest is not there is refused', async () => {
    const words = ['release', 'create', '--name', 'other', '--version', '1.0.0', '--key', 'author'];
    await expectError([...words, '--image', `app=oci:${path.join(dir, 'images', '1.0.0')}@sha256:${'0'.repeat(64)}`], 4, 'CONTENT_MISSING');
    await expectError([...words, '--image', 'app=oci:/nowhere'], 4, 'CONTENT_MISSING');
  });

  it('the same name and version with other bytes is 2', async () => {
    await expect(lane.release('1.0.0', { 'srv/other': 'bytes\n' })).rejects.toThrow(/expected exit 0, got 2[\s\S]*RELEASE_EXISTS/);
  });
});

describe('what others saw', () => {
  it.each([
    ['cut off', '{'],
    ['no JSON', 'kind: Receipt\n'],
    ['no statement', '{"name":"sealane"}'],
  ])('a file that is %s is 2 and named', async (_, text) => {
    await expectError(['audit', 'verify', '--seen', file('seen.json', text)], 2, 'CONFIG_INVALID', /^read \/.*\/seen\.json: /);
  });
});

describe('test reports', () => {
  const add = (name: string, text: string): readonly string[] => ['evidence', 'add', release, '--tests', file(name, text), '--key', 'lab'];

  it('an empty file is refused', async () => {
    await expectError(add('empty.xml', ''), 3, 'EVIDENCE_RESULT');
  });

  it('zero tests is refused', async () => {
    await expectError(add('zero.xml', '<testsuites><testsuite name="s" tests="0"/></testsuites>'), 3, 'EVIDENCE_RESULT');
  });

  it('all skipped is refused', async () => {
    await expectError(add('skipped.xml', '<testsuite name="s"><testcase name="a"><skipped/></testcase></testsuite>'), 3, 'EVIDENCE_RESULT');
  });

  it('a report that is cut off is refused', async () => {
    await expectError(add('cut.xml', '<testsuites><testsuite name="s"><testcase name="a"/>'), 3, 'EVIDENCE_RESULT');
  });

  it('a failed test never passes the gate', async () => {
    const failing = await lane.release('1.0.1');
    const report = file(
      'failed.xml',
      `<testsuite name="s">${[1, 2, 3, 4, 5].map((n) => `<testcase name="${n}"/>`).join('')}<testcase name="6"><failure/></testcase></testsuite>`,
    );
    await lane.sealane(['evidence', 'add', failing, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
    await lane.sealane(['evidence', 'add', failing, '--tests', report, '--key', 'lab']);
    const refused = await lane.sealane(['promote', failing, '--to', 'dev'], 3);
    expect(refused.decision).toBe('refused');
    expect((await lane.sealane(['channel', 'show', 'dev'])).groups).toMatchObject([{ release }]);
  });
});

describe('keys', () => {
  it('a key that is not there is 2', async () => {
    await expectError(['approve', release, '--to', 'prod', '--key', 'nobody'], 2, 'CONFIG_INVALID', /nobody/);
    const exported = await expectError(
      ['key', 'export', 'nobody'],
      2,
      'CONFIG_INVALID',
      /expected nobody\.pem or nobody\.pub\.pem .* got neither/,
    );
    expect(exported.hint).toContain('sealane key list');
    const given = await expectError(['approve', release, '--to', 'prod', '--key', 'env:NOBODY'], 2, 'CONFIG_INVALID', /env:NOBODY/);
    expect(given.hint).toContain('export NOBODY');
  });

  it('a key that others can read is 2', async () => {
    const { path: key } = await lane.sealane(['key', 'create', 'carol']);
    chmodSync(key, 0o644);
    await expectError(['approve', release, '--to', 'prod', '--key', 'carol'], 2, 'KEY_EXPOSED', /0600/);
  });

  it('a file that is no key is 2', async () => {
    await expectError(['approve', release, '--to', 'prod', '--key', `file:${file('no.pem', 'not a key\n')}`], 2, 'KEY_MALFORMED');
  });

  it('a lab’s key does not approve', async () => {
    await expectError(['approve', release, '--to', 'prod', '--key', 'lab'], 3, 'EVIDENCE_SIGNER', /alice, bob/);
  });

  it('example keys are refused in a lane that was not made from them', async () => {
    const home = path.join(dir, 'real');
    await expectJson('sealane', ['init', home]);
    cpSync(path.join(ROOT, 'keys-example', 'alice.pem'), path.join(home, 'keys', 'mallory.pem'));
    chmodSync(path.join(home, 'keys', 'mallory.pem'), 0o600);
    const used = await runJson('sealane', ['approve', 'readings@1.0.0', '--to', 'prod', '--key', 'mallory', '--home', home]);
    expect(used.exit).toBe(2);
    const other = path.join(dir, 'real-2');
    mkdirSync(path.join(other, 'keys'), { recursive: true, mode: 0o700 });
    cpSync(path.join(ROOT, 'keys-example', 'prod.pem'), path.join(other, 'keys', 'prod.pem'));
    const made = await runJson('sealane', ['init', other]);
    expect({ exit: made.exit, code: made.json.error.code }).toEqual({ exit: 2, code: 'KEY_EXAMPLE' });
    expect(existsSync(path.join(other, 'lane', 'trust', 'metadata', 'timestamp.json'))).toBe(false);
  });
});

describe('the pipeline file', () => {
  const init = async (text: string): Promise<Answer['json']> => {
    const home = mkdtempSync(path.join(dir, 'init-'));
    const pipeline = path.join(home, 'given.yaml');
    writeFileSync(pipeline, text);
    const answer = await runJson('sealane', ['init', path.join(home, 'home'), '--pipeline', pipeline]);
    expect(answer.exit).toBe(2);
    expect(existsSync(path.join(home, 'home'))).toBe(false);
    return answer.json.error;
  };
  const good = readFileSync(path.join(ROOT, 'pipelines', 'quickstart', 'pipeline.yaml'), 'utf8');

  it('malformed YAML is named by line and column', async () => {
    expect(await init('apiVersion: sealane/v1\nkind: [Pipeline\n')).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/given\.yaml:\d+:\d+: /),
    });
  });

  it('a key said twice is named', async () => {
    expect((await init(`${good}\nquorum: 2\n`)).message).toMatch(/given\.yaml:\d+:\d+: /);
  });

  it('an unknown gate is named by line and column', async () => {
    expect((await init(good.replace('use: provenance', 'use: provenence'))).message).toMatch(/given\.yaml:\d+:\d+: .*provenence/);
  });

  it('a stage out of a stage that comes later is named', async () => {
    expect((await init(good.replace('from: [dev]', 'from: [prod]'))).message).toMatch(/given\.yaml:\d+:\d+: .*above it/);
  });
});

describe('files that were handed over', () => {
  it('a statement that is none is 4, and the file is named', async () => {
    const { hint } = await expectError(['statement', 'add', file('no-statement.json', '{}')], 4, 'TRUST_MALFORMED', /no-statement\.json/);
    expect(hint).toMatch(/^check the file/);
  });

  it('an export that was cut off is named as one', async () => {
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const whole = path.join(dir, 'whole.tar');
    await lane.sealane(['audit', 'export', '--release', release, '--out', whole]);
    const cut = path.join(dir, 'cut.tar');
    writeFileSync(cut, readFileSync(whole).subarray(0, 5000));
    for (const export_ of [cut, file('empty.tar', '')])
      await expectError(['audit', 'check', export_, '--root', root], 4, 'EXPORT_MALFORMED', /(?:cut|empty)\.tar/);
  });

  it('evidence that is another kind of file is named, and the hint is about the file', async () => {
    const report = file('report.xml', '<testsuite name="s"><testcase classname="c" name="n"/></testsuite>');
    const add = ['evidence', 'add', release, '--key', 'lab'];
    for (const [words, exit, code] of [
      [[...add, '--tests', report, '--hardware', report], 2, 'JSON_MALFORMED'],
      [[...add, '--sbom', report], 2, 'JSON_MALFORMED'],
      [[...add, '--bundle', report], 4, 'TRUST_MALFORMED'],
    ] as const) {
      const { hint } = await expectError(words, exit, code, /^read .*report\.xml: /);
      expect(hint).toMatch(/^check the file: /);
    }
  });

  it('a root that is no TUF file is 4, and named', async () => {
    const root = file('no-root.json', '{}');
    await expectError(['explain', release, '--to', 'dev', '--lane', lane.lane, '--root', root], 4, 'TRUST_MALFORMED', /no-root\.json/);
  });

  it('a request that is none is 2, and named', async () => {
    await expectError(['site', 'certify', file('no-request.json', 'no')], 2, 'CERTIFICATE_REQUEST', /no-request\.json/);
  });

  it('a chain for a home that asked for none is 2, and the hint begins at the beginning', async () => {
    const { hint } = await expectError(['ca', 'install', file('chain.pem', 'no chain')], 2, 'AUTHORITY_MISSING');
    expect(hint).toContain('sealane ca request');
  });

  it('a lane that cannot be reached is 6, and the hint is not one for sites', async () => {
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    const words = ['explain', release, '--to', 'dev', '--lane', 'http://127.0.0.1:9', '--root', root];
    const { hint } = await expectError(words, 6, 'FETCH_FAILED');
    expect(hint).not.toContain('sealane-site');
  });
});

describe('parts of a release', () => {
  const create = (...parts: readonly string[]): readonly string[] => [
    ...['release', 'create', '--name', 'parts', '--version', '1.0.0', '--key', 'author'],
    ...parts,
  ];

  it('a device that never ends is 2, within bounds', async () => {
    await expectError(create('--firmware', '/dev/zero'), 2, 'FILE_TOO_LARGE', /at most 536870912 bytes/);
  });

  it('a folder for a file is 2, and the hint is about the path', async () => {
    expect((await expectError(create('--firmware', dir), 2, 'CONFIG_INVALID')).hint).toMatch(/^check the path/);
  });

  it('a folder that is not there or empty is refused, and the hint is not one for sites', async () => {
    const empty = path.join(dir, 'empty');
    mkdirSync(empty);
    for (const folder of [empty, path.join(dir, 'nowhere')])
      expect((await expectError(create('--files', folder), 4, 'CONTENT_MISSING')).hint).toMatch(/^check the path/);
  });

  it('a link to a folder is the folder', async () => {
    const [folder, link] = [path.join(dir, 'built'), path.join(dir, 'current')];
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'page'), 'hello\n');
    symlinkSync('built', link);
    const [{ release: plain }, { release: linked }] = [
      await lane.sealane(create('--files', folder)),
      await lane.sealane(create('--files', link)),
    ];
    expect(linked).toBe(plain);
  });
});

describe('text that people read', () => {
  it('a reason that would draw on a terminal, or has no end, is 2', async () => {
    for (const reason of ['red \u001b[31m', 'x'.repeat(2001)])
      for (const words of [
        ['freeze', 'prod'],
        ['revoke', release],
        ['approve', release, '--to', 'prod', '--key', 'alice'],
      ])
        await expectError([...words, '--reason', reason], 2, 'USAGE', /--reason/);
  });

  it('names of tests neither draw on a terminal nor forge a line of an answer', async () => {
    const hostile = await lane.release('1.0.2');
    const names = { name: 'case \u001b[2J\u202e', suite: 'suite \u001b]0;title\u0007\n  dev: PASSED' };
    const summary = { tests: 1, passed: 0, failed: 1, pending: 0, skipped: 0, other: 0, start: 1, stop: 2 };
    const report = { results: { tool: { name: 'tool' }, summary, tests: [{ ...names, status: 'failed', duration: 1 }] } };
    await lane.sealane(['evidence', 'add', hostile, '--tests', file('hostile.json', JSON.stringify(report)), '--key', 'lab']);
    for (const question of ['cases', 'trace', 'devices']) {
      const { stdout } = await runProgram(process.execPath, commandWords('sealane', ['audit', question, hostile, '--home', lane.home]));
      expect(stdout).toContain('suite ');
      // eslint-disable-next-line no-control-regex -- they are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|^ {2}dev: PASSED/m);
    }
  });
});

it('a folder where a file is expected is 2, whether it is read or written', async () => {
  const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
  const said = async (words: readonly string[]): Promise<string> => {
    const { exit, json } = await runJson('sealane', words);
    expect({ exit, message: json.error?.message }, words.join(' ')).toEqual({ exit: 2, message: expect.stringContaining('got a folder') });
    return json.error.code;
  };
  expect(await said(['audit', 'check', dir, '--root', root])).toBe('CONFIG_INVALID');
  expect(await said(['restore', dir, '--home', path.join(dir, 'restored')])).toBe('CONFIG_INVALID');
  expect(await said(['reject', release, '--to', 'prod', '--key', 'alice', '--reason', 'no', '--out', dir, '--home', lane.home])).toBe(
    'STATE_UNWRITABLE',
  );
});

it('the first word of a family leads to its help', async () => {
  for (const words of [['release'], ['release', 'creat']])
    expect((await runJson('sealane', words)).json.error.hint).toBe('run: sealane release --help');
  expect((await runJson('sealane', ['constructor'])).json.error.hint).toBe('run: sealane --help');
});

describe('the folder', () => {
  it('a home that is none is 2', async () => {
    const answer = await runJson('sealane', ['release', 'list', '--home', path.join(dir, 'nowhere')]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    expect(answer.json.error.hint).toMatch(/sealane init/);
  });

  it('a proposal that nobody made is 2, and the hint makes one', async () => {
    for (const words of [
      ['trust', 'show'],
      ['trust', 'sign', '--key', 'targets-1'],
      ['trust', 'publish'],
    ]) {
      const { hint } = await expectError(words, 2, 'CONFIG_INVALID', /expected an open proposal, got nothing/);
      expect(hint).toContain('sealane trust propose');
    }
  });

  it('a home whose ledger is gone is 8, and no empty one takes its place', async () => {
    const home = path.join(dir, 'gone');
    cpSync(lane.home, home, { recursive: true });
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(home, 'ledger', `ledger.sqlite${suffix}`), { force: true });
    const { exit, json } = await runJson('sealane', ['release', 'list', '--home', home]);
    expect({ exit, code: json.error.code }).toEqual({ exit: 8, code: 'LOG_RESTORED' });
    expect(existsSync(path.join(home, 'ledger', 'ledger.sqlite'))).toBe(false);
  });

  it('a home or a lane that is none is served to nobody', async () => {
    const serve = ['serve', '--listen', '127.0.0.1:0'];
    const home = await runJson('sealane', [...serve, '--home', path.join(dir, 'nowhere')]);
    expect({ exit: home.exit, code: home.json.error.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    const { hint } = await expectError([...serve, '--lane', path.join(dir, 'nowhere')], 2, 'CONFIG_INVALID', /serve the lane .*nowhere/);
    expect(hint).toContain('--lane DIR');
  });

  it('a second lane in one home is 2 and leaves the first', async () => {
    const before = readdirSync(path.join(lane.lane, 'trust', 'metadata'));
    await expectError(['init', lane.home], 2, 'LANE_EXISTS');
    expect(readdirSync(path.join(lane.lane, 'trust', 'metadata'))).toEqual(before);
  });
});

it('statements by hand are refused whole when one of them is not by a known key', async () => {
  const approval = path.join(dir, 'approval.json');
  await lane.sealane(['approve', release, '--to', 'prod', '--key', 'alice', '--out', approval]);
  const good = JSON.parse(readFileSync(approval, 'utf8')) as { verificationMaterial: { publicKey: { hint: string } } };
  const bad = { ...good, verificationMaterial: { publicKey: { hint: Buffer.alloc(32).toString('base64') } } };
  await expectError(['statement', 'add', file('both.json', JSON.stringify([good, bad]))], 3, 'EVIDENCE_SIGNER');
});

describe('a service that was named', () => {
  const SERVER = 'http://name:secret@127.0.0.1:9';

  it.each([
    ['audit', 'verify'],
    ['audit', 'trace', 'a@1'],
    ['audit', 'export', '--out', 'export.tar', '--release', 'a@1'],
    ['ledger', 'fsck'],
    ['release', 'list'],
    ['key', 'export', 'author'],
  ])('to %s %s is refused rather than answered from the home that is here', async (...words) => {
    const asked = await runJson('sealane', [...words, '--home', lane.home], { env: { SEALANE_SERVER: SERVER }, cwd: dir });
    expect({ exit: asked.exit, code: asked.json.error.code }).toEqual({ exit: 2, code: 'USAGE' });
    expect(asked.json.error.message).toBe('run on the files here: expected no service for this command, got SEALANE_SERVER');
    const { message } = await expectError([...words, '--server', SERVER], 2, 'USAGE');
    expect(message).toMatch(/expected no --server <url>, which is for release create, evidence add, /);
    expect(asked.stdout + message).not.toContain('secret');
    expect(existsSync(path.join(dir, 'export.tar'))).toBe(false);
  });

  it('matters not to what works on a file that is named', async () => {
    const copy = path.join(lane.home, 'ledger', 'ledger.sqlite');
    const { exit } = await runJson('sealane', ['ledger', 'fsck', '--file', copy], { env: { SEALANE_SERVER: SERVER } });
    expect(exit).toBe(0);
  });
});

it('a Node that is too old is named, by both programs', async () => {
  const old = file('old.cjs', "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } });\n");
  for (const program of ['sealane', 'sealane-site']) {
    const { exit, stdout, stderr } = await runProgram(process.execPath, ['-r', old, path.join(ROOT, 'bin', `${program}.mjs`), '--version']);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain(`${program}: error: start ${program}: expected Node 20.20 or later, got 18.20.8 (CONFIG_INVALID)`);
  }
});
