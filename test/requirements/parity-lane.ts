/** A lane whose prod has gates of its own, documents of test runs as a lab writes them, and policy changes as owners make them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLane, type TestLane } from '../support/lane.js';

export interface ParityLane {
  readonly lane: TestLane;
  /** Writes a file beside the lane and returns its path. */
  file(name: string, text: string): string;
  /** A release whose declaration is `declares` (YAML); absent: none. */
  release(version: string, declares?: string): Promise<string>;
  /** A passing run of this suite with documents (kind → YAML), signed by the lab. */
  tests(release: string, suite: string, documents: Readonly<Record<string, string>>, exit?: number): Promise<Answer>;
  /** Approvals for prod, and its promotion; the answer of the latter. */
  promote(release: string, exit?: number): Promise<Answer>;
  /** Provenance and tests with hardware, and the stages before prod. */
  throughPreprod(release: string): Promise<void>;
  /** Replaces text in pipeline.yaml and has two owners sign what follows from it. */
  amend(from: string, to: string): Promise<void>;
  stop(): Promise<void>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
type Answer = any;

/** Makes the lane with `gates` (YAML list items) added to those of prod. */
export async function makeParityLane(gates: string): Promise<ParityLane> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-parity-'));
  const at = '      - use: approvals\n';
  const lane = await makeLane(dir, { pipeline: (text) => text.replace(at, `${gates}${at}`) });
  const file: ParityLane['file'] = (name, text) => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  return {
    lane,
    file,
    async release(version, declares) {
      const part = path.join(dir, 'parts', version);
      mkdirSync(path.join(part, 'srv'), { recursive: true });
      writeFileSync(path.join(part, 'srv', 'version'), `${version}\n`);
      const declared = declares === undefined ? [] : ['--declare', file('release.yaml', declares)];
      const words = ['release', 'create', '--name', 'readings', '--version', version, '--files', `app=${part}`, ...declared];
      return (await lane.sealane([...words, '--key', 'author'])).release as string;
    },
    async tests(release, suite, documents, exit) {
      const report = file('run.xml', `<testsuite name="${suite}"><testcase name="a"/><testcase name="b"/></testsuite>`);
      const words = Object.entries(documents).flatMap(([kind, text]) => [`--${kind}`, file(`${kind}.yaml`, text)]);
      return await lane.sealane(['evidence', 'add', release, '--tests', report, ...words, '--key', 'lab'], exit);
    },
    async promote(release, exit) {
      for (const person of ['alice', 'bob']) await lane.sealane(['approve', release, '--to', 'prod', '--key', person]);
      return await lane.sealane(['promote', release, '--to', 'prod'], exit);
    },
    async throughPreprod(release) {
      await lane.promote(release, 'edge-preprod');
    },
    async amend(from, to) {
      const pipeline = path.join(lane.home, 'pipeline.yaml');
      const text = readFileSync(pipeline, 'utf8');
      if (!text.includes(from)) throw new Error(`amend the pipeline: expected ${from} in it`);
      writeFileSync(pipeline, text.replace(from, to));
      await lane.sealane(['trust', 'propose'], 5);
      const proposal = path.join(lane.home, 'proposal.json');
      for (const key of ['targets-1', 'targets-2']) await lane.sealane(['trust', 'sign', proposal, '--key', key]);
      await lane.sealane(['trust', 'publish', proposal]);
    },
    async stop() {
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The check of one gate in an answer of `plan` or `promote`. */
export function checkOf(answer: Answer, id: string): Answer {
  return answer.checks.find((check: { readonly id: string }) => check.id === id);
}
