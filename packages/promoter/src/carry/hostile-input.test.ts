/** What is carried in by hand against what a stranger may have made of it on the way: taken or refused by name, and at once. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseStatement } from '@sealane/core';
import { readAnchor } from '@sealane/trust';
import { afterAll, beforeAll, test } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { makeHome, type TestHome } from '../testing/test-home.js';
import { readStatements } from '../log/statement-add.js';
import { CARRIED, parseCarried } from './carried-statements.js';

const CODES =
  /^(?:CONFIG_INVALID|TRUST_\w+|JSON_\w+|BYTES_MALFORMED|STATEMENT_\w+|ENVELOPE_MALFORMED|NOTE_\w+|CHECKPOINT_MALFORMED|CERTIFICATE_MALFORMED)$/;

let home: TestHome;
let carried: Uint8Array;
/** Statements that tie the same release to this log, as another lane would have them logged. */
let anchors: readonly Uint8Array[];

beforeAll(async () => {
  home = await makeHome();
  const release = await home.release('1.0.0');
  const out = path.join(home.dir, 'carried');
  await home.sealane(['evidence', 'export', release, '--out', out]);
  carried = readFileSync(path.join(out, CARRIED.statements));
  const checkpoint = readFileSync(path.join(out, CARRIED.log, 'checkpoint'), 'utf8');
  const digest = release;
  const predicate = {
    origin: 'lane.example',
    log: 'lane.example+00000000+AAAA',
    witnesses: ['witness.example+00000000+BAAA'],
    quorum: 1,
    checkpoint,
    statements: [{ digest, predicateType: 'urn:sealane:release:v1', logIndex: 0, bundle: { digest, length: 1 } }],
  };
  const subject = [{ digest: { sha256: release.slice('sha256:'.length) } }];
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: 'urn:sealane:anchor:v1', predicate };
  anchors = [new TextEncoder().encode(JSON.stringify(statement))];
});
afterAll(async () => {
  await home.stop();
});

test('statements.json', () => {
  tryParser({ parse: (bytes) => parseCarried('statements.json', bytes), samples: [carried], codes: CODES, runs: 200 });
});

test('statements by hand', () => {
  const bundles = JSON.parse(Buffer.from(carried).toString()) as readonly object[];
  const samples = [JSON.stringify(bundles.slice(0, 1)), JSON.stringify(bundles[0])];
  tryParser({ parse: (bytes) => readStatements(bytes, 'by hand'), samples, codes: new RegExp(`${CODES.source}|^USAGE$`), runs: 200 });
});

test('anchors', () => {
  tryParser({ parse: (bytes) => readAnchor(parseStatement(bytes)), samples: anchors, codes: CODES, runs: 200 });
});
