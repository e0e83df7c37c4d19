/** Which statements may hold a word: none that does is left out, whatever JSON it is in. */
import { sign } from 'node:crypto';
import { INTOTO_PAYLOAD_TYPE, makeEnvelope, pae, utf8 } from '@sealane/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewEntry } from '../log/entry.js';
import { type TestHome, testHome } from '../testing/open.js';
import { signed, testKey } from '../testing/statements.js';

const [LIST, OTHER] = ['urn:example:list:v1', 'urn:example:other:v1'];
const author = testKey();
let home: TestHome;

beforeEach(() => {
  home = testHome();
});
afterEach(async () => {
  await home.remove();
});

/** A statement in the JSON of somebody else. */
function written(predicate: string): NewEntry {
  const payload = utf8(
    `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"${'00'.repeat(32)}"}}],"predicateType":"${LIST}","predicate":${predicate}}`,
  );
  return {
    envelope: makeEnvelope(
      INTOTO_PAYLOAD_TYPE,
      payload,
      new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), author.privateKey)),
    ),
    spki: author.spki,
  };
}

test('of the types that are asked for, those with the word as it is or with a letter as a number; with the empty word all', async () => {
  const ledger = await home.open();
  await ledger.append([
    signed(author, LIST, { name: 'left-pad' }),
    signed(author, LIST, { name: 'right-pad' }),
    signed(author, OTHER, { name: 'left-pad' }),
    written('{"name":"\\u006ceft-pad"}'),
    written('{ "name" : "a\\/left-pad" }'),
  ]);
  expect(await ledger.statementsNaming({ types: [LIST], word: 'left-pad' })).toEqual([0, 3, 4]);
  expect(await ledger.statementsNaming({ types: [LIST, OTHER], word: 'left-pad' })).toEqual([0, 2, 3, 4]);
  expect(await ledger.statementsNaming({ types: [LIST], word: '' })).toEqual([0, 1, 3, 4]);
  expect(await ledger.statementsNaming({ types: ['urn:example:none:v1'], word: '' })).toEqual([]);
  await ledger.close();
});
