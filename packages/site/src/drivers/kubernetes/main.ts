/**
 * The program that talks to the cluster: a request on standard input; the one line of stdout is the answer.
 *
 * The driver starts it where workloads stand: `apply` itself has no network.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SealaneError } from '@sealane/core';
import { type Answer, type Cluster, openCluster } from './cluster-shell.js';
import { admissionName } from './admission.js';
import { isRemovable, keyText, type KubeObject, type ObjectKey } from './objects.js';
import { withValues } from './release-secret.js';
import { type Rollout, rolloutOf } from './rollout.js';
import { findStrays } from './strays-shell.js';
import type { ClusterAnswer, ClusterRequest } from './wire.js';

/** Its file descriptor. */
const STDIN = 0;

// the driver writes it; where it was killed meanwhile this is no JSON
const request = JSON.parse(readFileSync(STDIN, 'utf8')) as ClusterRequest;
const objects = withValues(request.objects, request.secrets, (name) =>
  request.do === 'try' ? new Uint8Array() : readFileSync(path.join(process.env['CREDENTIALS_DIRECTORY'] ?? '', name)),
);

async function carryOut(cluster: Cluster): Promise<ClusterAnswer> {
  switch (request.do) {
    case 'try':
      return (await tryAll(cluster)) ?? { is: 'ready' };
    case 'apply':
      return (await applyAll(cluster)) ?? (await removeAll(cluster)) ?? { is: 'ready' };
    case 'look':
      return await lookAtAll(cluster);
    case 'remove':
      return (await removeAll(cluster)) ?? (await allGone(cluster)) ?? { is: 'ready' };
    case 'strays':
      return await lookBeside(cluster);
  }
}

/** How long the server's own copy of the admission policy may be behind: seconds on a slow machine. */
const ADMISSION_TRIES = 40;
const ADMISSION_PAUSE_MS = 250;

/** A pod of a release whose images were permitted a moment ago is tried again until the server knows of it. */
async function applied(cluster: Cluster, object: KubeObject, dryRun: 'no' | 'yes'): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await cluster.apply(object, dryRun);
    const isDenied = answer.status === 422 || answer.status === 403;
    if (!isDenied || !howOf(answer).includes(`'${admissionName(request.site)}'`) || tries === ADMISSION_TRIES) return answer;
    await wait(ADMISSION_PAUSE_MS);
  }
}

async function lookBeside(cluster: Cluster): Promise<ClusterAnswer> {
  if (request.strays === undefined) return { is: 'found', strays: [] };
  const found = await findStrays(cluster, objects, request.strays);
  return 'strays' in found
    ? { is: 'found', strays: found.strays }
    : { is: 'failed', how: `look beside the release: ${howOf(found.problem)}` };
}

/** What lies in a namespace, or is of a kind, that the release itself brings cannot be tried before that is there. */
async function tryAll(cluster: Cluster): Promise<ClusterAnswer | undefined> {
  const brings = objects.some(({ kind }) => kind === 'Namespace' || kind === 'CustomResourceDefinition');
  for (const object of objects) {
    const answer = await applied(cluster, object, 'yes');
    const problem = answer.status === 404 && brings ? undefined : problemOf('apply', object, answer);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function applyAll(cluster: Cluster): Promise<ClusterAnswer | undefined> {
  for (const object of objects) {
    const problem = problemOf('apply', object, await applied(cluster, object, 'no'));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function removeAll(cluster: Cluster): Promise<ClusterAnswer | undefined> {
  for (const key of request.keys.filter(isRemovable).toReversed()) {
    const answer = await cluster.remove(key, request.site);
    // its kind, or it, is gone already
    const problem = answer.status === 404 ? undefined : problemOf('remove', key, answer);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** How long what was removed may take to go, with what belongs to it. */
const GONE_TRIES = 240;
const GONE_PAUSE_MS = 250;

/** The server answers a removal at once; its controllers end what belongs to the object first. */
async function allGone(cluster: Cluster): Promise<ClusterAnswer | undefined> {
  for (const key of request.keys.filter(isRemovable)) {
    for (let tries = 1; !(await cluster.isGone(key, request.site)); tries += 1) {
      if (tries === GONE_TRIES)
        return { is: 'failed', how: `remove ${keyText(key)}: expected it to go within a minute, it is still there` };
      await wait(GONE_PAUSE_MS);
    }
  }
  return undefined;
}

async function lookAtAll(cluster: Cluster): Promise<ClusterAnswer> {
  const rollouts: Rollout[] = [];
  for (const key of request.keys) {
    const answer = await cluster.look(key);
    if (answer.status === 200) rollouts.push(rolloutOf(answer.body));
    else rollouts.push({ is: answer.status === 404 ? 'failed' : 'waiting', how: `${keyText(key)}: ${howOf(answer)}` });
  }
  return rollouts.find(({ is }) => is === 'failed') ?? rollouts.find(({ is }) => is === 'waiting') ?? { is: 'ready' };
}

/** A server says by these that the object itself is wrong; by others that it, or this site's rights, are. */
const NEVER = [400, 404, 409, 413, 415, 422];

/** A field that its kind has not is found while the patch is typed, and the server calls that an internal error. */
function isNever(answer: Answer): boolean {
  if (answer.status === undefined) return false;
  return NEVER.includes(answer.status) || (answer.status === 500 && howOf(answer).includes('failed to create typed patch object'));
}

function problemOf(verb: string, key: ObjectKey, answer: Answer): ClusterAnswer | undefined {
  if (answer.status !== undefined && answer.status < 300) return undefined;
  const is = isNever(answer) ? 'refused' : 'failed';
  return { is, how: `${verb} ${keyText(key)}: ${howOf(answer)}` };
}

function howOf(answer: Answer): string {
  if (answer.status === undefined) return answer.why;
  const { message } = (answer.body ?? {}) as { readonly message?: unknown };
  return `got ${answer.status}${typeof message === 'string' ? `: ${message.slice(0, 500)}` : ''}`;
}

async function answered(): Promise<ClusterAnswer> {
  try {
    const cluster = openCluster(request.kubeconfig, request.namespace);
    try {
      return await carryOut(cluster);
    } finally {
      await cluster.close();
    }
  } catch (error) {
    if (error instanceof SealaneError || error instanceof Error) return { is: 'failed', how: error.message };
    throw error;
  }
}

void answered().then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
