/** What a step hands on to the next ones, also when a service that was taken over says it. */
import { sha256 } from '@sealane/core';
import { expect, test } from 'vitest';
import { githubOutput } from './github-output.js';

const OUTCOME = {
  release: sha256(new Uint8Array()),
  to: 'dev',
  decision: 'passed',
  checks: [],
  statement: null,
  logIndex: 4,
  exit: 0,
} as const;

test('names each output once, whatever its value is', () => {
  for (const line of ['\n', '\r', '\r\n', '\u2028']) {
    const earliest = `soon${line}statement=$(id)${line}decision<<X`;
    const lines = githubOutput({ ...OUTCOME, to: `dev${line}exit=1`, earliest }).split(/[\n\r\u2028]/);
    expect(lines.map((text) => text.split('=')[0])).toEqual([
      'release',
      'stage',
      'decision',
      'earliest',
      'statement',
      'log-index',
      'exit',
      '',
    ]);
    expect(lines).toContain('statement=');
  }
});
