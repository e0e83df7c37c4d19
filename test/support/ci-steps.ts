/** The CI steps that ship in pipelines/ci, run as their runners run them. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { requireProgram } from './require-program.js';
import { type Ended, ROOT, runProgram } from './run.js';

export const CI = path.join(ROOT, 'pipelines', 'ci');
/** The command, as a job that has no `sealane` on its PATH names it. */
const SEALANE = `${process.execPath} ${path.join(ROOT, 'bin', 'sealane.mjs')}`;

/** Run under a Node of its own: it needs a later one than we do. */
const gitlab = requireProgram('gitlab-ci-local');

/** Whether this machine can run jobs of GitLab. */
export const hasGitlab = [gitlab, requireProgram('rsync'), requireProgram('git')].every((program) => program !== undefined);

type Env = Readonly<Record<string, string>>;

/** How a step ended, and what it reported. */
export interface Step {
  readonly ended: Ended;
  readonly reports: string;
  readonly decision: string;
}

/** A folder that goes when the test ends. */
function scratch(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `sealane-ci-${name}-`));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function readStep(reports: string, ended: Ended): Step {
  const file = path.join(reports, 'decision.json');
  return { ended, reports, decision: existsSync(file) && ended.exit !== 2 ? JSON.parse(readFileSync(file, 'utf8')).decision : '' };
}

/**
 * The commands that a runner takes out of a log, as it does: GitHub's `::name::` at the beginning of a line and `##[name]` anywhere in one
 * (actions/runner, ActionCommand.cs), and Azure's `##vso[name]`.
 */
export function commandsIn(log: string): readonly string[] {
  return [...log.matchAll(/^\s*::[^:\n]+::.*$|##(?:vso)?\[[^\]\n]+\][^#\n]*/gm)].map(([command]) => command);
}

/** The plain step, in the folder `cwd` of a checkout. */
export async function runShellStep(env: Env, cwd?: string): Promise<Step> {
  const reports = scratch('reports');
  return readStep(
    reports,
    await runProgram('/bin/sh', [path.join(CI, 'promote.sh')], {
      env: { SEALANE, SEALANE_REPORTS: reports, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    }),
  );
}

/** The GitHub action as it is written. */
export const githubAction = parse(readFileSync(path.join(CI, 'github', 'action.yml'), 'utf8'));

/** What the runner does with a composite action: expressions into the environment, then bash with its files. `env` is the job's own. */
export async function runGithubAction(inputs: Env, env: Env = {}): Promise<Step & { readonly outputs: string; readonly summary: string }> {
  const [reports, runner] = [scratch('reports'), scratch('runner')];
  const files = { output: path.join(runner, 'output'), summary: path.join(runner, 'summary') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const given: Record<string, string> = { sealane: SEALANE, reports, ...inputs };
  const [step] = githubAction.runs.steps;
  const stepEnv = Object.fromEntries(
    Object.entries(step.env as Record<string, string>).map(([name, text]) => {
      const [, input = ''] = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(text) ?? [];
      if (!(input in githubAction.inputs)) throw new Error(`read the action: ${text} is none of its inputs`);
      return [name, given[input] ?? githubAction.inputs[input].default ?? ''];
    }),
  );
  const variables = {
    ...env,
    ...stepEnv,
    GITHUB_ACTION_PATH: path.join(CI, 'github'),
    GITHUB_OUTPUT: files.output,
    GITHUB_STEP_SUMMARY: files.summary,
  };
  const ended = await runProgram('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], { env: variables });
  return { ...readStep(reports, ended), outputs: readFileSync(files.output, 'utf8'), summary: readFileSync(files.summary, 'utf8') };
}

/** A project of GitLab with a job for each stage that extends the template; runs the job of `stage`. */
export function gitlabProject(release: string, stages: readonly string[], variables: Env): (stage: string) => Promise<Ended> {
  const project = scratch('project');
  cpSync(CI, path.join(project, 'pipelines', 'ci'), { recursive: true });
  const job = (stage: string): string =>
    `${stage}:\n  extends: .sealane-promote\n  variables: { SEALANE_RELEASE: '${release}', SEALANE_TO: ${stage} }\n`;
  const include = 'include: [{ local: /pipelines/ci/gitlab/promote.gitlab-ci.yml }]\nstages: [test]\n';
  writeFileSync(path.join(project, '.gitlab-ci.yml'), `${include}${stages.map(job).join('')}`);
  const git = (...words: readonly string[]): unknown => execFileSync('git', words, { cwd: project });
  git('init', '-q');
  git('add', '-A');
  git('-c', 'user.name=ci', '-c', 'user.email=ci@readings.example', 'commit', '-q', '-m', 'start');
  git('remote', 'add', 'origin', 'git@gitlab.example:readings/readings.git');
  const given = Object.entries({ SEALANE, ...variables }).flatMap(([name, value]) => ['--variable', `${name}=${value}`]);
  return (stage) => runProgram(gitlab ?? '', ['--force-shell-executor', ...given, stage], { cwd: project });
}

/** The Tekton task's own script; `results` is the folder that its results are in. */
export async function runTektonTask(
  given: Env,
  workspace: string,
  env: Env = {},
): Promise<{ readonly ended: Ended; readonly results: string }> {
  const task = parse(readFileSync(path.join(CI, 'tekton', 'promote.task.yaml'), 'utf8'));
  const results = scratch('results');
  const defaults = task.spec.params.map(({ name, default: value }: Record<string, string>) => [name, value ?? '']);
  const params: Record<string, string> = { ...Object.fromEntries(defaults), ci: CI, ...given };
  const [step] = task.spec.steps;
  const replaced = (text: string): string =>
    text.replace(/\$\(([a-z.-]+)\)/g, (whole, name: string) => {
      const [kind, id = '', field] = name.split('.');
      if (kind === 'params' && id in params) return params[id] ?? '';
      if (kind === 'workspaces' && field === 'path') return workspace;
      if (kind === 'results' && task.spec.results.some((result: { name: string }) => result.name === id)) return path.join(results, id);
      throw new Error(`read the task: ${whole} means nothing`);
    });
  // what is put into a script by name would be read as code
  if (replaced(step.script) !== step.script) throw new Error('read the task: expected a script without values in it');
  const stepEnv = Object.fromEntries(step.env.map(({ name, value }: Record<string, string>) => [name, replaced(value ?? '')]));
  const script = path.join(results, 'script');
  writeFileSync(script, step.script, { mode: 0o755 });
  return { ended: await runProgram(script, [], { env: { SEALANE, ...env, ...stepEnv } }), results };
}
