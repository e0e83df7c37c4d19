/**
 * Attacks on keyless signatures: by somebody else, at another time, under another authority. Each statement is honest but for its one lie, is really in
 * the log, and has a decision and approvals that rest on it. The timestamps are those of a real authority.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeStatement, envelopePayload, type JsonObject, parseStatement, PREDICATE, sha256, type Signed } from '@sealane/core';
import { encodeBundle, parseBundle } from '@sealane/trust';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authoritiesYaml, fulcioAndTsa, startTimestamps } from '../support/authorities.js';
import { type Authority, certificateAuthority, type Claims, certify, timestampAuthority } from '../support/certificates.js';
import { forge, type Forgery, stampedAt, stampedBy } from '../support/keyless-forger.js';
import { requireProgram } from '../support/require-program.js';
import { runJson } from '../support/run.js';
import { holdLog } from './log-holder.js';
import { approval, decision } from './statements.js';
import { expectInstalled, expectRefusal, makeWorld, setScene, type CopiedWorld } from './world.js';

const LAB = { identity: 'lab@example.org', issuer: 'https://accounts.example.org' };

let dir: string;
let stamps: Awaited<ReturnType<typeof startTimestamps>>;
let world: CopiedWorld;
let rogue: Authority;
/** What was honestly tested, for forgeries to repeat. */
let honest: Uint8Array;
let entries: readonly number[];
let genuine: Omit<Forgery, 'certificate' | 'key' | 'stamped'>;

/** The pipeline in which the lab may test by its identity. */
function withLab(text: string, authorities: string): string {
  const tests = text.replace('tests: [lab]', 'tests: [lab, lab-online]').replace('hardware: [lab]', 'hardware: [lab, lab-online]');
  return `${tests}\nidentities:\n  lab-online: { identity: ${LAB.identity}, issuer: '${LAB.issuer}' }\n${authorities}`;
}

const openssl = requireProgram('openssl');

describe.skipIf(fulcioAndTsa === undefined || openssl === undefined)(
  'keyless signatures (skipped without fulcio, timestamp-server and openssl)',
  () => {
    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-keyless-'));
      const [ca, tsa] = [await certificateAuthority('Fulcio'), await timestampAuthority('TSA')];
      rogue = await certificateAuthority('Fulcio');
      stamps = await startTimestamps(dir, tsa);
      const authorities = authoritiesYaml(ca, 'https://fulcio.example', tsa, stamps.url);
      world = await makeWorld({ pipeline: (text) => withLab(text, authorities) });
      const [tested = -1] = await world.log.about(world.three, PREDICATE.testResult);
      honest = envelopePayload((await world.log.entry(tested)).envelope);
      entries = world.honest.filter((index) => index !== tested);
      genuine = { issuedBy: ca.issuing, claims: LAB, stamp: stampedAt(stamps.url) };
    });

    afterAll(async () => {
      await world.close();
      await stamps.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    /** The honest result, told apart by its salt: a statement that is logged already keeps its place. */
    let told = 0;
    function result(): Uint8Array {
      const { subject, predicate } = parseStatement(honest);
      told += 1;
      const salt = told.toString(16).padStart(32, '0');
      return encodeStatement({ subject, predicateType: PREDICATE.testResult, predicate: { ...predicate, salt } });
    }

    const life = (from: string, until: string): { from: Date; until: Date } => ({ from: new Date(from), until: new Date(until) });
    const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    type Attack = readonly [what: string, code: string, change: (forgery: Forgery) => Forgery | Promise<Forgery>];
    const claiming =
      (more: Partial<Claims>) =>
      (forgery: Forgery): Forgery => ({ ...forgery, claims: { ...forgery.claims, ...more } });
    const attacks: readonly Attack[] = [
      ['another identity', 'EVIDENCE_SIGNER', claiming({ identity: 'mallory@example.org' })],
      ['an identity that begins with the right one', 'EVIDENCE_SIGNER', claiming({ identity: 'lab@example.org.evil.example' })],
      ['an identity that the right one begins with', 'EVIDENCE_SIGNER', claiming({ identity: 'lab@example.or' })],
      ['another issuer', 'EVIDENCE_SIGNER', claiming({ issuer: 'https://accounts.example' })],
      ['a certificate that had ended when it was signed', 'SIGNER_TIME', claiming(life('2026-01-01T00:00:00Z', '2026-01-01T00:10:00Z'))],
      ['a certificate that had not begun', 'SIGNER_TIME', claiming(life('2036-01-01T00:00:00Z', '2036-01-01T00:10:00Z'))],
      ['a certificate of another authority of the same name', 'SIGNER_CERTIFICATE', (forgery) => ({ ...forgery, issuedBy: rogue.issuing })],
      [
        'a certificate that a signer issued, who may issue none',
        'SIGNER_CERTIFICATE',
        async (forgery) => ({ ...forgery, issuedBy: await certify(forgery.issuedBy, forgery.claims) }),
      ],
      ['a certificate with a critical extension that nobody knows', 'SIGNER_CERTIFICATE', claiming({ unknown: '1.2.3.4' })],
      ['a certificate for servers', 'SIGNER_CERTIFICATE', claiming({ use: '1.3.6.1.5.5.7.3.1' })],
      [
        'a timestamp by a stranger',
        'SIGNER_TIME',
        async (forgery) => ({ ...forgery, stamp: stampedBy(path.join(world.dir, 'stranger'), await timestampAuthority('TSA')) }),
      ],
      ['a timestamp over something else', 'SIGNER_TIME', (forgery) => ({ ...forgery, stamped: new Uint8Array(71) })],
    ];

    /** Brings a statement to the promoter by hand. */
    async function bring(signed: Signed): ReturnType<typeof runJson> {
      const file = path.join(world.dir, 'brought.json');
      writeFileSync(file, JSON.stringify(encodeBundle(signed)));
      return await runJson('sealane', ['statement', 'add', file, '--home', world.lane.home]);
    }

    /** Offers a site a waybill whose test result is this one, with a decision and approvals that rest on it. */
    async function offer(signed: Signed, bend?: (bundles: JsonObject[]) => JsonObject[]): Promise<ReturnType<typeof setScene>> {
      const index = await world.log.append(signed);
      const seen = [...(await world.log.about(world.three, PREDICATE.provenance)), index];
      const digests = (await Promise.all(seen.map((each) => world.log.digestOf(each)))).sort();
      const vote = await approval(world, world.three, { seen: digests });
      const votes = await world.log.log([vote, 'alice'], [vote, 'bob']);
      const [decided = -1] = await world.log.log([decision(world, world.three, { inputs: digests }), 'prod']);
      const scene = setScene(world);
      const all = [...entries, index, ...votes];
      await world.log.publish(scene.copy, {
        release: world.three,
        decision: decided,
        entries: all,
        counter: 7,
        ...(bend === undefined ? {} : { bend }),
      });
      return scene;
    }

    test('A3 the same made by the rules is taken, so what is refused below is refused for its one lie', async () => {
      const signed = await forge(result(), genuine);
      expect((await bring(signed)).exit).toBe(0);
      await expectInstalled(await offer(signed), '1.2.0');
    });

    test.each(attacks)('A3 %s: %s, at the promoter and at the site', async (_what, code, change) => {
      const signed = await forge(result(), await change(genuine));
      const size = await world.log.size();
      const brought = await bring(signed);
      expect({ exit: brought.exit === 0, code: brought.json.error?.code }, brought.stderr).toEqual({ exit: false, code });
      expect(await world.log.size()).toBe(size);
      const { site } = await offer(signed);
      const { exit, json } = await site.run(['check']);
      expect({ exit, outcome: json.outcome, reason: json.reason }).toEqual({
        exit: code === 'EVIDENCE_SIGNER' ? 3 : 4,
        outcome: 'refused',
        reason: code,
      });
    });

    test('A3 a signature by another key than the certificate’s: no log takes it, and swapped into a bundle the site refuses it', async () => {
      const payload = result();
      const signed = await forge(payload, { ...genuine, key: another });
      expect((await bring(signed)).json.error.code).toBe('WAYBILL_SIGNATURE');
      await expect(world.log.append(signed)).rejects.toMatchObject({ code: 'STATEMENT_SIGNATURE' });
      const scene = await offer(await forge(payload, genuine), (bundles) =>
        bundles.map((bundle) =>
          parseBundle(bundle).statementDigest === sha256(payload)
            ? { ...bundle, dsseEnvelope: encodeBundle(signed)['dsseEnvelope'] ?? null }
            : bundle,
        ),
      );
      await expectRefusal(scene, 'WAYBILL_SIGNATURE', 4);
    });

    test('A3 A17 an identity ends at an index of the log as a key does: what it signed before stands, what it signs after is void', async () => {
      const earlier = await forge(result(), genuine);
      await world.log.append(earlier);
      const until = await world.log.size();
      await world.lane.sealane(['key', 'revoke', 'lab-online', '--reason', 'its account was taken over'], 5);
      const proposal = path.join(world.lane.home, 'proposal.json');
      for (const owner of ['targets-1', 'targets-2']) await world.lane.sealane(['trust', 'sign', proposal, '--key', owner]);
      await world.lane.sealane(['trust', 'publish']);
      const rows = (await world.lane.sealane(['key', 'list'])).keys as readonly { names: string[]; untilIndex: number | null }[];
      expect(rows.find(({ names }) => names.includes('lab-online'))?.untilIndex).toBe(until);
      await world.log.close();
      world = { ...world, log: await holdLog(world.lane) };
      await expectInstalled(await offer(earlier), '1.2.0');
      await expectRefusal(await offer(await forge(result(), genuine)), 'KEY_REVOKED', 4);
    });
  },
);
