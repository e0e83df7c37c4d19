import { digestHex, sha256, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { encodeLayerIndex, type LayerIndex, parseLayerIndex } from './layer-index.js';

const entry = { linkTarget: '', mode: 0o644, sizeBytes: 0, modifiedSeconds: null, capability: false } as const;

const INDEX: LayerIndex = {
  blob: sha256(utf8('blob')),
  diffId: sha256(utf8('tar')),
  entries: [
    { ...entry, kind: 'dir', name: 'srv/', mode: 0o1777, modifiedSeconds: 0 },
    {
      ...entry,
      kind: 'file',
      name: 'srv/a "b"\u2028\n',
      sizeBytes: 3,
      modifiedSeconds: 1.5,
      digest: sha256(utf8('abc')),
      capability: true,
    },
    { ...entry, kind: 'file', name: 'srv/empty', digest: sha256(utf8('')) },
    { ...entry, kind: 'symlink', name: 'srv/s', linkTarget: 'a' },
    { ...entry, kind: 'hardlink', name: 'srv/h', linkTarget: 'srv/empty' },
  ],
};

const text = new TextDecoder().decode(encodeLayerIndex(INDEX));

/** As a program would have written it that means something else by it. */
function resummed(changed: string): Uint8Array {
  const lines = changed.slice(0, changed.lastIndexOf('\n', changed.length - 2) + 1);
  return utf8(`${lines}${digestHex(sha256(utf8(lines)))}\n`);
}

test('what is written is read again, with and without a diff id', () => {
  expect(parseLayerIndex(encodeLayerIndex(INDEX))).toEqual(INDEX);
  expect(parseLayerIndex(resummed(text))).toEqual(INDEX);
  expect(parseLayerIndex(encodeLayerIndex({ ...INDEX, diffId: undefined, entries: [] }))).toEqual({
    ...INDEX,
    diffId: undefined,
    entries: [],
  });
});

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['zeros', new Uint8Array(text.length)],
  ['half of it', utf8(text.slice(0, text.length / 2))],
  ['no last line', utf8(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1))],
  ['no newline at its end', utf8(text.slice(0, -1))],
  ['a changed byte', utf8(text.replace('420', '493'))],
  ['more after it', utf8(`${text}{}\n`)],
  ['another version', resummed(text.replace('"version":1', '"version":2'))],
  ['a field that is not known', resummed(text.replace('"kind":"dir",', '"kind":"dir","owner":0,'))],
  ['a kind that is not known', resummed(text.replace('"kind":"dir"', '"kind":"fifo"'))],
  ['a line less', resummed(text.replace(/\{"kind":"hardlink".*\n/, ''))],
  ['a digest that is none', resummed(text.replace(/"sha256":"../, '"sha256":"zz'))],
  ['no JSON', resummed(text.replace('{"kind":"dir"', '{'))],
  ['null', utf8('null\nnull\n')],
  ['null for a line', resummed(text.replace(/\{"kind":"dir".*\n/, 'null\n'))],
  ['a list', resummed(text.replace(/\{"kind":"dir".*\n/, '[]\n'))],
])('%s is no index', (_, bytes) => {
  expect(parseLayerIndex(bytes)).toBeUndefined();
});
