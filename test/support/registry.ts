/** Real registries on this machine: Debian's Distribution 2.8, which has no referrers API, and go-containerregistry's, which has it. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
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

/** Stands before a registry: passes on what `takes` does not take. Returns its host; ended with the test. */
export async function startFront(
  behind: TestRegistry,
  takes: (asked: IncomingMessage, answer: ServerResponse) => boolean,
): Promise<string> {
  const server = createServer((asked, answer) => {
    if (takes(asked, answer)) return;
    const { method, url, headers } = asked;
    const [hostname = '', port = ''] = behind.host.split(':');
    const onward = request({ hostname, port, method, path: url, headers }, (real) => {
      answer.writeHead(real.statusCode ?? 500, real.headers);
      real.pipe(answer);
    });
    // who broke off is not told
    onward.once('error', () => answer.destroy());
    asked.once('close', () => asked.complete || onward.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has no other address
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    // it has not opened its port yet
    return false;
  }
}
