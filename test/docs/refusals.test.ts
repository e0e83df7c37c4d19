/**
 * `docs/refusals.md` is what the gates say when they refuse, noted while their own tests run. After a change of a gate or of its tests:
 * `npx vitest run --project system test/docs/refusals.test.ts -u`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Check, ERRORS } from '@sealane/core';
import { PROMOTER_VERDICTS } from '@sealane/trust';
import { promoterGates } from '@sealane/trust/promoter-gates';
import { format as pretty } from 'prettier';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../support/run.js';

/** What no policy names, and every evaluation adds. */
const ALWAYS = new Map([
  ['scope', 'keys, people and sources stay within what policy gives their team'],
  ['revoked', 'nobody revoked the release'],
]);

let refusals: readonly Check[];
const summaries = new Map(ALWAYS);

beforeAll(async () => {
  for (const { id, summary } of await promoterGates(PROMOTER_VERDICTS)) summaries.set(id, summary);
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-refusals-'));
  const file = path.join(dir, 'refusals.jsonl');
  const words = ['vitest', 'run', '--project', 'refusals', '--reporter', 'dot'];
  execFileSync('npx', words, { cwd: ROOT, env: { ...process.env, SEALANE_REFUSALS: file }, stdio: ['ignore', 'ignore', 'inherit'] });
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  rmSync(dir, { recursive: true });
  refusals = lines.map((line) => JSON.parse(line) as Check).filter(({ id }) => summaries.has(id));
});

/** Without what differs from run to run or from case to case: digests, keys, numbers. */
const plain = (text: string): string =>
  text
    .replace(/(?:sha256:)?[0-9a-f]{64}/g, (found) => (found.startsWith('sha256:') ? 'sha256:…' : '…'))
    .replace(/\s+/g, ' ')
    .trim();
const shapeOf = ({ verdict, code, actual }: Check): string => [code, verdict, plain(actual).replace(/\d+/g, 'N')].join(' ');

/** One refusal of each shape, in the order of their texts. */
function examples(id: string): readonly string[] {
  const found = new Map<string, string>();
  // how many more are left out hangs on the order of digests
  for (const check of refusals.filter((each) => each.id === id && !/\(and \d+ more\)/.test(each.actual))) {
    const line = lineOf(check);
    const known = found.get(shapeOf(check));
    if (known === undefined || line < known) found.set(shapeOf(check), line);
  }
  return [...found.values()].sort();
}

const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

function lineOf({ code: name = 'INTERNAL', verdict, expected, actual, remedy }: Check): string {
  const [wanted, got, next] = [expected, actual, remedy].map((text) => code(plain(text)));
  return `- **${name}** (${verdict}) expected ${wanted}, got ${got}. Next: ${next}`;
}

function page(): string {
  const parts = [...summaries.keys()].sort().map((id) => `## ${id}\n\nRule: ${summaries.get(id) ?? ''}.\n\n${examples(id).join('\n')}\n`);
  return `# What the gates say

Every refusal of every gate, generated from the gates' own tests (\`npx vitest run --project system test/docs/refusals.test.ts -u\`), one of each kind; digests and keys are cut. A check that is \`fail\` or \`error\` refuses a promotion (exit 3), one that is
\`pending\` waits (exit 5). \`plan\`, \`promote\`, \`explain\` and the decisions in the log say the same words. The codes are those of [errors.md](errors.md).

${parts.join('\n')}`;
}

test('docs/refusals.md has every refusal that a test of a gate brings about', async () => {
  await expect(await pretty(page(), { parser: 'markdown', printWidth: 220 })).toMatchFileSnapshot(path.join(ROOT, 'docs/refusals.md'));
});

test('every gate can refuse, and each refusal names what was expected, what was there, a code, and what to do next', () => {
  for (const id of summaries.keys()) expect(examples(id), id).not.toEqual([]);
  for (const { id, code: name, expected, actual, remedy } of refusals) {
    expect(Object.keys(ERRORS), id).toContain(name);
    for (const text of [expected, actual, remedy]) expect(text.trim(), `${id}: ${actual}`).not.toBe('');
  }
});
