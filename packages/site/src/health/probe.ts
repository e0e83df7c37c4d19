/** One question to a workload: does it answer as configured, in time? Never over the WAN: who asks is beside the workload. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Check } from '@sealane/core';
import { runToEnd } from '../drivers/run-to-end.js';

/** A health check of site.yaml. */
export type HealthProbe =
  | { readonly kind: 'http'; readonly url: string; readonly status: number | undefined; readonly timeoutMs: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly timeoutMs: number }
  | { readonly kind: 'command'; readonly command: readonly string[]; readonly timeoutMs: number };

/** Where command probes run. */
export interface ProbeWorld {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Asks once; the answer is a check that passes or fails, never a rejection. */
export async function probe(question: HealthProbe, world: ProbeWorld): Promise<Check> {
  return verdictOf(question, await problemOf(question, world));
}

/** The check that an answer makes: undefined is a good one. */
export function verdictOf(question: HealthProbe, problem: string | undefined): Check {
  return {
    id: `health-${question.kind}`,
    verdict: problem === undefined ? 'pass' : 'fail',
    expected: expectation(question),
    actual: problem ?? 'it does',
    remedy: problem === undefined ? '' : 'read state/logs/workload.log; promote a mended release',
    evidence: [],
    ...(problem === undefined ? {} : { code: 'HEALTH_FAILED' as const }),
  };
}

/** Asks once: what is wrong, or undefined. Never rejects. */
export function problemOf(question: HealthProbe, world: ProbeWorld): Promise<string | undefined> {
  switch (question.kind) {
    case 'http':
      return askHttp(question, world.signal);
    case 'tcp':
      return askTcp(question, world.signal);
    case 'command':
      return askCommand(question, world);
  }
}

function expectation(question: HealthProbe): string {
  const within = `within ${question.timeoutMs} ms`;
  switch (question.kind) {
    case 'http':
      return `GET ${question.url} answers ${question.status ?? '2xx'} ${within}`;
    case 'tcp':
      return `${question.host}:${question.port} takes connections ${within}`;
    case 'command':
      return `${question.command.join(' ')} exits with 0 ${within}`;
  }
}

function askHttp({ url, status, timeoutMs }: HealthProbe & { kind: 'http' }, signal: AbortSignal): Promise<string | undefined> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve) => {
    const sent = request(url, { signal: limit, agent: false }, (response) => {
      const code = response.statusCode ?? 0;
      const isFine = status === undefined ? code >= 200 && code < 300 : code === status;
      resolve(isFine ? undefined : `it answers ${code}`);
      // the status was the answer; a body may be endless
      response.destroy();
    });
    sent.once('error', (error) => resolve(limit.aborted && !signal.aborted ? `no answer in ${timeoutMs} ms` : error.message || error.name));
    sent.end();
  });
}

function askTcp({ host, port, timeoutMs }: HealthProbe & { kind: 'tcp' }, signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (problem: string | undefined): void => {
      socket.destroy();
      limit.removeEventListener('abort', late);
      resolve(problem);
    };
    const late = (): void => end(`no connection in ${timeoutMs} ms`);
    limit.addEventListener('abort', late, { once: true });
    socket.once('connect', () => end(undefined));
    socket.once('error', (error) => end(error.message || error.name));
  });
}

async function askCommand({ command, timeoutMs }: HealthProbe & { kind: 'command' }, world: ProbeWorld): Promise<string | undefined> {
  const end = await runToEnd(command, { ...world, timeoutMs });
  if (end.code === undefined) return end.why;
  return end.code === 0 ? undefined : `it exits with ${end.code}`;
}
