/** The program of the page that verifies in a browser, run here on Node’s WebCrypto over logs of the tests: it says yes to what our verifier takes, and names what was changed. */
import { createPublicKey, sign } from 'node:crypto';
import vm from 'node:vm';
import { encodeStatement, formatVkey, fromHex, leafHash, logLeaf, NOTE_KEY_TYPE, signNote, statementDigestOf, vkeyOf } from '@sealane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, certificateAuthority, certify, derOf, nodeKey } from '../../../../test/support/certificates.js';
import { encodeBundle } from '../../../trust/src/evidence/bundle.js';
import { encodePolicy } from '../../../trust/src/policy/policy.js';
import { ed25519Key, envelopeOf, testSigner } from '../../../trust/src/testing/test-keys.js';
import { testLog, testWitness } from '../../../trust/src/testing/test-log.js';
import { testPeople, testPolicy } from '../../../trust/src/testing/test-policy.js';
import { VERIFY_LIBRARY } from './verify-library.js';

interface Outcome {
  readonly checks: readonly { readonly what: string; readonly holds: boolean; readonly said: string }[];
  readonly text?: string;
  readonly signer?: string;
}
interface Pins {
  readonly quorum: number | undefined;
}
interface Library {
  readonly readPins: (text: string) => Promise<Pins>;
  readonly verifyStatement: (bundle: string, pins: Pins, asked: string) => Promise<Outcome>;
}

const { readPins, verifyStatement } = vm.runInThisContext(
  `(() => {${VERIFY_LIBRARY}; return { readPins, verifyStatement }; })()`,
) as Library;

const AT = '2026-11-28T10:00:00Z';
/** JSON that is changed on its way. */
type Json = ReturnType<typeof JSON.parse>;
const SIZE = 75;
const people = testPeople();
const witnesses = [testWitness('witness-a.example'), testWitness('witness-b.example')];
const log = testLog('lane.example', witnesses);
const policy = testPolicy(log, people, { quorum: 2 });
const pinned = new TextDecoder().decode(encodePolicy(policy));
const entries = Array.from({ length: SIZE }, (_, index) => {
  const envelope = envelopeOf(payloadAt(index), people.alice);
  return { envelope, spki: people.alice.spki, index: log.append(envelope, people.alice.spki) };
});
const checkpoint = log.checkpoint(AT);

function payloadAt(index: number): Uint8Array {
  const subject = [{ name: `app ${index}`, digest: { sha256: 'ab'.repeat(32) } }];
  return encodeStatement({ subject, predicateType: 'urn:example:note:v1', predicate: { index } });
}

function bundleAt(index: number, note = checkpoint): Json {
  return JSON.parse(JSON.stringify(log.bundle(entries[index]!, note)));
}

/** What fails, by the first words of each check. */
async function failures(bundle: unknown, pins = pinned, asked = '', quorum?: number): Promise<readonly string[]> {
  const read = await readPins(pins);
  const { checks, text } = await verifyStatement(JSON.stringify(bundle), { ...read, quorum: quorum ?? read.quorum }, asked);
  const failed = checks.filter(({ holds }) => !holds).map(({ what }) => what.split(' ').slice(0, 4).join(' '));
  expect(text === undefined).toBe(failed.length > 0);
  return failed;
}

const SIGNATURE = 'Its signature is by';
const ENTRY = 'Its log entry is';
const INCLUSION = 'The entry is in';
const LOG = 'The log that you';
const WITNESSES = 'Witnesses that you trust';

describe('verifying in a browser', () => {
  it('takes every entry of logs of every size, and says whose key signed', async () => {
    for (let size = 1; size <= 20; size += 1)
      for (let index = 0; index < size; index += 1)
        expect(await failures(bundleAt(index, log.checkpoint(AT, size))), `${index} of ${size}`).toEqual([]);
    for (const index of [0, 31, 63, 64, 74]) expect(await failures(bundleAt(index))).toEqual([]);
    const digest = statementDigestOf(entries[3]!.envelope);
    const { text, signer, checks } = await verifyStatement(JSON.stringify({ bundle: bundleAt(3) }), await readPins(pinned), digest);
    expect(text).toContain('"name": "app 3"');
    expect(signer).toContain('alice');
    expect(checks).toHaveLength(7);
    expect(checks.at(-1)?.said).toBe(`witness-a.example at ${AT}, witness-b.example at ${AT}`);
  });

  it('spells out what would turn the direction of a statement around, and changes nothing of what it says', async () => {
    const turned = testLog('lane.example', witnesses);
    const predicate = { reason: 'not for \u202edorp\u202c\u2028' };
    const envelope = envelopeOf(
      encodeStatement({ subject: [{ digest: { sha256: 'ab'.repeat(32) } }], predicateType: 'urn:example:note:v1', predicate }),
      people.alice,
    );
    const entry = { envelope, spki: people.alice.spki, index: turned.append(envelope, people.alice.spki) };
    const pins = [turned.vkey, ...witnesses.map(({ vkey }) => vkey)].join('\n');
    const bundle = JSON.stringify(turned.bundle(entry, turned.checkpoint(AT)));
    const { text = '' } = await verifyStatement(bundle, { ...(await readPins(pins)), quorum: 2 }, '');
    expect(text).toContain(String.raw`"not for \u202edorp\u202c\u2028"`);
    expect(JSON.parse(text)).toMatchObject({ predicate });
  });

  it('finds a statement that was changed, and one that was not asked for', async () => {
    const bundle = bundleAt(3);
    const text = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace('app 3', 'app 4');
    bundle.dsseEnvelope.payload = Buffer.from(text).toString('base64');
    expect(await failures(bundle)).toEqual([SIGNATURE, ENTRY]);
    expect(await failures(bundleAt(3), pinned, statementDigestOf(entries[4]!.envelope))).toEqual(['It is the statement']);
    // another’s signature, well made, over the same bytes: the log has no entry of it
    const forged = envelopeOf(Buffer.from(bundle.dsseEnvelope.payload, 'base64'), testSigner());
    expect(await failures({ ...bundle, dsseEnvelope: forged })).toEqual([SIGNATURE, ENTRY]);
  });

  it('finds a key that was changed in the entry', async () => {
    const bundle = bundleAt(3);
    const stranger = testSigner();
    const { envelope } = entries[3]!;
    bundle.verificationMaterial.tlogEntries[0].canonicalizedBody = Buffer.from(logLeaf(envelope, stranger.spki)).toString('base64');
    expect(await failures(bundle)).toEqual([SIGNATURE, INCLUSION]);
  });

  it('finds a field more in the entry, in another order, or said twice', async () => {
    const body = Buffer.from(bundleAt(3).verificationMaterial.tlogEntries[0].canonicalizedBody, 'base64').toString();
    for (const other of [body.replace('{', '{"a":1,'), `${body} `, body.replace('"kind"', '"kind":"other","kind"')]) {
      const bundle = bundleAt(3);
      bundle.verificationMaterial.tlogEntries[0].canonicalizedBody = Buffer.from(other).toString('base64');
      expect(await failures(bundle)).toEqual([ENTRY, INCLUSION]);
    }
  });

  it('finds a proof that was changed, shortened, lengthened or moved', async () => {
    const changes: readonly ((proof: Json) => void)[] = [
      (proof) => (proof.hashes[2] = proof.hashes[1]),
      (proof) => proof.hashes.pop(),
      (proof) => proof.hashes.push(proof.hashes[0]),
      (proof) => (proof.logIndex = '4'),
      (proof) => (proof.logIndex = '75'),
      (proof) => (proof.hashes = []),
    ];
    for (const change of changes) {
      const bundle = bundleAt(3);
      change(bundle.verificationMaterial.tlogEntries[0].inclusionProof);
      expect(await failures(bundle), String(change)).toEqual([INCLUSION]);
    }
  });

  it('finds a checkpoint that was changed, and signatures that are not of it', async () => {
    const noted = (change: (note: string) => string): unknown => {
      const bundle = bundleAt(3);
      const { checkpoint: at } = bundle.verificationMaterial.tlogEntries[0].inclusionProof;
      at.envelope = change(at.envelope);
      return bundle;
    };
    const lines = checkpoint.split('\n');
    expect(await failures(noted((note) => note.replace('\n75\n', '\n76\n')))).toEqual([LOG, WITNESSES]);
    expect(await failures(noted((note) => note.replace(lines[2]!, Buffer.alloc(32).toString('base64'))))).toEqual([
      INCLUSION,
      LOG,
      WITNESSES,
    ]);
    expect(await failures(noted((note) => note.replace(`${lines[4]}\n`, '')))).toEqual([LOG]);
    expect(await failures(noted((note) => note.replace(`${lines[5]}\n`, '')))).toEqual([WITNESSES]);
    const older = log.checkpoint(AT, 74).split('\n');
    expect(await failures(noted((note) => note.replace(lines[5]!, older[5]!)))).toEqual([WITNESSES]);
    expect(await failures(noted((note) => note.replace(lines[4]!, older[4]!)))).toEqual([LOG]);
    expect(await failures(noted((note) => note.replace(lines[6]!, lines[5]!)))).toEqual([WITNESSES]);
    expect(await failures(noted(() => 'nothing'))).toEqual(['The file is a']);
  });

  it('refuses the log and the witnesses of somebody else, whoever serves them', async () => {
    const other = testLog('lane.example', [testWitness('witness-a.example'), testWitness('witness-b.example')]);
    for (const { envelope, spki } of entries) other.append(envelope, spki);
    const bundle = other.bundle(entries[3]!, other.checkpoint(AT));
    expect(await failures(bundle)).toEqual([LOG, WITNESSES]);
    const sameWitnesses = testLog('lane.example', witnesses);
    sameWitnesses.append(entries[0]!.envelope, people.alice.spki);
    expect(await failures(sameWitnesses.bundle({ ...entries[0]!, index: 0 }, sameWitnesses.checkpoint(AT)))).toEqual([LOG]);
    const foreign = testLog('other.example', witnesses);
    foreign.append(entries[0]!.envelope, people.alice.spki);
    expect(await failures(foreign.bundle({ ...entries[0]!, index: 0 }, foreign.checkpoint(AT)))).toEqual([LOG]);
  });

  it('refuses a checkpoint of one log that another log signed, though both are trusted', async () => {
    const text = checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1);
    const other = ed25519Key();
    const signed = `${text}\n${signNote(text, 'other.example', other)}`;
    const pins = [log.vkey, formatVkey(vkeyOf('other.example', NOTE_KEY_TYPE.ed25519, other))].join('\n');
    expect(await failures(bundleAt(3, checkpoint), pins, '', 1)).toEqual([WITNESSES]);
    const bundle = bundleAt(3);
    bundle.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope = signed;
    expect(await failures(bundle, pins, '', 1)).toEqual([LOG, WITNESSES]);
  });

  it('refuses base64 in another spelling, which other programs may read as other bytes', async () => {
    const bundle = bundleAt(3);
    bundle.dsseEnvelope.payload = ` ${bundle.dsseEnvelope.payload}`;
    expect(await failures(bundle)).toEqual(['The file is a']);
  });

  it('takes keys one on a line too, as C2SP’s tlog-policy has them, and never none', async () => {
    const [a, b] = witnesses.map(({ vkey }) => vkey);
    const lines = `# our lane\nlog ${log.vkey} https://lane.example\n\nwitness a ${a}\n  ${b}\n`;
    expect(await failures(bundleAt(3), lines, '', 2)).toEqual([]);
    expect(await failures(bundleAt(3), lines, '', 3)).toEqual([WITNESSES]);
    // one witness by two names is one
    expect(await failures(bundleAt(3), `${log.vkey}\n${a}\n${a}`, '', 2)).toEqual([WITNESSES]);
    for (const quorum of [0, -1, 1.5, Number.NaN]) expect(await failures(bundleAt(3), lines, '', quorum)).toEqual([WITNESSES]);
    expect(await failures(bundleAt(3), lines)).toEqual([WITNESSES]);
    expect(await failures(bundleAt(3), log.vkey, '', 1)).toEqual([WITNESSES]);
    expect(await failures(bundleAt(3), `${a}\n${b}`, '', 1)).toEqual([LOG]);
    expect(await failures(bundleAt(3), '', '', 1)).toEqual([LOG, WITNESSES]);
    await expect(readPins(log.vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+'))).rejects.toThrow('expected an Ed25519 key');
    await expect(readPins('{"kind":"Channel"}')).rejects.toThrow('expected a policy');
  });

  it.each(['', '{}', 'null', '{"dsseEnvelope":{"signatures":[{}]}}', '[]'])('refuses %j, which is no bundle', async (text) => {
    const { checks } = await verifyStatement(text, await readPins(pinned), '');
    expect(checks.map(({ holds }) => holds)).toEqual([false]);
  });

  describe('of a keyless signature', () => {
    let ca: Authority;
    beforeAll(async () => {
      ca = await certificateAuthority('Fulcio');
    });

    it('takes the key out of the certificate, and says that it does not judge that', async () => {
      const held = await certify(ca.issuing, { identity: 'alice@example.org', issuer: 'https://accounts.example' });
      const [certificate, privateKey] = [derOf(held), await nodeKey(held)];
      const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
      const signer = { ...testSigner(), signNow: (data: Uint8Array) => new Uint8Array(sign('sha256', data, privateKey)) };
      const envelope = envelopeOf(payloadAt(0), signer);
      const keyless = testLog('lane.example', witnesses);
      // one entry: its hash is the root, and the proof is empty
      keyless.append(envelope, spki);
      const root = leafHash(logLeaf(envelope, spki, certificate));
      const note = keyless.forge(AT, { origin: 'lane.example', size: 1, root });
      const certified = { certificate, timestamp: fromHex('30') };
      const proof = { ...keyless.proof(0, keyless.checkpoint(AT)), rootHash: root, checkpoint: note };
      const bundle = encodeBundle({ envelope, spki, certified, proof });
      const pins = [keyless.vkey, ...witnesses.map(({ vkey }) => vkey)].join('\n');
      const read = await readPins(pins);
      const { checks, signer: said } = await verifyStatement(JSON.stringify(bundle), { ...read, quorum: 2 }, '');
      expect(checks.filter(({ holds }) => !holds)).toEqual([]);
      expect(said).toContain('does not judge');
    });
  });
});
