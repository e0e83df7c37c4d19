/** The auditor's examples: each command of docs/auditor.md is run in the lane that it describes, and its output stands there. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandWords, ROOT, runJson, runProgram } from '../support/run.js';
import { type AuditorLane, auditorLane } from './auditor-lane.js';

const PAGE = path.join(ROOT, 'docs', 'auditor.md');
const BLOCK = /```console\n\$ (sealane audit [^\n]*)\n[^`]*?```/g;
/** A question of the page: its number and words. */
const QUESTION = /^### (\d+)\. /gm;

let story: AuditorLane;

beforeAll(async () => {
  story = await auditorLane();
});

afterAll(async () => {
  await story.remove();
});

/** The words of a command line as a shell reads them, with what the page leaves to its reader filled in. */
function wordsOf(line: string): readonly string[] {
  const { then, refused, decision, proposal } = story;
  const values: Readonly<Record<string, string>> = { $THEN: then, $REFUSED: refused, $DECISION: decision, $PROPOSAL: proposal };
  const filled = line.replace(/\$[A-Z]+/g, (name) => values[name] ?? name);
  return [...filled.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
}

/** What is another on each machine and each day: times, digests, keys, roots, this machine. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:]{8}Z/g, '2026-…Z')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:…')
    .replace(/\b[0-9a-f]{64}\b/g, '…')
    .replace(/\b[0-9a-f]{12,16}…/g, '…')
    .replace(/[A-Za-z0-9+/]{43}=/g, '…')
    .replace(/\d+ s\b/g, '… s')
    .replace(/\d+ requests, (.*?, )\d+ bytes of bulk in \d+ ms/g, '… requests, $1… bytes of bulk in … ms')
    .replace(/^( +host: )(?!Northrack).*?(: \d+ units?, .*)?$/gm, '$1this machine$2')
    .replace(/(host: this machine)(?:\n {6}\S.*)+/g, '$1')
    .trimEnd();
}

it('D4 every example of docs/auditor.md says what stands there', async () => {
  const page = readFileSync(PAGE, 'utf8');
  let told = '';
  let end = 0;
  for (const match of page.matchAll(BLOCK)) {
    const line = match[1] ?? '';
    const { exit, stdout, stderr } = await runProgram(
      process.execPath,
      commandWords('sealane', [...wordsOf(line), '--home', story.lane.home]),
    );
    expect({ line, exit, stderr }).toEqual({ line, exit: 0, stderr: '' });
    told += `${page.slice(end, match.index)}\`\`\`console\n$ ${line}\n${steady(stdout)}\n\`\`\``;
    end = match.index + match[0].length;
  }
  await expect(told + page.slice(end)).toMatchFileSnapshot(PAGE);
});

it('D4 the page has every question, each with an example', () => {
  const page = readFileSync(PAGE, 'utf8');
  const numbers = [...page.matchAll(QUESTION)].map(([, number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: 25 }, (_, at) => at + 1));
  for (const part of page.split(/^### /m).slice(1)) expect(part).toMatch(/^\$ sealane audit /m);
});

it('D4 every question is answered with digests under one checkpoint, and in two times', async () => {
  const commands = new Set(
    [...readFileSync(PAGE, 'utf8').matchAll(BLOCK)].map(([, line = '']) => line).filter((line) => !line.includes('verify')),
  );
  for (const line of commands) {
    const times = line.includes('--as-') ? [] : ['--as-of', story.then];
    const { json, exit } = await runJson('sealane', [...wordsOf(line), ...times, '--home', story.lane.home]);
    if (json.error !== undefined) {
      // what happened later cannot be named as of then
      expect({ line, exit }).toEqual({ line, exit: 2 });
      continue;
    }
    expect(json, line).toMatchObject({ complete: true, answer: { doubts: [] } });
    const size = Number((json.checkpoint as string).split('\n')[1]);
    for (const { digest, logIndex } of json.statements) {
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(logIndex).toBeLessThan(size);
    }
  }
});

it('D3 the answers name who, what, where and why: refusals, grants, receipts, keys, acts without a person', async () => {
  const ask = (...words: readonly string[]): Promise<{ answer: Readonly<Record<string, never>> }> =>
    story.lane.sealane(['audit', ...words]);
  expect((await ask('approvals', story.two)).answer).toMatchObject({ approvals: [{ person: 'alice' }, { person: 'bob' }], conflicts: [] });
  expect((await ask('decisions', story.two, '--stage', 'prod')).answer).toMatchObject({
    decisions: [
      { result: 'FAILED', then: { between: expect.any(Array) as unknown } },
      { result: 'PASSED', then: null },
    ],
  });
  expect((await ask('waivers')).answer).toMatchObject({ waivers: [{ bound: ['hardware'], people: ['alice'], used: [], open: false }] });
  expect((await ask('rollbacks')).answer).toMatchObject({
    sites: [{ site: 'harbour-7', event: 'rollback', left: story.two, runs: story.one }],
  });
  expect((await ask('drift')).answer).toMatchObject({ drifted: [{ site: 'harbour-7', assigned: story.two, running: story.one }] });
  expect((await ask('exposure')).answer).toMatchObject({ exposedNow: ['harbour-7'] });
  expect((await ask('unit', 'NR0001')).answer).toMatchObject({
    releases: [{ release: story.two }],
    runs: [{ result: 'FAILED' }, { result: 'PASSED' }],
  });
  expect((await ask('remedy', 'CVE-2026-0001')).answer).toMatchObject({ open: ['harbour-7'], affected: [{ release: story.one }] });
  expect((await ask('exposure', '--package', 'left-pad@1.0.0')).answer).toMatchObject({ releases: [{ release: story.one }] });
  const { answer } = await ask('automatic', '--stage', 'prod');
  for (const act of answer['acts'] as unknown as readonly Record<string, string>[])
    expect(act).toMatchObject({
      owner: expect.stringMatching(/./) as unknown,
      trigger: expect.stringMatching(/./) as unknown,
      wayBack: expect.stringMatching(/./) as unknown,
    });
});
