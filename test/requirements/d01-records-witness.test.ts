/** Row D1: witnesses of the log of records, of whom one has nothing of ours: what they have not seen is not answered, and an old copy of the whole host is found by them. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keyIdOf, parseVkey, verifyQuorum } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { makeLane, type TestLane } from '../support/lane.js';
import { recordBody, type RecordSignature, recordSignature, spkiOf } from '../support/record-request.js';
import { requireProgram } from '../support/require-program.js';
import { ROOT, runJson, type Server, startListening, startServer } from '../support/run.js';
import { api, type ApiAnswer, startService } from '../support/service.js';

const foreign = requireProgram('foreign-tlog');

describe.skipIf(foreign === undefined)('D1 witnesses of the log of records (skipped without foreign-tlog)', () => {
  let dir: string;
  let lane: TestLane;
  let service: Server;
  let own: Server;
  let other: Server;
  let lab: KeyObject;

  const startOwn = (listen = '127.0.0.1:0'): Promise<Server> =>
    startServer('sealane', [
      ...['witness', 'serve', '--state', path.join(dir, 'watch'), '--name', 'watch.example'],
      ...['--log', path.join(lane.home, 'records', 'log.vkey'), '--listen', listen],
    ]);
  const serve = (witnesses: readonly object[], quorum = 2): Promise<Server> => {
    const signers = [{ name: 'lab', key: keyIdOf(new Uint8Array(spkiOf(lab))) }];
    return startService(lane, stringify({ apiVersion: 'sealane/v1', kind: 'Service', records: { signers, witnesses, quorum } }));
  };
  const both = (): readonly object[] => [own, other].map(({ vkey, url }) => ({ vkey, url }));
  const post = (signature: RecordSignature): Promise<ApiAnswer> =>
    api(service, 'POST /api/v2/log/entries', { body: recordBody(signature) });
  const checkpoint = (): string => readFileSync(path.join(lane.lane, 'records', 'checkpoint'), 'utf8');
  const size = (): number => Number(checkpoint().split('\n')[1]);

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-d1-watch-'));
    lab = createPrivateKey(readFileSync(path.join(ROOT, 'keys-example', 'lab.pem')));
    lane = await makeLane(dir);
    await lane.sealane(['records', 'init', '--url', 'http://127.0.0.1:1']);
    own = await startOwn();
    other = await startListening(foreign ?? '', ['witness', 'other.example', path.join(lane.home, 'records', 'log.vkey')]);
    service = await serve(both());
  });

  afterAll(async () => {
    for (const server of [service, own, other, lane]) await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('D1 answers a record under the lines of both, and publishes that checkpoint', async () => {
    for (const text of ['first', 'second']) {
      const { status, json } = await post(recordSignature(lab, text));
      expect(status).toBe(201);
      const note = (json.inclusionProof as { readonly checkpoint: { readonly envelope: string } }).checkpoint.envelope;
      const logKeys = [parseVkey(readFileSync(path.join(lane.home, 'records', 'log.vkey'), 'utf8').trim())];
      const witnesses = [own, other].map(({ vkey }) => parseVkey(vkey ?? ''));
      expect(verifyQuorum({ note, logKeys, witnesses, quorum: 2 }).checkpoint.size).toBe(size());
      expect(checkpoint()).toBe(note);
    }
    expect(size()).toBe(2);
  });

  it('D1 answers no record that too few have seen, and the same one when they have, at its place', async () => {
    const address = new URL(own.url).host;
    await own.stop();
    const record = recordSignature(lab, 'unseen');
    for (let again = 0; again < 2; again += 1)
      expect(await post(record)).toMatchObject({ status: 503, json: { code: 14, message: 'not now' } });
    await expect.poll(() => service.stderr()).toContain('LOG_WITNESS');
    // it is logged once, and waits
    expect(size()).toBe(3);
    own = await startOwn(address);
    expect(await post(record)).toMatchObject({ status: 201, json: { logIndex: '2' } });
    expect(size()).toBe(3);
    expect(checkpoint()).toMatch(/^— watch\.example /m);
  });

  it('D1 is stopped by its witnesses when the whole host was put back to an earlier day', async () => {
    await service.stop();
    const old = path.join(dir, 'old');
    const home = [lane.home, lane.lane];
    home.forEach((folder, at) => cpSync(folder, path.join(old, String(at)), { recursive: true, verbatimSymlinks: true }));
    service = await serve(both());
    expect((await post(recordSignature(lab, 'before the loss'))).status).toBe(201);
    await service.stop();
    home.forEach((folder, at) => {
      rmSync(folder, { recursive: true });
      cpSync(path.join(old, String(at)), folder, { recursive: true, verbatimSymlinks: true });
    });
    service = await serve(both());
    // as many records as they have seen, and others
    expect((await post(recordSignature(lab, 'another history'))).status).toBeGreaterThanOrEqual(500);
    await expect.poll(() => service.stderr()).toMatch(/LOG_FORK|LOG_RESTORED/);
    expect(checkpoint()).not.toMatch(/^— (?:watch|other)\.example /m);
  });

  it('D1 wants witnesses for a quorum, each once, and keys that cosign', async () => {
    const [first] = both();
    const wrong: readonly (readonly [readonly object[], number, RegExp])[] = [
      [[], 2, /records\.quorum|quorum: expected at most the 0 witnesses/],
      [[first ?? {}], 2, /expected at most the 1 witnesses, got 2/],
      [[first ?? {}, first ?? {}], 1, /expected each witness once/],
      [[{ vkey: readFileSync(path.join(lane.home, 'records', 'log.vkey'), 'utf8').trim(), url: own.url }], 1, /expected a cosignature key/],
    ];
    await service.stop();
    for (const [witnesses, quorum, message] of wrong) {
      await expect(serve(witnesses, quorum)).rejects.toThrow(message);
    }
    const { exit } = await runJson('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', lane.home]);
    expect(exit).toBe(2);
  });
});
