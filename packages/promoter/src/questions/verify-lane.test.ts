/** `audit verify` over what lies in a lane beside its log, where something of it is gone. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { keyIdOf, makeSiteRequest } from '@sealane/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';

let lane: TestHome;
let content: string;
let blobs: string;

beforeAll(async () => {
  lane = await makeHome();
  [content, blobs] = [path.join(lane.home, 'lane', 'content'), path.join(lane.home, 'lane', 'content', 'blobs', 'sha256')];
  const release = await lane.release('1.0.0');
  await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('built.json', PROVENANCE), '--key', 'builder']);
  await lane.sealane(['promote', release, '--to', 'dev']);
  await retireSite();
});
afterAll(() => lane.stop());

/** A site that was enrolled and is retired: the word that it is waits for it in a shard. */
async function retireSite(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const host = {
    keyId: keyIdOf(spki),
    spki,
    sign: (data: Uint8Array) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))),
  };
  const request = await makeSiteRequest({ name: 'harbour-7', nonce: '0'.repeat(32), recipient: null, hbom: null }, host);
  const file = lane.file('request.json', new TextDecoder().decode(request));
  await lane.sealane(['site', 'add', file, '--stage', 'dev', '--key', 'registrar']);
  await lane.sealane(['site', 'retire', 'harbour-7', '--reason', 'torn down', '--key', 'registrar']);
}

/** The blobs that the channel of dev names by this word, or that are named by it in one of those. */
function namedIn(text: string, word: string): string {
  const found = new RegExp(`"${word}":"sha256:([0-9a-f]{64})"`).exec(text)?.[1];
  if (found === undefined) throw new Error(`expected ${word} in ${text}`);
  return found;
}

function channelText(): string {
  const channels = path.join(lane.home, 'lane', 'trust', 'targets', 'channel');
  const texts = readdirSync(channels).map((name) => readFileSync(path.join(channels, name), 'utf8'));
  return texts.find((text) => text.includes('"stage":"dev"') && text.includes('"shards"')) ?? '';
}

async function problems(): Promise<readonly { readonly where: string; readonly key: string }[]> {
  const { answer } = await lane.sealane(['audit', 'verify'], 4);
  return answer.problems.map(({ where, key }: { readonly where: string; readonly key: string }) => ({ where, key }));
}

test('nothing is wrong while all of it is there', async () => {
  expect((await lane.sealane(['audit', 'verify'])).answer).toEqual({ ok: true, problems: [] });
});

test('a shard of a channel that is gone is named, and so is what waits in it for a site', async () => {
  const shard = namedIn(/"shards":\[.*?\]/.exec(channelText())?.[0] ?? '', 'digest');
  const waiting = namedIn(readFileSync(path.join(blobs, shard), 'utf8'), 'digest');
  for (const name of [shard, waiting]) {
    renameSync(path.join(blobs, name), path.join(lane.dir, 'kept'));
    expect(await problems()).toEqual([{ where: 'content', key: name }]);
    renameSync(path.join(lane.dir, 'kept'), path.join(blobs, name));
  }
});

test('content that is gone as a whole, or was not handed over, is no lane in which nothing is wrong', async () => {
  rmSync(content, { recursive: true });
  expect(await problems()).toContainEqual({ where: 'content', key: namedIn(channelText(), 'waybill') });
});
