/** The README's first command: what it says and leaves behind; then the example of every command's help, run on a copy of that. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeMachine } from '../support/hardware.js';
import { type Ended, ROOT, runProgram, type Server, startServer } from '../support/run.js';

let dir: string;
let quickstart: string;
let told: Ended;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-quickstart-'));
  quickstart = path.join(dir, 'quickstart');
  // Node is all that it needs: no program is found by name
  const env = { PATH: path.join(dir, 'no-programs') };
  told = await runProgram(process.execPath, [path.join(ROOT, 'bin', 'quickstart.mjs'), '--dir', quickstart], { cwd: dir, env });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('the quickstart', () => {
  it('walks the whole lane and says so', () => {
    expect(told.exit, told.stdout + told.stderr).toBe(0);
    for (const part of [1, 2, 3, 4, 5, 6, 7, 8]) expect(told.stdout).toMatch(new RegExp(`^${part}\\. `, 'm'));
    const facts = [
      /edge-preprod says no \(exit 3\): hardware: /,
      /prod waits \(exit 5\): approvals: /,
      /1\.0\.0 is installed: \d+ checks passed offline; readings 1\.0\.0 answers/,
      /readings 1\.1\.0 answers/,
      /1\.2\.0 started and failed its health: rolled-back \(HEALTH_FAILED\)/,
      /rolled back by itself: readings 1\.1\.0 answers again/,
      /unchanged \(RELEASE_FAILED_HERE\)/,
      /the upstream is gone: deferred \(FETCH_FAILED\)/,
      /one byte flipped in content\/blobs\/sha256\/[0-9a-f]{64}: CONTENT_DIGEST/,
      /the true medium: installed; readings 1\.2\.1 answers/,
      /what runs at harbour-7\? readings 1\.2\.1/,
      /approved by: alice and bob/,
      /audit verify names entry 2/,
      /the ledger itself verifies/,
    ];
    for (const fact of facts) expect(told.stdout).toMatch(fact);
  });

  it('builds the same images on every machine', () => {
    const digests = [...told.stdout.matchAll(/readings 1\.\d\.\d {2}(sha256:[0-9a-f]{12})/g)].map(([, digest]) => digest);
    expect(new Set(digests).size).toBe(4);
  });

  it('prints no colours and no moving lines in a pipe', () => {
    for (const mark of ['\u001b', '\r']) expect(told.stdout).not.toContain(mark);
  });

  it('ends with five commands that work', async () => {
    const commands = told.stdout.split('\n').filter((line) => line.startsWith('  node bin/sealane'));
    expect(commands.length).toBe(5);
    for (const command of commands) {
      const runnable = command.replaceAll('bin/', `${ROOT}/bin/`);
      const { exit, stderr } = await runProgram('/bin/sh', ['-c', runnable], { cwd: dir });
      expect({ command, exit, stderr }).toEqual({ command, exit: 0, stderr: expect.not.stringMatching(/error/) });
    }
  });

  it.skipIf(!existsSync('/proc/self/cmdline'))('stops what it started (skipped where /proc does not tell what runs)', () => {
    expect(processesThatName(quickstart)).toEqual([]);
  });
});

/** The words of each process that names a folder. Out of /proc: a bare Debian has neither `ps` nor `pgrep`. */
function processesThatName(folder: string): readonly string[] {
  const wordsOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch (error) {
      // it has ended meanwhile
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
      throw error;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(wordsOf)
    .filter((words) => words.includes(folder));
}

const ENROL_RIG =
  'sealane-site enroll --name rig-1 --out request.json --config rig/site.yaml --state rig && sealane-site inventory --root rig/machine --devices rig/devices.cdx.json --out hardware.cdx.json && echo "image: golden-2026-11" > rig.yaml';
const MAKE_EXCEPTION =
  'sealane exception create --release readings@1.0.0 --to prod --gate soak --key alice --reason "fixes an outage" --home my-lane';
const ADD_RIG = `${ENROL_RIG} && sealane rig add request.json --template rig.yaml --hardware hardware.cdx.json --key registrar --home my-lane`;
const ASK_OWNERS =
  'sealane ca request --out site-ca.csr --home my-lane && sealane key create ca-root --home my-lane && cp my-lane/keys/ca-root.pem ca-root-key.pem';
const MAKE_CHAIN = `${ASK_OWNERS} && sealane ca sign site-ca.csr --origin lane.example --key file:ca-root-key.pem --root ca-root.pem --out chain.pem`;
const TRUST_CHAIN = `${MAKE_CHAIN} && sealane ca install chain.pem --home my-lane && sealane-site enroll --record site/record.json --root my-lane/lane/trust/metadata/1.root.json --site-ca ca-root.pem --config site/site.yaml --state site/state`;
const ASK_CERTIFICATE = `${TRUST_CHAIN} && sealane-site certificate request --out certificate-request.json --config site/site.yaml --state site/state`;
const ASK_EXCEPTION =
  'sealane-site exception request --kind stale --release "$(sealane release list --home my-lane | grep -o "sha256:[0-9a-f]*" | head -1)" --reason "the link is down" --out request.json --config site/site.yaml --state site/state && sealane exception create --request request.json --key alice --reason "the link is down" --home my-lane';

const DELEGATE =
  'sealane key create town --home town && sealane site delegate --site harbour-7 --to town/keys/town.pem --reason winter --key registrar --out delegation.json --home my-lane && sealane-site enroll --name harbour-7 --out request.json --state new/state';

/** Words of a shell before an example that needs something to be there; and its exit code where that is not 0. */
const BEFORE: Readonly<Record<string, string>> = {
  'trust show': 'sealane key rotate prod --home my-lane',
  'trust sign': 'sealane key rotate prod --home my-lane',
  'trust publish':
    'sealane key rotate prod --home my-lane; for k in targets-1 targets-2; do sealane trust sign my-lane/proposal.json --key $k --home my-lane; done',
  'audit policy': 'sealane key rotate prod --home my-lane',
  'statement add': 'sealane approve readings@1.0.0 --to prod --key alice --out approval.json --home my-lane',
  'evidence import': 'sealane evidence export readings@1.0.0 --out carried --home my-lane',
  'log anchor':
    'sealane evidence export readings@1.0.0 --out carried --home my-lane; cp my-lane/log.vkey other-log.vkey; sed -n "s/.*vkey: \'\\(.*\\)\'/\\1/p" my-lane/pipeline.yaml > other-witness.vkey',
  restore: 'sealane backup --out backup.tar --home my-lane',
  init: 'rm -r my-lane',
  enroll:
    'sed s/harbour-7/harbour-8/ site/site.yaml > site.yaml; sealane-site enroll --name harbour-8 --out request.json && sealane site add request.json --stage prod --key registrar --out record.json --home my-lane && cp my-lane/lane/trust/metadata/1.root.json .',
  'exception review': MAKE_EXCEPTION,
  'exception export': MAKE_EXCEPTION,
  'secret set': 'printf s3cret > password.txt',
  'exception send': ASK_EXCEPTION,
  'exception apply': `${ASK_EXCEPTION} && sealane exception export "$(sealane exception list --home my-lane | cut -d" " -f1)" --out exception.json --home my-lane`,
  'ca sign': ASK_OWNERS,
  'ca install': MAKE_CHAIN,
  'ca show': `${MAKE_CHAIN} && sealane ca install chain.pem --home my-lane`,
  'site certify': ASK_CERTIFICATE,
  'certificate install': `${ASK_CERTIFICATE} && sealane site certify certificate-request.json --out harbour-7.pem --home my-lane`,
  'rig add': ENROL_RIG,
  'rig rebuilt': ADD_RIG,
  'rig revoke': ADD_RIG,
  'site delegate': 'sealane key create town --home town && sealane key export town --home town > town.pub.pem',
  'site replace': `${DELEGATE} && cp town/keys/town.pem .`,
  render: `awk '/^\`\`\`yaml/{on=1;next} /^\`\`\`/{on=0} on' ${path.join(ROOT, 'docs/formats/site-template.md')} > town.yaml`,
  'ledger thaw': 'sealane ledger archive --before 10 --to oci:cold --home my-lane',
  erase:
    'sed "s/<testcase /<testcase  /" junit.xml > junit-2.xml && sealane evidence add readings@1.0.0 --tests junit-2.xml --key lab --home my-lane',
  'site add': 'sealane-site enroll --name harbour-9 --out request.json',
  'media import': 'sealane media export --stage prod --out medium --home my-lane',
  'audit check': 'sealane audit export --release readings@1.0.0 --out export.tar --home my-lane',
  start: 'sealane-site stop --config site/site.yaml --state site/state',
};
const EXITS: Readonly<Record<string, readonly number[]>> = {
  'key rotate': [5],
  'key revoke': [5],
  // no registry of that name
  'release copy': [6],
  'release import': [6],
  // the quickstart's upstream is gone
  check: [6],
  update: [6],
  'mirror sync': [6],
};
const SERVERS: readonly string[] = ['serve', 'witness serve', 'run', 'apply', 'fetch', 'mirror serve'];

const examples = (['sealane', 'sealane-site'] as const).flatMap((program) => {
  const help = JSON.parse(readFileSync(path.join(ROOT, 'dist', `${program}.help.json`), 'utf8')) as Record<string, { example: string }>;
  return Object.entries(help).map(([name, { example }]) => [name, example] as const);
});

describe('the example of each command’s help', () => {
  let bin: string;
  let count = 0;

  beforeAll(() => {
    bin = path.join(dir, 'bin');
    mkdirSync(bin);
    for (const program of ['sealane', 'sealane-site']) {
      writeFileSync(path.join(bin, program), `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/bin/${program}.mjs" "$@"\n`, { mode: 0o755 });
    }
  });

  /** A folder in which a newcomer would run it: the home under the name my-lane, the site, what evidence is made of; and a witness of its own. */
  async function folder(): Promise<{ readonly place: string; readonly witness: Server }> {
    const place = path.join(dir, `example-${(count += 1)}`);
    const copy = (from: readonly string[], to: string): void => {
      cpSync(path.join(quickstart, ...from), path.join(place, to), { recursive: true, verbatimSymlinks: true });
    };
    copy(['home'], 'my-lane');
    copy(['site'], 'site');
    copy(['witness'], 'its-witness');
    copy(['build', '1.0.0', 'test', 'junit.xml'], 'junit.xml');
    copy(['lab-hardware.cdx.json'], 'hardware.cdx.json');
    writeMachine(path.join(place, 'rig'), { serial: 'NR0001' });
    mkdirSync(path.join(place, 'public'));
    writeFileSync(path.join(place, 'public', 'index.html'), '<p>hello</p>\n');
    symlinkSync(quickstart, path.join(place, '.quickstart'));
    const log = readFileSync(path.join(place, 'my-lane', 'log.vkey'), 'utf8').trim();
    const witness = await startServer('sealane', [
      'witness',
      'serve',
      '--state',
      path.join(place, 'its-witness'),
      '--log',
      log,
      '--listen',
      '127.0.0.1:0',
    ]);
    const pipeline = path.join(place, 'my-lane', 'pipeline.yaml');
    writeFileSync(pipeline, readFileSync(pipeline, 'utf8').replace(/url: http:\/\/127\S+/, `url: ${witness.url}`));
    return { place, witness };
  }

  it.each(examples)('%s', async (name, example) => {
    const { place, witness } = await folder();
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    try {
      if (SERVERS.includes(name)) {
        expect(await endOfServer(example, place, env)).toBe(0);
        return;
      }
      const before = BEFORE[name] === undefined ? '' : `{ ${BEFORE[name]}; } > /dev/null 2>&1; `;
      const { exit, stdout, stderr } = await runProgram('/bin/sh', ['-c', `${before}set -e; ${example}`], { cwd: place, env });
      expect(EXITS[name] ?? [0], `${example}\n${stdout}${stderr}`).toContain(exit);
    } finally {
      await runProgram('/bin/sh', ['-c', 'sealane-site stop --config site/site.yaml --state site/state'], { cwd: place, env });
      await witness.stop();
      rmSync(place, { recursive: true });
    }
  });
});

/** Starts a command that serves, on a port of its own, waits for its first words and asks it to end; resolves with its exit code. */
function endOfServer(example: string, cwd: string, env: Readonly<Record<string, string>>): Promise<number | null> {
  const line = example.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:0');
  const child = spawn('/bin/sh', ['-c', `exec ${line}`], { cwd, env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
    let isAsked = false;
    const end = (): void => {
      if (!isAsked) isAsked = child.kill('SIGTERM');
    };
    child.stdout.on('data', end);
    child.stderr.on('data', end);
  });
}
