// Runs the real commands in processes of their own, and says so.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin');

/**
 * Runs `sealane` or `sealane-site` with `--json` and returns its object. The exit code must be `exit` (default 0), else the walk ends
 * with the whole command line and what it printed.
 */
export async function runCommand(program, words, { exit = 0, env = {} } = {}) {
  const result = await runProcess(process.execPath, [path.join(bin, `${program}.mjs`), ...words, '--json'], { env });
  if (result.code !== exit) {
    const line = `${program} ${words.join(' ')}`;
    throw new Error(`run ${line}: expected exit ${exit}, got ${result.code}\n${result.stdout}${result.stderr}`);
  }
  try {
    return JSON.parse(result.stdout);
  } catch (cause) {
    throw new Error(`read the answer of ${program} ${words.join(' ')}: expected one JSON object, got ${JSON.stringify(result.stdout)}`, {
      cause,
    });
  }
}

/** Runs any program to its end: `{code, stdout, stderr}`. */
export function runProcess(file, words, { env = {}, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, words, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, ...output }));
  });
}

/** Starts a command that serves, and waits for the first line of its stdout, a JSON object with its `url`. */
export function startServer(program, words) {
  const child = spawn(process.execPath, [path.join(bin, `${program}.mjs`), ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  return new Promise((resolve, reject) => {
    let text = '';
    child.on('error', reject);
    child.on('exit', (code) =>
      reject(new Error(`start ${program} ${words.join(' ')}: expected a server, it ended with ${code}\n${errors}`)),
    );
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve({ ...JSON.parse(text.slice(0, end)), stop: () => stop(child) });
    });
  });
}

function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', resolve);
    child.kill('SIGTERM');
    return undefined;
  });
}
