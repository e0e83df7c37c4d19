/** A23: one signed manifest everywhere; a site sets only what the release declares, in its range, and its receipt names the rendered values. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { editConfig } from '../support/site-world.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { checkOf, makeParityLane, type ParityLane } from './parity-lane.js';

const DECLARES = `variables:
  - { name: POLL_SECONDS, type: integer, min: 1, max: 60, default: 5 }
  - { name: MODE, type: choice, choices: [slow, fast] }
`;
/** Writes down what it was given, then runs. */
const START =
  'echo "$SEALANE_VERSION $SEALANE_VAR_MODE $SEALANE_VAR_POLL_SECONDS" > "$SEALANE_STATE/../given"; cp "$SEALANE_VARIABLES" "$SEALANE_STATE/../rendered.json"; exec sleep 600';

let it: ParityLane;
let site: TestSite;
beforeAll(async () => {
  it = await makeParityLane('      - use: variables\n');
  site = await enrolSite(it.lane, path.join(it.lane.dir, 'site'), { driver: { start: ['/bin/sh', '-c', START] } });
});
afterAll(async () => {
  await site.stop();
  await it.stop();
});

const given = (): string => readFileSync(path.join(site.dir, 'given'), 'utf8').trim();

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
function lastReceipt(): any {
  const folder = path.join(site.state, 'receipts');
  const file =
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .at(-1) ?? '';
  const bundle = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as { readonly dsseEnvelope: { readonly payload: string } };
  return JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()).predicate;
}

async function promoted(version: string, declares = DECLARES): Promise<string> {
  const release = await it.release(version, declares);
  await it.throughPreprod(release);
  await it.promote(release);
  return release;
}

test('A23 values in range reach the workload and the receipt names what was rendered; others are refused, and what runs goes on', async () => {
  const first = await promoted('1.0.0');
  expect(await site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'SITE_VARIABLES' });
  editConfig(site.dir, 'variables', { MODE: 'fast' });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: first });
  expect(given()).toBe('1.0.0 fast 5');
  const rendered = readFileSync(path.join(site.dir, 'rendered.json'));
  expect(JSON.parse(rendered.toString())).toEqual({ MODE: 'fast', POLL_SECONDS: 5 });
  expect(lastReceipt()).toMatchObject({
    event: 'installed',
    variables: { MODE: 'fast' },
    rendered: `sha256:${createHash('sha256').update(rendered).digest('hex')}`,
  });

  const second = await promoted('1.1.0');
  for (const [variables, line] of [
    [{ MODE: 'fast', POLL_SECONDS: 0 }, 'POLL_SECONDS: expected a whole number 1–60, got 0'],
    [{ MODE: 'fast', POLL_SECONDS: '7' }, 'POLL_SECONDS: expected a whole number 1–60, got "7"'],
    [{ MODE: 'fast', DEBUG: true }, 'DEBUG is not declared by the release'],
    [{}, 'MODE has no default and is not set'],
  ] as const) {
    editConfig(site.dir, 'variables', variables);
    const refused = await site.must(['update'], 3);
    expect(refused).toMatchObject({ outcome: 'refused', reason: 'SITE_VARIABLES', previous: first });
    expect(checkOf(refused, 'variables').actual).toContain(line);
    expect(given()).toBe('1.0.0 fast 5');
  }
  editConfig(site.dir, 'variables', { MODE: 'slow', POLL_SECONDS: 7 });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
  expect(given()).toBe('1.1.0 slow 7');
  // a release that is gone back to has the values that it was installed with
  expect(await site.must(['rollback'])).toMatchObject({ outcome: 'installed', release: first });
  expect(given()).toBe('1.0.0 fast 5');
});

test('A23 the promoter names sites whose last receipt tells values that a release does not take', async () => {
  const out = path.join(it.lane.dir, 'receipts');
  await site.must(['receipt', 'export', out]);
  await it.lane.sealane([
    'statement',
    'add',
    ...readdirSync(out)
      .sort()
      .map((name) => path.join(out, name)),
  ]);
  const release = await it.release('2.0.0', 'variables: [{ name: MODE, type: choice, choices: [slow] }]\n');
  await it.throughPreprod(release);
  expect(checkOf(await it.lane.sealane(['plan', release, '--to', 'prod'], 3), 'variables')).toMatchObject({
    verdict: 'fail',
    code: 'SITE_VARIABLES',
    actual: '0 of 1 site fits; harbour-7: POLL_SECONDS is not declared by the release',
  });
});

test('A23 a declaration that does not hold together is refused with its line, and no release is made', async () => {
  const part = it.file('part.txt', 'x');
  const words = ['release', 'create', '--name', 'readings', '--version', '3.0.0', '--manifest', part, '--key', 'author', '--declare'];
  for (const [text, message] of [
    ['variables:\n  - { name: lower, type: boolean }\n', /:2:7: variables\.0\.name/],
    ['variables: [{ name: N, type: integer, min: 1 }]\n', /expected min and max for type integer/],
    ['variables: [{ name: N, type: integer, min: 1, max: 2, default: 3 }]\n', /its default: expected a whole number 1–2, got 3/],
  ] as const) {
    const answer = await it.lane.sealane([...words, it.file('bad.yaml', text)], 2);
    expect(answer.error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string });
  }
});
