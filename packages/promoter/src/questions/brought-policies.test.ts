/** What somebody brings to a service is judged among others who wait: its rules are those that owners have signed, since one rule can take minutes. */
import { type JsonObject, parseStrictJson, utf8 } from '@sealane/core';
import type { CommandIo, CommandResult } from '@sealane/core/command-line';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homeAt } from '../home.js';
import { GATE_QUESTIONS } from '../service/gate-questions.js';
import type { RouteContext } from '../service/route.js';
import { AUDIT_ROUTES } from '../service/routes/audit.js';
import { makeHome, PIPELINE, type TestHome } from '../testing/test-home.js';
import { readLaneTrust } from '../trust/lane-trust.js';

const OURS = { use: 'cel', with: { message: 'ours', expression: 'groups.size() > 0' } };
const SIGNED = PIPELINE.replace('gates: [{ use: provenance }]', `gates: [{ use: provenance }, ${JSON.stringify(OURS)}]`);
const SLOW = { use: 'cel', with: { message: 'slow', expression: 'packages.all(a, packages.all(b, a.name + b.name != ""))' } };
const FREEZE = {
  use: 'windows',
  with: { timeZone: 'UTC', freeze: [{ start: '2000-01-01T00:00', rule: 'FREQ=DAILY', days: 1, reason: 'slow' }] },
};

let lane: TestHome;

beforeAll(async () => {
  lane = await makeHome(SIGNED);
  // a refusal, which every policy is asked about
  await lane.sealane(['promote', await lane.release('1.0.0'), '--to', 'dev'], 3);
});

afterAll(async () => {
  await lane.stop();
});

/** The policy of dev as published, with other gates. */
function withGates(...gates: readonly object[]): Uint8Array {
  const bytes = readLaneTrust(homeAt(lane.home)).stages.get('dev')?.policyBytes ?? new Uint8Array();
  const policy = parseStrictJson(bytes, { maxBytes: bytes.length, maxDepth: 32 }) as JsonObject;
  return utf8(JSON.stringify({ ...policy, version: Number(policy['version']) + 1, gates: [{ use: 'provenance', with: {} }, ...gates] }));
}

const io: CommandIo = {
  env: {},
  cwd: '/',
  isTerminal: false,
  signal: new AbortController().signal,
  out: () => undefined,
  talk: () => undefined,
};

async function onPage(bytes: Uint8Array): Promise<CommandResult> {
  const brings = GATE_QUESTIONS.find(({ name }) => name === 'policy')?.brings;
  if (brings === undefined) throw new Error('expected a page that takes a policy');
  return await brings.answer({ args: [], options: { home: lane.home }, io }, bytes);
}

async function overTheApi(bytes: Uint8Array): Promise<CommandResult> {
  const route = AUDIT_ROUTES.find(({ id }) => id === 'audit.policy');
  if (route === undefined) throw new Error('expected a route that takes a policy');
  const context: Pick<RouteContext, 'body' | 'command'> = {
    body: () => Promise.resolve(bytes),
    command: (spec, args, options) => spec.run({ args, options: { ...options, home: lane.home }, io }),
  };
  return await route.run({ params: {}, query: {} }, context as RouteContext);
}

describe.each([
  ['pasted into the page', onPage],
  ['posted to the API', overTheApi],
])('a policy that is %s', (_what, ask) => {
  it('is judged with the rules that owners have signed, or without them', async () => {
    for (const gates of [[OURS], []]) expect(await ask(withGates(...gates))).toMatchObject({ exit: 0, json: { complete: true } });
  });

  it.each([
    ['a rule of its own', [SLOW]],
    ['a rule of its own beside the signed one', [OURS, SLOW]],
    ['the signed one oftener', [OURS, OURS]],
    ['a freeze of its own', [OURS, FREEZE]],
  ])('is not with %s', async (_which, gates) => {
    await expect(ask(withGates(...gates))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('expected the rules of cel and windows that the policy of dev has') as string,
      hint: expect.stringContaining('sealane audit policy FILE --home COPY') as string,
    });
  });
});

it('the command judges any: nobody waits for a copy of the lane', async () => {
  const file = lane.file('policy.json', Buffer.from(withGates(SLOW, FREEZE)).toString());
  expect((await lane.sealane(['audit', 'policy', file])).answer.policies).toMatchObject([{ stage: 'dev', judged: 1 }]);
});
