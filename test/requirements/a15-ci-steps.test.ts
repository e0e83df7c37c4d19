/** The CI steps that ship in pipelines/ci, run as their runners run them, on a real lane. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeHome, PROVENANCE, type TestHome } from '../../packages/promoter/src/testing/test-home.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, ROOT, runProgram } from '../support/run.js';

const CI = path.join(ROOT, 'pipelines', 'ci');
const SEALANE = `${process.execPath} ${path.join(ROOT, 'bin', 'sealane.mjs')}`;

const actionlint = requireProgram('actionlint');
/** Run under a Node of its own: it needs a later one than we do. */
const gitlab = requireProgram('gitlab-ci-local');
const rsync = requireProgram('rsync');

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

interface Step {
  readonly ended: Ended;
  readonly reports: string;
  readonly decision: string;
}

async function readStep(reports: string, ended: Ended): Promise<Step> {
  const file = path.join(reports, 'decision.json');
  return { ended, reports, decision: existsSync(file) && ended.exit !== 2 ? JSON.parse(readFileSync(file, 'utf8')).decision : '' };
}

const scratch = (name: string): string => mkdtempSync(path.join(dir, `${name}-`));

describe('A15 the plain shell step', () => {
  async function promote(release: string, to: string, more: Readonly<Record<string, string>> = {}): Promise<Step> {
    const reports = scratch('reports');
    const env = { SEALANE, SEALANE_HOME: home.home, SEALANE_RELEASE: release, SEALANE_TO: to, SEALANE_REPORTS: reports, ...more };
    return readStep(reports, await runProgram('/bin/sh', [path.join(CI, 'promote.sh')], { env }));
  }

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
  const action = parse(readFileSync(path.join(CI, 'github', 'action.yml'), 'utf8'));

  /** What the runner does with a composite action: expressions into the environment, then bash with its files. */
  async function use(inputs: Readonly<Record<string, string>>): Promise<Step & { readonly outputs: string; readonly summary: string }> {
    const [reports, runner] = [scratch('reports'), scratch('runner')];
    const files = { output: path.join(runner, 'output'), summary: path.join(runner, 'summary') };
    for (const file of Object.values(files)) writeFileSync(file, '');
    const given: Record<string, string> = { sealane: SEALANE, home: home.home, reports, ...inputs };
    const [step] = action.runs.steps;
    const env = Object.fromEntries(
      Object.entries(step.env as Record<string, string>).map(([name, text]) => {
        const [, input = ''] = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(text) ?? [];
        expect(Object.keys(action.inputs), text).toContain(input);
        return [name, given[input] ?? action.inputs[input].default ?? ''];
      }),
    );
    const variables = {
      ...env,
      GITHUB_ACTION_PATH: path.join(CI, 'github'),
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    };
    const ended = await runProgram('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], { env: variables });
    const step_ = await readStep(reports, ended);
    return { ...step_, outputs: readFileSync(files.output, 'utf8'), summary: readFileSync(files.summary, 'utf8') };
  }

  test('promotes, and hands on outputs and a job summary', async () => {
    const release = await makeRelease();
    const { ended, outputs, summary } = await use({ release, to: 'dev' });
    expect(ended.exit, ended.stderr).toBe(0);
    const values = Object.fromEntries(
      outputs
        .trim()
        .split('\n')
        .map((line) => line.split('=', 2)),
    );
    expect(values).toMatchObject({ release, stage: 'dev', decision: 'passed', exit: '0', statement: expect.stringMatching(/^sha256:/) });
    for (const { value } of Object.values<{ value: string }>(action.outputs)) {
      expect(Object.keys(values)).toContain(/outputs\.([a-z-]+) /.exec(value)?.[1]);
    }
    expect(summary).toContain(`### Sealane: passed to dev\n\nRelease \`${release}\``);
  });

  test('never reads an input as code', async () => {
    const trap = path.join(scratch('trap'), 'sprung');
    for (const text of [`$(touch ${trap})`, `"; touch ${trap}; "`, `\`touch ${trap}\``]) {
      expect((await use({ release: text, to: text, group: text })).ended.exit).toBe(2);
    }
    expect(existsSync(trap)).toBe(false);
  });

  test.skipIf(actionlint === undefined)('and a workflow that uses it hold to what actionlint knows', () => {
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
  });
});

describe('A15 the GitLab template', () => {
  test.skipIf(gitlab === undefined || rsync === undefined)('promotes in a real run of its job, and warns where it waits', async () => {
    const project = scratch('project');
    cpSync(CI, path.join(project, 'pipelines', 'ci'), { recursive: true });
    const release = await makeRelease();
    const job = (stage: string): string =>
      `${stage}:\n  extends: .sealane-promote\n  variables: { SEALANE_RELEASE: '${release}', SEALANE_TO: ${stage} }\n`;
    const include = 'include: [{ local: /pipelines/ci/gitlab/promote.gitlab-ci.yml }]\nstages: [test]\n';
    writeFileSync(path.join(project, '.gitlab-ci.yml'), `${include}${job('dev')}${job('prod')}`);
    const git = (...words: readonly string[]): unknown => execFileSync('git', words, { cwd: project });
    git('init', '-q');
    git('add', '-A');
    git('-c', 'user.name=ci', '-c', 'user.email=ci@readings.example', 'commit', '-q', '-m', 'start');
    git('remote', 'add', 'origin', 'git@gitlab.example:readings/readings.git');
    const run = (name: string): Promise<Ended> => {
      const variables = ['--variable', `SEALANE=${SEALANE}`, '--variable', `SEALANE_HOME=${home.home}`];
      return runProgram(gitlab ?? '', ['--force-shell-executor', ...variables, name], { cwd: project });
    };
    const dev = await run('dev');
    expect(dev.exit, dev.stdout + dev.stderr).toBe(0);
    expect((await home.sealane(['channel', 'show', 'dev'])).groups[0].release).toBe(release);
    const prod = await run('prod');
    expect(prod.exit, prod.stdout + prod.stderr).toBe(0);
    expect(prod.stdout + prod.stderr).toMatch(/WARN/);
  });
});

describe('A15 the Tekton task', () => {
  const task = parse(readFileSync(path.join(CI, 'tekton', 'promote.task.yaml'), 'utf8'));

  test('promotes in its own script and writes its results', async () => {
    const [workspace, results] = [scratch('workspace'), scratch('results')];
    cpSync(home.home, workspace, { recursive: true });
    const release = await makeRelease();
    rmSync(workspace, { recursive: true });
    cpSync(home.home, workspace, { recursive: true });
    const params: Record<string, string> = Object.fromEntries(
      task.spec.params.map(({ name, default: value }: Record<string, string>) => [name, value ?? '']),
    );
    Object.assign(params, { release, to: 'dev', ci: CI });
    const [step] = task.spec.steps;
    const replaced = (text: string): string =>
      text.replace(/\$\(([a-z.-]+)\)/g, (whole, name: string) => {
        const [kind, id = '', field] = name.split('.');
        if (kind === 'params' && id in params) return params[id] ?? '';
        if (kind === 'workspaces' && field === 'path') return workspace;
        if (kind === 'results' && task.spec.results.some((result: { name: string }) => result.name === id)) return path.join(results, id);
        throw new Error(`read the task: ${whole} means nothing`);
      });
    const env = Object.fromEntries(step.env.map(({ name, value }: Record<string, string>) => [name, replaced(value ?? '')]));
    expect(replaced(step.script)).toBe(step.script);
    const script = path.join(results, 'script');
    writeFileSync(script, step.script, { mode: 0o755 });
    const ended = await runProgram(script, [], { env: { SEALANE, ...env } });
    expect(ended.exit, ended.stderr).toBe(0);
    expect(readFileSync(path.join(results, 'decision'), 'utf8')).toBe('passed');
    expect(readFileSync(path.join(results, 'statement'), 'utf8')).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
