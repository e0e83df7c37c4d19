/**
 * The program that talks to the cluster: a request on standard input; the one line of stdout is the answer.
 *
 * The driver starts it where workloads stand: `apply` itself has no network.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SealaneError } from '@sealane/core';
import { howOf } from './answers.js';
import { type Cluster, openCluster } from './cluster-shell.js';
import { kubeconfigFile } from './kubeconfig.js';
import { keyText } from './objects.js';
import { withValues } from './release-secret.js';
import { isDoneJob, type Rollout, rolloutOf } from './rollout.js';
import { allGone, applyOwn, applySet, removeKeys } from './set-shell.js';
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
  const set = { cluster, request, objects };
  switch (request.do) {
    case 'try': {
      const tried = await applySet(set, request.fence, 'yes');
      return 'problem' in tried ? tried.problem : { is: 'ready' };
    }
    case 'apply': {
      const done = await applySet(set, request.fence, 'no');
      return 'problem' in done ? done.problem : ((await removeKeys(set, done.uids)) ?? { is: 'ready' });
    }
    case 'permit':
      return await applyOwn(set);
    case 'look':
      return await lookAtAll(cluster);
    case 'remove':
      return (await removeKeys(set, new Set())) ?? (await allGone(set)) ?? { is: 'ready' };
    case 'strays':
      return await lookBeside(cluster);
  }
}

async function lookBeside(cluster: Cluster): Promise<ClusterAnswer> {
  if (request.strays === undefined) return { is: 'found', strays: [] };
  const found = await findStrays({ cluster, request, objects }, request.strays);
  return 'strays' in found
    ? { is: 'found', strays: found.strays }
    : { is: 'failed', how: `look beside the release: ${howOf(found.problem)}` };
}

async function lookAtAll(cluster: Cluster): Promise<ClusterAnswer> {
  const rollouts: Rollout[] = [];
  const done: string[] = [];
  for (const key of request.keys) {
    const answer = await cluster.look(key);
    if (answer.status === 404 && request.done?.includes(keyText(key)) === true) continue;
    if (answer.status === 200 && isDoneJob(answer.body)) done.push(keyText(key));
    if (answer.status === 200) rollouts.push(rolloutOf(answer.body));
    else rollouts.push({ is: answer.status === 404 ? 'failed' : 'waiting', how: `${keyText(key)}: ${howOf(answer)}` });
  }
  const worst = rollouts.find(({ is }) => is === 'failed') ?? rollouts.find(({ is }) => is === 'waiting') ?? { is: 'ready' };
  return { ...worst, done };
}

async function answered(): Promise<ClusterAnswer> {
  try {
    const cluster = openCluster(kubeconfigFile(request.kubeconfig, process.env), request.namespace);
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
