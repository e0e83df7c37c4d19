/** What reaches a witness against what a stranger may send: taken or refused by name, and written back as it came. */
import { test } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { formatAddCheckpoint, parseAddCheckpoint } from './request.js';

test('add-checkpoint', () => {
  const hash = new Uint8Array(32).fill(7);
  const note = 'lane.example\n4\nAAAA\n\n\u2014 lane.example AAAAAAAA\n';
  tryParser({
    parse: (bytes) => parseAddCheckpoint(Buffer.from(bytes).toString('latin1')),
    write: (request) => Buffer.from(formatAddCheckpoint(request), 'latin1'),
    samples: [formatAddCheckpoint({ oldSize: 3, proof: [hash, hash], note: Buffer.from(note).toString('latin1') })].map((text) =>
      Buffer.from(text, 'latin1'),
    ),
    codes: /^WITNESS_REQUEST$/,
  });
});
