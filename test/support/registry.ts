/** Real registries on this machine: Debian's Distribution 2.8, which has no referrers API, and go-containerregistry's, which has it. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const server = spawn(requireProgram('docker-registry') ?? '', ['serve', config], { stdio: 'ignore' });
  for (let tries = 0; tries < 100 && !(await answers(`http://${host}/v2/`)); tries += 1) await sleep(50);
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

/** A port of this host that nobody listened at just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
