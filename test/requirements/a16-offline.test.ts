/** Promotion in an enclave that no network reaches: evidence is carried in, the decision is carried out and anchored, and the auditor sees both. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalJson } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signAndLog } from '../../packages/promoter/src/log/log-statements.js';
import { withLockedPromoter } from '../../packages/promoter/src/promoter.js';
import { makeHome, PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { canIsolate, type Isolated, isolate } from '../support/netns.js';
import { type Answer, commandWords } from '../support/run.js';

const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: enclave.example
stages:
  - name: plant
    gates: [{ use: provenance }, { use: tests }, { use: approvals, with: { count: 1 } }]
people: [{ id: carol, keys: [carol] }]
signers: { release: [author], provenance: [builder], tests: [lab], hardware: [lab] }
registrar: registrar
`;
const JUNIT =
  '<testsuites><testsuite name="api" tests="1" failures="0"><testcase classname="api" name="answers"/></testsuite></testsuites>\n';
const offline = canIsolate();

describe.skipIf(!offline)('A16 offline promotion (skipped where no network namespace can be made)', () => {
  let dir: string;
  let main: TestHome;
  let cut: Isolated;
  let enclave: string;
  let twin: string;
  let release: string;
  let stopWitness: () => Promise<void>;

  /** Runs in the namespace; must end with `exit`. */
  function inside(words: readonly string[], exit = 0, home = enclave): Answer['json'] {
    const [program, ...before] = cut.enter;
    const all = [...before, process.execPath, ...commandWords('sealane', [...words, '--home', home, '--json'])];
    const { status, stdout, stderr } = spawnSync(program, all, { cwd: dir, encoding: 'utf8' });
    expect(status, `sealane ${words.join(' ')}\n${stdout}${stderr}`).toBe(exit);
    return stdout === '' ? undefined : JSON.parse(stdout);
  }

  const anchor = (folder: string, exit = 0, more: readonly string[] = []): Promise<Answer['json']> => {
    const vkey = (file: string): string => readFileSync(path.join(enclave, file), 'utf8').trim();
    return main.sealane(['log', 'anchor', folder, '--log', vkey('log.vkey'), '--witness', vkey('witness.vkey'), ...more], exit);
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-enclave-'));
    main = await makeHome();
    cut = await isolate();
    [enclave, twin] = [path.join(dir, 'enclave'), path.join(dir, 'twin')];
    mkdirSync(path.join(enclave, 'keys'), { recursive: true });
    // the enclave knows author, builder and lab of the main lane by their public keys, and has all others to itself
    for (const name of ['author', 'builder', 'lab'])
      writeFileSync(path.join(enclave, 'keys', `${name}.pub.pem`), (await main.sealane(['key', 'export', name])).public);
    const pipeline = path.join(dir, 'enclave.yaml');
    writeFileSync(pipeline, PIPELINE);
    const made = inside(['init', enclave, '--pipeline', pipeline]);
    writeFileSync(path.join(enclave, 'witness.vkey'), made.witness.vkey);
    const witness = path.join(dir, 'witness');
    mkdirSync(witness);
    cpSync(path.join(enclave, 'keys', 'witness.pem'), path.join(witness, 'witness.pem'));
    // the same keys before anything was logged: what a thief of log and witness would rewrite the enclave's history with
    cpSync(enclave, twin, { recursive: true });
    cpSync(witness, path.join(dir, 'twin-witness'), { recursive: true });
    stopWitness = await serveWitness(enclave, witness);
    release = await main.release('1.0.0');
    const files = { provenance: main.file('provenance.json', PROVENANCE), tests: main.file('junit.xml', JUNIT) };
    await main.sealane(['evidence', 'add', release, '--provenance', files.provenance, '--key', 'builder']);
    await main.sealane(['evidence', 'add', release, '--tests', files.tests, '--key', 'lab']);
    await main.sealane(['promote', release, '--to', 'dev']);
  });

  /** The enclave's own witness, in the namespace too; its address goes into the pipeline of the home that it serves. */
  async function serveWitness(home: string, state: string): Promise<() => Promise<void>> {
    const logVkey = readFileSync(path.join(home, 'log.vkey'), 'utf8').trim();
    const [program, ...before] = cut.enter;
    const words = commandWords('sealane', ['witness', 'serve', '--state', state, '--log', logVkey, '--listen', '127.0.0.1:0']);
    const server = spawn(program, [...before, process.execPath, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const file = path.join(home, 'pipeline.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/url: .*/, `url: ${String(JSON.parse(line.toString()).url)}`));
    return async () => {
      server.kill();
      await once(server, 'exit');
    };
  }

  afterAll(async () => {
    await stopWitness();
    cut.stop();
    await main.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('the enclave has no link and no route', () => {
    const [program, ...before] = cut.enter;
    const ip = (...words: readonly string[]): string => spawnSync(program, [...before, 'ip', '-o', ...words], { encoding: 'utf8' }).stdout;
    expect(ip('link').trim().split('\n')).toEqual([expect.stringMatching(/^1: lo:/)]);
    expect(ip('route')).toBe('');
  });

  test('A16 a release is carried in, promoted there, and its decision is carried out and anchored', async () => {
    const [into, out] = [path.join(dir, 'into'), path.join(dir, 'out')];
    await main.sealane(['evidence', 'export', release, '--out', into]);
    const imported = inside(['evidence', 'import', into]) as never as {
      release: string;
      statements: unknown[];
      left: { predicateType: string }[];
    };
    expect(imported).toMatchObject({ release, name: 'api', version: '1.0.0' });
    expect(imported.statements).toHaveLength(3);
    // what the main lane decided for itself binds nobody here
    expect(imported.left.map(({ predicateType }: { predicateType: string }) => predicateType)).toEqual([
      'https://slsa.dev/verification_summary/v1',
    ]);
    expect(inside(['evidence', 'import', into])).toEqual(imported);
    inside(['promote', release, '--to', 'plant'], 5);
    inside(['approve', release, '--to', 'plant', '--key', 'carol']);
    expect(inside(['promote', release, '--to', 'plant'])).toMatchObject({ decision: 'passed' });
    inside(['evidence', 'export', release, '--out', out]);
    const anchored = await anchor(out);
    expect(anchored).toMatchObject({ release, origin: 'enclave.example', anchored: 5 });
    expect(await anchor(out), 'the same folder twice is one statement').toEqual(anchored);
    const { answer, complete } = await main.sealane(['audit', 'trace', release]);
    expect({ complete, doubts: answer.doubts }).toEqual({ complete: true, doubts: [] });
    expect(answer.decisions.map(({ stage }: { stage: string }) => stage)).toEqual(['dev']);
    expect(answer.elsewhere).toMatchObject([
      { origin: 'enclave.example', decisions: [{ stage: 'plant', result: 'PASSED' }], approvals: [{ stage: 'plant', verdict: 'approve' }] },
    ]);
  });

  test('a byte of what is carried is refused, both ways, and leaves nothing behind', async () => {
    const into = path.join(dir, 'into-2');
    const second = await main.release('2.0.0');
    await main.sealane(['evidence', 'export', second, '--out', into]);
    const blobs = path.join(into, 'content', 'blobs', 'sha256');
    const flip = (file: string, at: (bytes: Buffer) => number): Buffer => {
      const bytes = readFileSync(file);
      const whole = Buffer.from(bytes);
      bytes[at(bytes)]! ^= 1;
      writeFileSync(file, bytes);
      return whole;
    };
    const known = readdirSync(path.join(enclave, 'lane', 'content', 'blobs', 'sha256'));
    for (const name of readdirSync(blobs).filter((each) => !known.includes(each))) {
      const whole = flip(path.join(blobs, name), ({ length }) => length >> 1);
      inside(['evidence', 'import', into], 4);
      writeFileSync(path.join(blobs, name), whole);
    }
    expect(inside(['release', 'list'])).toMatchObject({ releases: [{ version: '1.0.0' }] });
    const out = path.join(dir, 'out');
    const size = async (): Promise<number> => (await main.sealane(['release', 'show', release])).statements.length;
    const before = await size();
    const statements = path.join(out, 'statements.json');
    const whole = flip(statements, (bytes) => bytes.indexOf('"payload":"') + 40);
    await expect(anchor(out)).rejects.toThrow(/exit/);
    writeFileSync(statements, whole);
    flip(path.join(out, 'log', 'checkpoint'), (bytes) => bytes.indexOf('\n\n') - 3);
    await expect(anchor(out)).rejects.toThrow(/LOG_NOT_INCLUDED/);
    expect(await size()).toBe(before);
  });

  test('a decision that says something else than was signed and logged is not anchored; one whose bundle is gone is in doubt', async () => {
    const out = path.join(dir, 'out-forged');
    inside(['evidence', 'export', release, '--out', out]);
    const file = path.join(out, 'statements.json');
    const bundles = JSON.parse(readFileSync(file, 'utf8')) as { dsseEnvelope: { payload: string } }[];
    const decision = bundles.find(({ dsseEnvelope }) => Buffer.from(dsseEnvelope.payload, 'base64').includes('"to":"plant"'));
    if (decision === undefined) throw new Error('find the decision of the enclave');
    const whole = decision.dsseEnvelope.payload;
    const forged = Buffer.from(whole, 'base64')
      .toString()
      .replace(/"timeVerified":"20\d\d/, '"timeVerified":"2019');
    decision.dsseEnvelope.payload = Buffer.from(forged).toString('base64');
    writeFileSync(file, JSON.stringify(bundles));
    await expect(anchor(out)).rejects.toThrow(/WAYBILL_SIGNATURE/);
    const { statements } = await main.sealane(['release', 'show', release]);
    const anchored = (statements as { predicateType: string; digest: string }[]).find(({ predicateType }) =>
      predicateType.endsWith(':anchor:v1'),
    );
    const { bundle } = await main.sealane(['log', 'prove', anchored?.digest ?? '']);
    const said = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()).predicate.statements;
    rmSync(path.join(main.home, 'lane', 'content', 'blobs', 'sha256', said[0].bundle.digest.slice('sha256:'.length)));
    const { answer, complete } = await main.sealane(['audit', 'trace', release], 4);
    expect({ complete, doubts: answer.doubts }).toMatchObject({ complete: false, doubts: [{ code: 'CONTENT_MISSING' }] });
  });

  test('what is said of another release is not anchored as said of this one; where a promoter did, the auditor is in doubt', async () => {
    const [into, out, outOther] = [path.join(dir, 'into-3'), path.join(dir, 'out-3'), path.join(dir, 'out-other')];
    const other = await main.release('3.0.0');
    await main.sealane(['evidence', 'export', other, '--out', into]);
    inside(['evidence', 'import', into]);
    inside(['evidence', 'export', other, '--out', outOther]);
    inside(['evidence', 'export', release, '--out', out]);
    const bundlesIn = (folder: string): unknown[] => JSON.parse(readFileSync(path.join(folder, 'statements.json'), 'utf8')) as unknown[];
    const own = bundlesIn(outOther);
    writeFileSync(path.join(outOther, 'statements.json'), JSON.stringify([...own, ...bundlesIn(out).slice(1)]));
    await expect(anchor(outOther)).rejects.toThrow(/EVIDENCE_SUBJECT/);
    expect(inside(['evidence', 'import', outOther], 3)).toMatchObject({ error: { code: 'EVIDENCE_SUBJECT' } });
    const { statements } = await main.sealane(['release', 'show', release]);
    const last = (statements as { predicateType: string; digest: string }[]).findLast(({ predicateType }) =>
      predicateType.endsWith(':anchor:v1'),
    );
    const { bundle } = await main.sealane(['log', 'prove', last?.digest ?? '']);
    const said = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
    said.subject[0].digest.sha256 = other.slice('sha256:'.length);
    const { signal } = new AbortController();
    const io = { env: {}, cwd: dir, isTerminal: false, signal, out: () => undefined, talk: () => undefined };
    await withLockedPromoter({ args: [], options: { home: main.home }, io }, async (promoter) =>
      signAndLog(promoter.ledger, canonicalJson(said), await promoter.signer('prod')),
    );
    await main.sealane(['publish', '--refresh']);
    const { answer, complete } = await main.sealane(['audit', 'trace', other], 4);
    expect(complete).toBe(false);
    expect(answer.elsewhere).toMatchObject([{ decisions: [], approvals: [] }]);
    expect(answer.doubts.map(({ code }: { code: string }) => code)).toContain('EVIDENCE_SUBJECT');
  });

  test.skipIf(process.getuid?.() !== 0)(
    'a medium that is full is 2 with the next step, and has no statements on it (skipped without root)',
    async () => {
      const small = path.join(dir, 'small');
      mkdirSync(small);
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]).status).toBe(0);
      try {
        const answer = await main.run(['evidence', 'export', release, '--out', path.join(small, 'carried')]);
        expect({ exit: answer.exit, error: answer.json.error }).toMatchObject({
          exit: 2,
          error: {
            code: 'STATE_UNWRITABLE',
            message: expect.stringContaining(path.join(small, 'carried')),
            hint: expect.stringContaining('make room'),
          },
        });
        const left = readdirSync(small, { recursive: true, encoding: 'utf8' });
        expect(left.filter((name) => name.endsWith('statements.json') || name.endsWith('.tmp'))).toEqual([]);
      } finally {
        spawnSync('umount', [small]);
      }
    },
  );

  test('a log that was rewritten, or is shown under other keys, is not anchored again', async () => {
    const out = path.join(dir, 'out-of-twin');
    const stop = await serveWitness(twin, path.join(dir, 'twin-witness'));
    try {
      inside(['evidence', 'import', path.join(dir, 'into')], 0, twin);
      inside(['evidence', 'export', release, '--out', out], 0, twin);
      await expect(anchor(out)).rejects.toThrow(/LOG_FORK/);
    } finally {
      await stop();
    }
    const another = 'witness.example+c3850454+BLDgEhElw4iS0ZaZ6SNP8hqPzmO2Iow+cZCjAqG2yPjf';
    await expect(anchor(path.join(dir, 'out'), 0, ['--witness', another, '--quorum', '1'])).rejects.toThrow(/LOG_KEYS_CHANGED/);
  });
});
