/** Row D1: plain cosign logs at the service and verifies with its log check on; what is no signature by a key that may log is refused and leaves no trace. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keyIdOf } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { buildVersion, makeLane, type TestLane } from '../support/lane.js';
import { recordBody, recordSignature, spkiOf } from '../support/record-request.js';
import { startReferrersRegistry, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, ROOT, runJson, runProgram, type Server } from '../support/run.js';
import { api, startService } from '../support/service.js';

const cosign = requireProgram('cosign');
const oras = requireProgram('oras');
const foreign = requireProgram('foreign-tlog');
const isAbsent = [cosign, oras, foreign, requireProgram('referrers-registry')].includes(undefined);

const TYPE = 'https://lab.example/bench/v1';
const PREDICATE = ['--type', TYPE, '--predicate', 'predicate.json'];
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

let dir: string;
let lane: TestLane;
let service: Server;
let registry: TestRegistry | undefined;
let release: string;

const privateKey = (name: string): KeyObject => createPrivateKey(readFileSync(path.join(ROOT, 'keys-example', `${name}.pem`)));
const given = (name: string): string => path.join(lane.home, 'records', name);
const records = (): string => path.join(lane.lane, 'records');
const size = (): number =>
  existsSync(path.join(records(), 'checkpoint')) ? Number(readFileSync(path.join(records(), 'checkpoint'), 'utf8').split('\n')[1]) : 0;

async function serve(): Promise<Server> {
  const signers = [{ name: 'lab', key: keyIdOf(new Uint8Array(spkiOf(privateKey('lab')))) }];
  const config = { apiVersion: 'sealane/v1', kind: 'Service', records: { signers }, limits: { requestsPerMinute: 12 } };
  return await startService(lane, stringify(config));
}

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-d1-records-'));
  lane = await makeLane(dir);
  release = await lane.release('1.0.0');
  await lane.sealane(['records', 'init', '--url', 'http://127.0.0.1:1']);
  service = await serve();
  await lane.sealane(['records', 'init', '--url', service.url]);
  if (isAbsent) return;
  registry = await startReferrersRegistry();
  for (const name of ['lab', 'builder']) {
    const words = ['import-key-pair', '--key', path.join(ROOT, 'keys-example', `${name}.pem`), '--output-key-prefix', path.join(dir, name)];
    expect((await runCosign(words)).exit).toBe(0);
    writeFileSync(path.join(dir, `${name}.pub`), createPublicKey(privateKey(name)).export({ type: 'spki', format: 'pem' }));
  }
  writeFileSync(path.join(dir, 'predicate.json'), JSON.stringify({ volts: 230 }));
});

afterAll(async () => {
  await registry?.stop();
  await service.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

function runCosign(words: readonly string[]): Promise<Ended> {
  return runProgram(cosign ?? '', words, { env: { COSIGN_PASSWORD: '' }, cwd: dir });
}

const attest = (what: string, key: string, ...more: readonly string[]): Promise<Ended> =>
  runCosign([
    ...[what, '--key', path.join(dir, `${key}.key`), '--signing-config', given('signing_config.json')],
    ...['--trusted-root', given('trusted_root.json'), '--yes', ...more],
  ]);
const verify = (what: string, ...more: readonly string[]): Promise<Ended> =>
  runCosign([what, '--key', path.join(dir, 'lab.pub'), '--trusted-root', given('trusted_root.json'), '--type', TYPE, ...more]);

describe.skipIf(isAbsent)('D1 cosign (skipped without cosign, oras, foreign-tlog, referrers-registry)', () => {
  it('D1 logs an attestation of a release, verifies it with the log check on, and the lane takes it as evidence', async () => {
    const bundle = path.join(dir, 'bundle.json');
    const hex = release.slice('sha256:'.length);
    const statement = path.join(dir, 'statement.json');
    const subject = [{ name: 'readings', digest: { sha256: hex } }];
    writeFileSync(
      statement,
      JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: TYPE, predicate: { volts: 230 } }),
    );
    const made = await attest('attest-blob', 'lab', '--bundle', bundle, '--statement', statement, 'predicate.json');
    expect(made.exit, made.stderr).toBe(0);
    expect(size()).toBe(1);
    const found = await verify('verify-blob-attestation', '--bundle', bundle, '--digest', hex, '--digestAlg', 'sha256');
    expect(found.exit, found.stderr).toBe(0);
    const { statements } = await lane.sealane(['evidence', 'add', release, '--bundle', bundle, '--key', 'lab']);
    expect(statements).toMatchObject([{ predicateType: TYPE }]);
    // a checkpoint that the log did not sign
    const bent = JSON.parse(readFileSync(bundle, 'utf8')) as {
      verificationMaterial: { tlogEntries: { inclusionProof: { rootHash: string; checkpoint: { envelope: string } } }[] };
    };
    const [entry] = bent.verificationMaterial.tlogEntries;
    entry!.inclusionProof.checkpoint.envelope = entry!.inclusionProof.checkpoint.envelope.replace(/\n1\n/, '\n2\n');
    writeFileSync(bundle, JSON.stringify(bent));
    expect((await verify('verify-blob-attestation', '--bundle', bundle, '--digest', hex, '--digestAlg', 'sha256')).exit).not.toBe(0);
  });

  it('D1 logs an attestation of an image in a registry', async () => {
    const [, layout = '', digest = ''] = /^oci:(.*)@(.*)$/.exec(await buildVersion(path.join(dir, 'image'), '3.0.0')) ?? [];
    const image = `${registry?.host ?? ''}/readings@${digest}`;
    const copied = await runProgram(oras ?? '', ['cp', '--from-oci-layout', '--to-plain-http', `${layout}@${digest}`, image]);
    expect(copied.exit, copied.stderr).toBe(0);
    const made = await attest('attest', 'lab', ...PREDICATE, image);
    expect(made.exit, made.stderr).toBe(0);
    const found = await verify('verify-attestation', image);
    expect(found.exit, found.stderr).toBe(0);
    expect(size()).toBe(2);
  });

  it('D1 is turned away with a key that may not log here', async () => {
    const before = size();
    const made = await attest('attest-blob', 'builder', '--bundle', path.join(dir, 'none.json'), ...PREDICATE, 'predicate.json');
    expect(made.exit).not.toBe(0);
    expect(made.stderr).toMatch(/401|may log here/);
    expect(existsSync(path.join(dir, 'none.json'))).toBe(false);
    expect(size()).toBe(before);
  });
});

const post = (body: unknown): ReturnType<typeof api> => api(service, 'POST /api/v2/log/entries', { body });

describe('D1 the log of records', () => {
  it('D1 gives a record the same place again, also by the other form of its signature, at no cost to its signer', async () => {
    const request = recordSignature(privateKey('lab'), 'once');
    const first = await post(recordBody(request));
    expect(first.status).toBe(201);
    const before = size();
    const twin = { ...request, der: otherForm(request.der) };
    expect(twin.der.equals(request.der)).toBe(false);
    for (let again = 0; again < 14; again += 1) {
      const answer = await post(recordBody(again % 2 === 0 ? request : twin));
      expect({ status: answer.status, index: answer.json.logIndex, body: answer.json.canonicalizedBody }).toEqual({
        status: 201,
        index: first.json.logIndex,
        body: first.json.canonicalizedBody,
      });
    }
    expect(size()).toBe(before);
  });

  it('D1 says one constant thing to whoever may not log, and to whoever sends something else, and logs nothing', async () => {
    const before = size();
    const good = recordSignature(privateKey('lab'), 'refused');
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const strangers = [
      recordBody(recordSignature(stranger, 'refused')),
      // the key of the lab, and a signature that is not its
      recordBody({ ...good, der: recordSignature(stranger, 'refused').der }),
      recordBody({ ...good, digest: recordSignature(stranger, 'another').digest }),
    ];
    for (const body of strangers)
      expect(await post(body)).toMatchObject({
        status: 401,
        json: { code: 16, message: 'expected a signature by a key that may log here', details: [] },
      });
    const malformed = [
      '{',
      {},
      recordBody(good, { more: 1 }),
      { dsseRequestV002: {} },
      recordBody({ ...good, digest: 'YWJj' }),
      recordBody({ ...good, der: Buffer.from('no signature') }),
      recordBody({ ...good, der: Buffer.concat([good.der, Buffer.from([0])]) }),
      recordBody({ ...good, spki: spkiOf(generateKeyPairSync('ed25519').privateKey) }),
      recordBody({ ...good, spki: spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey) }),
    ];
    for (const body of malformed) expect((await post(body)).status, JSON.stringify(body).slice(0, 200)).toBe(400);
    const large = await post(JSON.stringify(recordBody(good)).padEnd(20_000));
    expect(large.status, large.text + service.stderr().slice(-600)).toBe(413);
    expect(size()).toBe(before);
    expect((await post(recordBody(good))).status).toBe(201);
  });

  it('D1 takes no more of one signer in a minute than it may', async () => {
    const statuses: number[] = [];
    for (let at = 0; at < 14; at += 1) statuses.push((await post(recordBody(recordSignature(privateKey('lab'), `many ${at}`)))).status);
    expect(statuses).toContain(201);
    expect(statuses.at(-1)).toBe(429);
    expect(statuses.filter((status) => status !== 201 && status !== 429)).toEqual([]);
  });

  it('D1 is read where Rekor v2 is read, and by a program that has nothing of ours', async () => {
    for (const file of ['checkpoint', `tile/0/000.p/${size()}`, `tile/entries/000.p/${size()}`])
      expect((await api(service, `GET /api/v2/${file}`)).status, file).toBe(200);
    const ended = await runProgram(foreign ?? 'true', ['verify', records(), given('log.vkey'), path.join(records(), 'checkpoint')]);
    expect(ended.exit, ended.stderr).toBe(0);
    if (foreign !== undefined)
      expect(JSON.parse(ended.stdout)).toMatchObject({ origin: `records.${lane.origin}`, size: size(), included: size() });
  });

  it('D1 that was put back to an earlier day takes nothing more, and says so in its log only', async () => {
    await service.stop();
    const old = path.join(dir, 'old');
    cpSync(records(), old, { recursive: true });
    service = await serve();
    expect((await post(recordBody(recordSignature(privateKey('lab'), 'before the loss')))).status).toBe(201);
    rmSync(records(), { recursive: true });
    cpSync(old, records(), { recursive: true });
    const answer = await post(recordBody(recordSignature(privateKey('lab'), 'after the loss')));
    expect(answer).toMatchObject({ status: 503, json: { code: 14, message: 'not now' } });
    await expect.poll(() => service.stderr()).toContain('LOG_RESTORED');
  });

  it('D1 needs its key before it is served', async () => {
    const home = path.join(dir, 'keyless');
    cpSync(lane.home, home, { recursive: true, verbatimSymlinks: true });
    rmSync(path.join(home, 'keys', 'records.pem'));
    const { exit, json } = await runJson('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', home]);
    expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    expect(json.error.hint).toContain('sealane records init');
  });
});

/** The same signature with n − s for s: whoever sees one can make the other. */
function otherForm(der: Buffer): Buffer {
  const [r, s] = integersIn(der);
  const parts = [r, N - s].map((value) => {
    const digits = value.toString(16);
    const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
    const body = bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
    return Buffer.concat([Buffer.from([2, body.length]), body]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function integersIn(der: Buffer): readonly [bigint, bigint] {
  const rLength = der[3] ?? 0;
  const integer = (at: number, length: number): bigint => BigInt(`0x${der.subarray(at, at + length).toString('hex')}`);
  return [integer(4, rLength), integer(6 + rLength, der[5 + rLength] ?? 0)];
}
