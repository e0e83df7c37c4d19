/** Real registries on this machine: Debian's Distribution 2.8, which has no referrers API, and go-containerregistry's, which has it. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { requireProgram } from './require-program.js';
import { startListening } from './run.js';

/** A running registry; `host` is its name in references. */
export interface TestRegistry {
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts Distribution with its files in `dir`; `more` is YAML for the end of its configuration. */
export async function startDistribution(dir: string, more = ''): Promise<TestRegistry> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = path.join(dir, 'registry.yml');
  mkdirSync(path.join(dir, 'blobs'), { recursive: true });
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${dir}/blobs}}\nhttp: {addr: '${host}'}\n${more}`,
  );
  const log = openSync(path.join(dir, 'registry.log'), 'a');
  const server = spawn(requireProgram('docker-registry') ?? '', ['serve', config], { stdio: ['ignore', log, log] });
  closeSync(log);
  while (!(await answers(`http://${host}/v2/`))) {
    if (server.exitCode !== null)
      throw new Error(`start docker-registry: expected it at ${host}, got\n${readFileSync(path.join(dir, 'registry.log'), 'utf8')}`);
    await sleep(50);
  }
  return {
    host,
    stop: () =>
      new Promise((resolve) => {
        server.once('exit', () => resolve());
        server.kill();
      }),
  };
}

/** Starts a registry with the referrers API, in memory. */
export async function startReferrersRegistry(): Promise<TestRegistry> {
  const server = await startListening(requireProgram('referrers-registry') ?? '', []);
  return { host: new URL(server.url).host, stop: () => server.stop() };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    // it has not opened its port yet
    return false;
  }
}
