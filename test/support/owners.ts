/** Owners of a lane on machines of their own: files are carried to them and back, and their private keys never lie with the promoter. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestLane } from './lane.js';
import { type Answer, expectJson, runJson, type RunOptions } from './run.js';

/** A machine that has the key of one owner and nothing of the lane. */
export interface OwnerMachine {
  readonly owner: string;
  readonly home: string;
  run(words: readonly string[], options?: RunOptions): Promise<Answer>;
  /** Signs a copy of the proposal; returns the copy's file. */
  sign(proposal: string, key?: string): Promise<string>;
  /** Makes the owner's next key here; returns the file of its public half, to be carried to the promoter. */
  nextKey(): Promise<string>;
}

/** Moves an owner's private key to a machine of its own; the promoter keeps the public half. */
export async function moveAway(lane: TestLane, owner: string): Promise<OwnerMachine> {
  const home = path.join(lane.dir, `machine-${owner}`);
  mkdirSync(path.join(home, 'keys'), { recursive: true, mode: 0o700 });
  const local = path.join(lane.home, 'owners', `${owner}.pem`);
  const moved = path.join(home, 'keys', `${owner}.pem`);
  cpSync(local, moved);
  rmSync(local);
  const run: OwnerMachine['run'] = (words, options) => runJson('sealane', [...words, '--home', home], options);
  const pub = (await expectJson('sealane', ['key', 'export', owner, '--home', home])).public as string;
  writeFileSync(path.join(lane.home, 'owners', `${owner}.pub.pem`), pub);
  return {
    owner,
    home,
    run,
    async sign(proposal, key = owner) {
      const copy = path.join(home, 'proposal.json');
      cpSync(proposal, copy);
      await expectJson('sealane', ['trust', 'sign', copy, '--key', key, '--home', home]);
      return copy;
    },
    async nextKey() {
      const made = await expectJson('sealane', ['key', 'create', `${owner}-new`, '--home', home]);
      const carried = path.join(home, `${owner}.next.pub.pem`);
      writeFileSync(carried, made.public);
      return carried;
    },
  };
}

/** Puts an owner's next public half where the promoter looks for it. */
export function carry(lane: TestLane, file: string): void {
  cpSync(file, path.join(lane.home, 'owners', path.basename(file)));
}

/** Replaces text in the home's pipeline, which must hold it. */
export function editPipeline(lane: TestLane, from: string, to: string): void {
  const file = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`edit ${file}: expected ${from} in it`);
  writeFileSync(`${file}.new`, text.replace(from, to));
  renameSync(`${file}.new`, file);
}
