import type { ErrorCode } from '@sealane/core';
import { expect, test } from 'vitest';
import type { Phase } from '../apply/state.js';
import { program } from '../program.js';
import { administratorsHold, commandOf, endsHold, isOnlooker, VERBS } from './verbs.js';

const request = { v: 1 as const, verb: 'status', args: [], options: {} };

test('every verb is a command of the program, and none takes an option that names a file', async () => {
  expect(Object.keys(program.commands)).toEqual(expect.arrayContaining([...VERBS]));
  for (const verb of VERBS) {
    const { command } = (await program.commands[verb]?.load()) ?? {};
    expect(command?.name).toBe(verb);
    for (const { flags } of command?.options ?? []) expect(flags).not.toMatch(/<(?:file|dir|socket)>/);
  }
});

test('takes the options and arguments that a command declares, and no others', async () => {
  const hold = { ...request, verb: 'hold', options: { reason: 'x', until: '2099-01-01T00:00:00Z' } };
  expect((await commandOf(hold, program.commands)).name).toBe('hold');
  for (const bad of [
    { ...hold, options: { reason: 'x', config: '/etc/passwd' } },
    { ...hold, args: ['more'] },
    { ...request, verb: 'enroll' },
    { ...request, verb: 'toString' },
  ])
    await expect(commandOf(bad, program.commands)).rejects.toMatchObject({ code: 'USAGE' });
});

test('who only looks waits for nobody', () => {
  expect(isOnlooker(request)).toBe(true);
  expect(isOnlooker({ ...request, verb: 'doctor' })).toBe(true);
  expect(isOnlooker({ ...request, verb: 'doctor', options: { mend: true } })).toBe(false);
  expect(isOnlooker({ ...request, verb: 'update' })).toBe(false);
});

test('a hold waits for an administrator after a part without a way back and after a damaged journal, and after nothing else', () => {
  const held = (code: ErrorCode): Phase => ({ at: 'held', code, message: 'x', target: null });
  for (const code of ['ONE_WAY_FAILED', 'STATE_CORRUPT'] as const) expect(administratorsHold(held(code))).toBe(code);
  expect(administratorsHold(held('ROLLBACK_FAILED'))).toBeUndefined();
  expect(administratorsHold({ at: 'idle' })).toBeUndefined();
  expect(VERBS.filter((verb) => endsHold({ ...request, verb }))).toEqual(['commit', 'unhold']);
});
