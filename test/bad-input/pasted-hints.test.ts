/** Next commands as they are printed, pasted into a shell, where folders and files have names with spaces, quotes and worse in them. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { commandWords, type Ended, type Executable, runProgram } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

/** What a shell would take apart, expand or run. */
const ODD = "O'Hara's stick & $(exit 9) *";

let dir: string;
let lane: TestLane;
let site: TestSite;
let release: string;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  dir = path.join(mkdtempSync(path.join(tmpdir(), 'sealane-pasted-')), ODD);
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'));
  release = await lane.release('1.0.0');
  await lane.promote(release);
  const bin = path.join(dir, 'bin');
  mkdirSync(bin);
  for (const program of ['sealane', 'sealane-site'] as const) {
    const words = [process.execPath, ...commandWords(program, [])].map((word) => JSON.stringify(word)).join(' ');
    writeFileSync(path.join(bin, program), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  // a list of folders for a shell can hold no quotes
  env = { PROGRAMS: bin, SEALANE_HOME: lane.home, SEALANE_CONFIG: site.config, SEALANE_STATE: site.state };
});
afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(path.dirname(dir), { recursive: true, force: true });
});

/** Runs a command as a person does; returns what it tells to run next. */
async function told(program: Executable, words: readonly string[]): Promise<string> {
  const { stderr } = await runProgram(process.execPath, commandWords(program, words), { cwd: dir, env });
  return /hint: .*?: ?((?:sealane(?:-site)?|chmod) .*)$/m.exec(stderr)?.[1] ?? `no command in: ${stderr}`;
}

/** Pastes a command into a shell, with what stands for its words in capitals. */
async function paste(command: string, given: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const line = Object.entries(given).reduce((text, [word, value]) => text.replace(new RegExp(` ${word}(?= |$)`), ` ${value}`), command);
  return await runProgram('bash', ['-c', `PATH="$PROGRAMS:$PATH"; ${line}`], { cwd: dir, env });
}

it('the request of a site, to the registrar', async () => {
  const command = await told('sealane-site', ['enroll', '--name', 'harbour-7', '--out', `${ODD}.json`]);
  expect(await paste(command, { STAGE: 'prod', REGISTRAR: 'registrar', RECORD: 'again.json' }), command).toMatchObject({ exit: 0 });
});

it('receipts, to the log', async () => {
  expect((await site.must(['update'])).outcome).toBe('installed');
  const command = await told('sealane-site', ['receipt', 'export', path.join(dir, `receipts of ${ODD}`)]);
  const { exit, stdout } = await paste(command);
  expect({ exit, stdout: stdout.includes('sha256:') }, command).toEqual({ exit: 0, stdout: true });
});

it('a request for an exception, to who may grant it', async () => {
  const words = ['--kind', 'stale', '--release', release, '--reason', 'no link', '--out', `${ODD}.asks`];
  const command = await told('sealane-site', ['exception', 'request', ...words]);
  expect(await paste(command, { PERSON: 'alice', TEXT: 'granted' }), command).toMatchObject({ exit: 0, stderr: '' });
});

it('a key that others can read', async () => {
  const key = path.join(site.state, 'site.pem');
  chmodSync(key, 0o644);
  const command = await told('sealane-site', ['update']);
  expect(await paste(command), command).toMatchObject({ exit: 0 });
  expect(statSync(key).mode & 0o777).toBe(0o600);
});

it('a proposal, to the owners', async () => {
  const file = path.join(lane.home, 'pipeline.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^registrar: .*$/m, 'registrar: [registrar, alice]'));
  const command = await told('sealane', ['trust', 'propose']);
  const { exit, stdout } = await paste(command, { KEY: 'file:"$SEALANE_HOME/owners"/targets-1.pem' });
  expect({ exit, stdout }, command).toEqual({ exit: 0, stdout: expect.stringContaining('targets: signed by 1 owner') });
});
