/** The key of a lane's log, replaced by the commands that an operator, its owners and its witness would run. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestLane } from './lane.js';
import { type Server, startServer } from './run.js';

/** The lane's witness ends, and another process goes on with its state at its address, knowing these keys of logs (or files of them). */
export async function restartWitness(lane: TestLane, running: Server, ...logs: readonly string[]): Promise<Server> {
  await running.stop();
  const words = ['--state', path.join(lane.dir, 'witness'), '--listen', new URL(running.url).host];
  return await startServer('sealane', ['witness', 'serve', ...words, ...logs.flatMap((log) => ['--log', log])]);
}

/** What the home tells witnesses: the key of the log, and the next one while that takes its place. */
export function logVkeys(lane: TestLane): readonly string[] {
  return readFileSync(path.join(lane.home, 'log.vkey'), 'utf8').trim().split('\n');
}

/** The owners of targets sign the open proposal. */
export async function signAsOwners(lane: TestLane): Promise<void> {
  for (const owner of ['targets-1', 'targets-2'])
    await lane.sealane(['trust', 'sign', path.join(lane.home, 'proposal.json'), '--key', owner]);
}

/** Replaces the key of the log from start to end; returns the witness that knows the new one only. */
export async function replaceLogKey(lane: TestLane): Promise<Server> {
  await lane.sealane(['key', 'rotate', 'log'], 5);
  await signAsOwners(lane);
  const both = await restartWitness(lane, lane.witness, path.join(lane.home, 'log.vkey'));
  await lane.sealane(['trust', 'publish']);
  return await restartWitness(lane, both, ...logVkeys(lane));
}
