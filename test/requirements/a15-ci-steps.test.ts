/** The CI steps that ship in pipelines/ci, run as their runners run them, on a real lane. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import {
  CI,
  commandsIn,
  githubAction,
  gitlabProject,
  hasGitlab,
  runGithubAction,
  runShellStep,
  runTektonTask,
  type Step,
} from '../support/ci-steps.js';
import { requireProgram } from '../support/require-program.js';
import { commandWords, ROOT, runProgram } from '../support/run.js';
import { GITHUB_CLAIMS, GITLAB_CLAIMS, serviceYaml, startIssuer, startService } from '../support/service.js';

const [actionlint, git] = ['actionlint', 'git'].map(requireProgram);

let home: TestHome;
let dir: string;
let releases = 0;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-ci-'));
  home = await makeHome();
});

afterAll(async () => {
  await home.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A release with provenance: dev takes it, prod waits for one approval. */
async function makeRelease(): Promise<string> {
  releases += 1;
  const release = await home.release(`1.${releases}.0`);
  await home.sealane(['evidence', 'add', release, '--provenance', home.file('provenance.json', PROVENANCE), '--key', 'builder']);
  return release;
}

const scratch = (name: string): string => mkdtempSync(path.join(dir, `${name}-`));

describe('A15 the plain shell step', () => {
  const promote = (release: string, to: string, more: Readonly<Record<string, string>> = {}): Promise<Step> =>
    runShellStep({ SEALANE_HOME: home.home, SEALANE_RELEASE: release, SEALANE_TO: to, ...more });

  test('promotes with 0, and a retried job gets the same decision', async () => {
    const release = await makeRelease();
    const [first, again] = [await promote(release, 'dev'), await promote(release, 'dev')];
    expect([first.ended.exit, again.ended.exit], first.ended.stderr).toEqual([0, 0]);
    expect(readFileSync(path.join(again.reports, 'decision.json'), 'utf8')).toBe(
      readFileSync(path.join(first.reports, 'decision.json'), 'utf8'),
    );
  });

  test('ends with 3 where a gate refuses, with 5 or at wish 0 where it waits, with 2 where an input is none', async () => {
    const release = await makeRelease();
    expect((await promote(release, 'prod')).ended.exit).toBe(3);
    expect((await promote(release, 'dev')).ended.exit).toBe(0);
    const pending = await promote(release, 'prod');
    expect({ exit: pending.ended.exit, decision: pending.decision }).toEqual({ exit: 5, decision: 'pending' });
    expect((await promote(release, 'prod', { SEALANE_PENDING: 'pass' })).ended.exit).toBe(0);
    for (const bad of [{ SEALANE_RELEASE: '' }, { SEALANE_TO: '--key=prod' }, { SEALANE_PENDING: 'maybe' }]) {
      const { ended } = await promote(release, 'prod', bad);
      expect({ exit: ended.exit, stderr: ended.stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('expected') });
    }
  });

  test('promotes the release that was named: a name with more behind its version is none', async () => {
    const release = await makeRelease();
    const { name, version } = await home.sealane(['release', 'show', release]);
    for (const other of [`${name}@${version}@9.9.9`, `${name}@${version}@`]) {
      expect((await promote(other, 'dev')).ended.exit, other).toBe(2);
      expect((await home.run(['audit', 'trace', other])).json.error.code, other).toBe('RELEASE_UNKNOWN');
    }
    expect((await promote(`${name}@${version}`, 'dev')).decision).toBe('passed');
  });

  test('prints no value that is no name: a runner may have put another variable of the job into it', async () => {
    const secret = 'hunter2';
    const release = await makeRelease();
    for (const value of [`api@1.0.0 ${secret}`, `api@1.0.0$(${secret})`, `api@1.0.0\n${secret}`, `${secret}${'x'.repeat(160)}`]) {
      for (const names of [{ SEALANE_RELEASE: value }, { SEALANE_TO: value }, { SEALANE_GROUP: value }]) {
        const { ended } = await promote(release, 'dev', names);
        expect(ended).toMatchObject({ exit: 2, stderr: expect.stringMatching(/^promote\.sh: read SEALANE_(RELEASE|TO|GROUP): expected /) });
        expect(ended.stdout + ended.stderr).not.toContain(secret);
      }
    }
  });

  test('takes no checkout for a home: whoever wrote it would have a lane of his own promoted', async () => {
    const { ended, decision } = await runShellStep(
      { SEALANE_HOME: '', SEALANE_RELEASE: await makeRelease(), SEALANE_TO: 'dev' },
      home.home,
    );
    expect({ exit: ended.exit, decision }).toEqual({ exit: 2, decision: '' });
  });

  test('ends with 5 where a decision waits for its witness, also at wish: no later job has to do with that', async () => {
    const alone = await makeHome();
    try {
      const release = await alone.release('1.0.0');
      await alone.sealane(['evidence', 'add', release, '--provenance', alone.file('provenance.json', PROVENANCE), '--key', 'builder']);
      await alone.stopWitness();
      const { ended, decision } = await promote(release, 'dev', { SEALANE_HOME: alone.home, SEALANE_PENDING: 'pass' });
      expect({ exit: ended.exit, decision }, ended.stderr).toEqual({ exit: 5, decision: 'passed' });
    } finally {
      await alone.stop();
    }
  });

  test('leaves no report of an earlier job, and follows no link that a checkout has in their place', async () => {
    const [reports, elsewhere] = [scratch('reports'), scratch('elsewhere')];
    const names = ['summary.md', 'outputs.env', 'checks.xml', 'checks.sarif', 'decision.json'];
    const leave = (): void => {
      for (const name of names) {
        rmSync(path.join(reports, name), { force: true });
        writeFileSync(path.join(elsewhere, name), 'decision=passed\n');
        symlinkSync(path.join(elsewhere, name), path.join(reports, name));
      }
    };
    leave();
    expect((await promote(await makeRelease(), 'dev', { SEALANE_REPORTS: reports })).ended.exit).toBe(0);
    for (const name of names) expect(readFileSync(path.join(elsewhere, name), 'utf8')).toBe('decision=passed\n');
    leave();
    expect((await promote('', 'dev', { SEALANE_REPORTS: reports })).ended.exit).toBe(2);
    expect(readdirSync(reports)).toEqual([]);
  });

  test('reports its checks as Markdown, JUnit and SARIF', async () => {
    const { reports } = await promote(await makeRelease(), 'prod');
    const read = (name: string): string => readFileSync(path.join(reports, name), 'utf8');
    expect(read('summary.md')).toMatch(/^### Sealane: refused to prod\n[\s\S]*\| ❌ fail \| stage-order \|/);
    expect(read('checks.xml')).toMatch(/<testsuite name="sealane to prod" tests="3" failures="1" errors="0" skipped="1">/);
    const sarif = JSON.parse(read('checks.sarif'));
    expect(sarif.runs[0].results.map(({ ruleId, level }: Record<string, string>) => `${ruleId} ${level}`)).toEqual([
      'stage-order error',
      'approvals note',
    ]);
  });

  test('a report that cannot be written is refused before anything is decided', async () => {
    const release = await makeRelease();
    const before = (await home.sealane(['release', 'show', release])).statements.length;
    const answer = await home.run(['promote', release, '--to', 'dev', '--report', `markdown=${home.file('plain', '')}/summary.md`]);
    expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'STATE_UNWRITABLE' });
    expect((await home.sealane(['release', 'show', release])).statements).toHaveLength(before);
  });

  test('a reader that closes the pipe early is no fault of either program', async () => {
    for (const program of ['sealane', 'sealane-site']) {
      const { stdout, stderr } = await runProgram('bash', [
        '-c',
        `{ ${process.execPath} ${path.join(ROOT, 'bin', program)}.mjs --help; echo "exit $?" >&2; } | true`,
      ]);
      expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'exit 0\n' });
    }
  });
});

describe('A15 the GitHub action', () => {
  test('promotes, and hands on outputs and a job summary', async () => {
    const release = await makeRelease();
    const { ended, outputs, summary } = await runGithubAction({ home: home.home, release, to: 'dev' });
    expect(ended.exit, ended.stderr).toBe(0);
    const values = Object.fromEntries(
      outputs
        .trim()
        .split('\n')
        .map((line) => line.split('=', 2)),
    );
    expect(values).toMatchObject({ release, stage: 'dev', decision: 'passed', exit: '0', statement: expect.stringMatching(/^sha256:/) });
    for (const { value } of Object.values<{ value: string }>(githubAction.outputs)) {
      expect(Object.keys(values)).toContain(/outputs\.([a-z-]+) /.exec(value)?.[1]);
    }
    expect(summary).toContain(`### Sealane: passed to dev\n\nRelease \`${release}\``);
  });

  test('never reads an input as code', async () => {
    const trap = path.join(scratch('trap'), 'sprung');
    for (const text of [`$(touch ${trap})`, `"; touch ${trap}; "`, `\`touch ${trap}\``]) {
      expect((await runGithubAction({ home: home.home, release: text, to: text, group: text })).ended.exit).toBe(2);
    }
    expect(existsSync(trap)).toBe(false);
  });

  test('prints no command to its runner, whoever is quoted in its log', async () => {
    const release = await makeRelease();
    const texts = [
      '##[set-output name=decision;]passed',
      '\n::set-output name=decision::passed\n',
      '##vso[task.setvariable variable=PATH]/tmp',
    ];
    for (const text of texts) {
      for (const inputs of [
        { release: `x ${text}`, to: 'dev' },
        { release: `-${text}`, to: 'dev' },
        { release, to: `x ${text}` },
      ]) {
        const { ended, outputs } = await runGithubAction({ home: home.home, ...inputs });
        expect({ exit: ended.exit, commands: commandsIn(ended.stdout + ended.stderr), outputs }).toEqual({
          exit: 2,
          commands: [],
          outputs: '',
        });
      }
      const report = home.file('hostile.tap', `1..1\nx ${text}\n`);
      const words = ['evidence', 'add', release, '--tests', report, '--key', 'lab', '--home', home.home];
      const added = await runProgram(process.execPath, commandWords('sealane', words));
      expect({ exit: added.exit, commands: commandsIn(added.stdout + added.stderr) }).toEqual({ exit: 3, commands: [] });
    }
    expect(commandsIn(`got ${texts.join('')}`)).toHaveLength(3);
  });

  test.skipIf(actionlint === undefined || git === undefined)(
    'and a workflow that uses it hold to what actionlint knows (skipped without actionlint, git)',
    () => {
      const checkout = scratch('checkout');
      execFileSync('git', ['init', '-q'], { cwd: checkout });
      cpSync(CI, path.join(checkout, 'pipelines', 'ci'), { recursive: true });
      mkdirSync(path.join(checkout, '.github', 'workflows'), { recursive: true });
      const workflow = path.join(checkout, '.github', 'workflows', 'release.yml');
      const text = readFileSync(path.join(CI, 'github', 'workflow.yml'), 'utf8');
      const lint = (content: string): string => {
        writeFileSync(workflow, content);
        try {
          return execFileSync(actionlint ?? '', ['-no-color', workflow], { cwd: checkout, encoding: 'utf8' });
        } catch (error) {
          return (error as { stdout: string }).stdout;
        }
      };
      expect(lint(text)).toBe('');
      // what it would say of a missing input and of an output that there is not
      expect(lint(text.replace('          to: dev\n', ''))).toContain('"to"');
      expect(lint(text.replace('outputs.decision', 'outputs.verdict'))).toContain('verdict');
    },
  );
});

describe('A15 the GitLab template', () => {
  test.skipIf(!hasGitlab)(
    'promotes in a real run of its job, and warns where it waits (skipped without gitlab-ci-local, rsync, git)',
    async () => {
      const release = await makeRelease();
      const run = gitlabProject(release, ['dev', 'prod'], { SEALANE_HOME: home.home });
      const dev = await run('dev');
      expect(dev.exit, dev.stdout + dev.stderr).toBe(0);
      expect((await home.sealane(['channel', 'show', 'dev'])).groups[0].release).toBe(release);
      const prod = await run('prod');
      expect(prod.exit, prod.stdout + prod.stderr).toBe(0);
      expect(prod.stdout + prod.stderr).toMatch(/WARN/);
    },
  );
});

describe('A15 with the service', () => {
  test('each template promotes by the token of its job: no home, no key and no secret on the runner', async () => {
    const [github, gitlab] = await Promise.all([startIssuer(dir, 'github', GITHUB_CLAIMS), startIssuer(dir, 'gitlab', GITLAB_CLAIMS)]);
    const service = await startService({ home: home.home }, serviceYaml({ github, gitlab }));
    try {
      const server = { SEALANE_SERVER: service.url };
      const release = await makeRelease();
      const shell = await runShellStep({ ...server, ...github.runnerEnv, SEALANE_RELEASE: release, SEALANE_TO: 'dev' });
      expect({ exit: shell.ended.exit, decision: shell.decision }, shell.ended.stderr).toEqual({ exit: 0, decision: 'passed' });

      const action = await runGithubAction({ server: service.url, release, to: 'dev' }, github.runnerEnv);
      expect(action.ended.exit, action.ended.stderr).toBe(0);
      // a retried job, whatever runs it, gets the same decision
      expect(action.outputs).toContain(
        `statement=${JSON.parse(readFileSync(path.join(shell.reports, 'decision.json'), 'utf8')).statement}`,
      );
      expect(action.summary).toContain('### Sealane: passed to dev');

      const another = await makeRelease();
      const token = await gitlab.token();
      const task = await runTektonTask({ server: service.url, release: another, to: 'dev' }, scratch('nothing'), { SEALANE_TOKEN: token });
      expect(task.ended.exit, task.ended.stderr).toBe(0);
      expect(readFileSync(path.join(task.results, 'decision'), 'utf8')).toBe('passed');

      if (hasGitlab) {
        const third = await makeRelease();
        const job = await gitlabProject(third, ['dev'], { ...server, SEALANE_TOKEN: token })('dev');
        expect(job.exit, job.stdout + job.stderr).toBe(0);
        expect((await home.sealane(['channel', 'show', 'dev'])).groups[0].release).toBe(third);
        expect(job.stdout + job.stderr).not.toContain(token);
      }

      // without a token, with one for somebody else, and into a stage that this job may not fill
      const mine = { ...server, SEALANE_RELEASE: release, SEALANE_TO: 'dev' };
      expect((await runShellStep(mine)).ended.exit).not.toBe(0);
      expect((await runShellStep({ ...mine, SEALANE_TOKEN: await github.token('https://other.example') })).ended.exit).toBe(3);
      expect((await runShellStep({ ...mine, ...github.runnerEnv, SEALANE_TO: 'prod' })).ended.exit).toBe(3);
    } finally {
      await Promise.all([service.stop(), github.stop(), gitlab.stop()]);
    }
  });
});

// last: what a copy of the home logs is another history, which the witness refuses to follow
describe('A15 the Tekton task', () => {
  test('promotes in its own script and writes its results', async () => {
    const release = await makeRelease();
    const workspace = scratch('workspace');
    cpSync(home.home, workspace, { recursive: true });
    const { ended, results } = await runTektonTask({ release, to: 'dev' }, workspace);
    expect(ended.exit, ended.stderr).toBe(0);
    expect(readFileSync(path.join(results, 'decision'), 'utf8')).toBe('passed');
    expect(readFileSync(path.join(results, 'statement'), 'utf8')).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
