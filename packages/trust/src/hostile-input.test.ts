/** Every parser of trust against what a stranger may hand to it. */
import { canonicalJson, fromUtf8, type JsonValue, LIMITS, parseStatement, parseStrictJson, type Statement, utf8 } from '@sealane/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Parser, tryParser } from '../../../test/support/hostile-input.js';
import { refusal } from '../../../test/support/refusal.js';
import { encodeBundle, parseBundle } from './evidence/bundle.js';
import {
  approvalStatement,
  decisionStatement,
  readApproval,
  readDecision,
  readReceipt,
  readRelease,
  readRevocation,
  readSiteRecord,
} from './evidence/predicates.js';
import { receiptStatement, releaseStatement, revocationStatement, siteRecordStatement } from './evidence/predicates.js';
import { encodeTrustedRoot } from './evidence/trusted-root.js';
import { provenanceFacts } from './gates/provenance-facts.js';
import { encodeChannel, parseChannel } from './policy/channel.js';
import { encodePolicy, parsePolicy } from './policy/policy.js';
import { encodeSiteShard, parseSiteShard, shardPrefix, type SiteShard } from './policy/site-shard.js';
import { parseJUnit } from './reports/junit.js';
import { readTestResult } from './reports/test-result.js';
import { readTrustedRoot } from './sigstore/trusted-root-file.js';
import { verifySigstoreBundle } from './sigstore/verify-bundle.js';
import { AdmitLane } from './testing/admit-lane.js';
import { hbom, junit } from './testing/gate-documents.js';
import { secondsToTime, timeToSeconds } from './time.js';
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from './tuf/metadata.js';
import { readListedRoles, summarizeMetadata } from './tuf/published-role.js';
import { parseSignedDocument } from './tuf/signed-document.js';
import { encodeWaybill, parseWaybill } from './waybill/waybill.js';

const TRUST = /^TRUST_(?:MALFORMED|TOO_LARGE)$/;
const statementOf = (bytes: Uint8Array): Statement => parseStatement(bytes);

let lane: AdmitLane;
let payloads: readonly Uint8Array[];
beforeAll(async () => {
  lane = await new AdmitLane().passed();
  payloads = [...lane.bundles.values()].map((bundle) => Buffer.from((bundle.dsseEnvelope as { payload: string }).payload, 'base64'));
});

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

/** The logged payloads of one predicate type. */
function logged(read: (statement: Statement) => unknown): readonly Uint8Array[] {
  return payloads.filter((payload) => refusal(() => read(statementOf(payload))) === undefined);
}

describe('documents of the lane: taken or refused by name, written back as they were', () => {
  test('policies', () => {
    tryParser({ parse: parsePolicy, write: encodePolicy, samples: [encodePolicy(lane.policy)], codes: TRUST });
  });

  test('channels', () => {
    const orders = {
      held: [{ group: 'all', reason: 'storm' }],
      fenced: [{ site: 'plant-7', reason: 'stolen' }],
      revoked: [{ release: lane.release, reason: 'bad' }],
    };
    const samples = [encodeChannel(lane.channel()), encodeChannel(lane.channel({ ...orders, floor: { counter: 2, index: 9 } }))];
    tryParser({ parse: parseChannel, write: encodeChannel, samples, codes: TRUST });
  });

  test('shards of a channel', () => {
    const sent = { digest: lane.release, length: 9 };
    const shard: SiteShard = {
      ...{ apiVersion: 'sealane/v1', kind: 'SiteShard', lane: 'lane.example', stage: 'prod', prefix: shardPrefix('plant-7') },
      sites: [{ site: 'plant-7', exceptions: [sent] }],
    };
    tryParser({ parse: parseSiteShard, write: encodeSiteShard, samples: [encodeSiteShard(shard)], codes: TRUST });
  });

  test('waybills', () => {
    const bytes = lane.blobs.get(lane.waybillDigest ?? lane.release) ?? new Uint8Array();
    tryParser({ parse: parseWaybill, write: encodeWaybill, samples: [bytes], codes: TRUST, runs: 60 });
  });

  test('bundles', () => {
    const parser: Parser<ReturnType<typeof parseBundle>> = {
      parse: parseBundle,
      samples: [...lane.bundles.values()].map(canonicalJson),
      codes: TRUST,
    };
    tryParser(parser);
    for (const json of lane.bundles.values()) {
      const { envelope, logged: entry } = parseBundle(json);
      if (entry === null) throw new RangeError('read a bundle: expected its log entry');
      expect(canonicalJson(encodeBundle({ envelope, spki: entry.leaf.spki, proof: entry.proof }))).toEqual(canonicalJson(json));
    }
  });

  test('times', () => {
    tryParser({
      parse: (bytes) => timeToSeconds(Buffer.from(bytes).toString('latin1')),
      write: secondsToTime,
      samples: ['2026-11-24T10:00:00Z', '1970-01-01T00:00:00Z'],
      codes: /^TRUST_MALFORMED$/,
    });
  });
});

describe('predicates: taken or refused by name', () => {
  const codes = /^(?:TRUST_MALFORMED|STATEMENT_MALFORMED|JSON_\w+)$/;
  const receipt = receiptStatement({
    site: 'plant-7',
    keyId: 'a'.repeat(64),
    seq: 1,
    prev: null,
    event: 'refused',
    release: null,
    waybill: null,
    previous: null,
    reason: 'TRUST_EXPIRED',
    checks: [{ id: 'trust', verdict: 'fail', expected: 'a', actual: 'b', remedy: '', evidence: [], code: 'TRUST_EXPIRED' }],
    at: '2026-11-24T10:00:00Z',
    hardware: hbom(),
    checkpoint: null,
    salt: '0'.repeat(32),
  });

  test.each<[string, (statement: Statement) => unknown]>([
    ['release', readRelease],
    ['decision', readDecision],
    ['approval', readApproval],
    ['test result', readTestResult],
  ])('%s', (_, read) => {
    tryParser({ parse: (bytes) => read(statementOf(bytes)) ?? true, samples: logged(read), codes });
  });

  test('receipt, revocation, site record', () => {
    tryParser({ parse: (bytes) => receiptStatement(readReceipt(statementOf(bytes))), samples: [receipt], codes });
    const revocation = revocationStatement({ release: lane.release, reason: 'bad', floor: 3 });
    tryParser({ parse: (bytes) => readRevocation(statementOf(bytes)), samples: [revocation], codes });
    const { envelope } = parseBundle(lane.record);
    tryParser({
      parse: (bytes) => readSiteRecord(statementOf(bytes)),
      samples: [Buffer.from(envelope.payload, 'base64')],
      codes: /^(?:TRUST_MALFORMED|STATEMENT_MALFORMED|BYTES_MALFORMED|JSON_\w+)$/,
    });
  });

  test('what was read is written as it was signed', () => {
    const again: readonly [(statement: Statement) => unknown, (statement: Statement) => Uint8Array][] = [
      [readApproval, (statement) => approvalStatement(readApproval(statement))],
      [readRelease, (statement) => releaseStatement(lane.release, readRelease(statement))],
    ];
    for (const [read, write] of again) {
      expect(logged(read).length).toBeGreaterThan(0);
      for (const payload of logged(read)) expect(fromUtf8(write(statementOf(payload)))).toBe(fromUtf8(payload));
    }
    expect(fromUtf8(receiptStatement(readReceipt(statementOf(receipt))))).toBe(fromUtf8(receipt));
    const { envelope } = parseBundle(lane.record);
    const record = Buffer.from(envelope.payload, 'base64');
    expect(fromUtf8(siteRecordStatement(readSiteRecord(statementOf(record))))).toBe(fromUtf8(record));
    expect(typeof decisionStatement).toBe('function');
  });

  test('provenance', () => {
    const predicate = {
      buildDefinition: {
        buildType: 'urn:b',
        externalParameters: { source: 'git+https://x', ref: 'main' },
        resolvedDependencies: [{ uri: 'git+https://x', digest: { gitCommit: 'a'.repeat(40) } }],
      },
      runDetails: { builder: { id: 'urn:builder' }, metadata: { invocationId: '1' } },
    };
    const parse = (bytes: Uint8Array): unknown => {
      const value = parseStrictJson(bytes, { maxBytes: LIMITS.statementBytes, maxDepth: 32 });
      return provenanceFacts(typeof value === 'object' && value !== null && !isList(value) ? value : {});
    };
    tryParser({ parse, samples: [canonicalJson(predicate)], codes: /^(?:TRUST_MALFORMED|EVIDENCE_\w+|JSON_\w+)$/ });
  });
});

test('test reports: any bytes are a report with a verdict, and only true passes are PASSED', () => {
  const parse = (bytes: Uint8Array): void => {
    const { verdict, counts } = parseJUnit(bytes);
    if (verdict === 'PASSED') expect([counts.passed > 0, counts.failed]).toEqual([true, 0]);
  };
  tryParser({ parse, samples: [junit(3), junit(2, 1), junit(0)], codes: /^$/, runs: 300 });
});

describe('TUF metadata: taken or refused by name', () => {
  const frame = (bytes: Uint8Array): ReturnType<typeof parseSignedDocument> => parseSignedDocument('x.json', bytes, LIMITS.rootBytes);
  const sample = (name: string): readonly Uint8Array[] => [lane.trust.files.get(`metadata/${name}`) ?? new Uint8Array()];

  test.each<[string, string, (bytes: Uint8Array) => unknown]>([
    ['root', '1.root.json', (bytes) => parseRoot('root.json', frame(bytes), 'lane')],
    ['root, by plain rules', '1.root.json', (bytes) => parseRoot('root.json', frame(bytes), 'plain')],
    ['timestamp', 'timestamp.json', (bytes) => parseTimestamp('timestamp.json', frame(bytes), 'lane')],
    ['snapshot', '1.snapshot.json', (bytes) => parseSnapshot('snapshot.json', frame(bytes), 'lane')],
    ['targets', '1.targets.json', (bytes) => parseTargets('targets.json', frame(bytes), 'lane')],
    ['the metadata of a stage', '1.prod.json', (bytes) => parseTargets('prod.json', frame(bytes), 'plain')],
    ['a published snapshot', '1.snapshot.json', readListedRoles],
    ['a summary', '1.prod.json', summarizeMetadata],
  ])('%s', (_, name, parse) => {
    tryParser({ parse: (bytes) => [parse(bytes)], samples: sample(name), codes: TRUST, runs: 100 });
  });
});

describe('bundles and trusted roots of others: never a crash', () => {
  test('trusted roots', () => {
    tryParser({ parse: readTrustedRoot, samples: [encodeTrustedRoot(lane.policy)], codes: TRUST });
  });

  test('bundles: a bent one never verifies as another', () => {
    const [first] = payloads;
    const [bundle] = [...lane.bundles.values()];
    if (first === undefined || bundle === undefined) throw new RangeError('take a bundle: expected one');
    const question = {
      trustedRoot: encodeTrustedRoot(lane.policy),
      artifact: { digest: lane.release },
      signer: { kind: 'key', pem: utf8(lane.people.author.pem) },
    } as const;
    const parse = (bytes: Uint8Array): unknown => {
      const { signer, artifact } = verifySigstoreBundle({ ...question, bundle: bytes });
      expect([signer, artifact]).toEqual([{ keyId: lane.people.author.keyId }, lane.release]);
      return true;
    };
    tryParser({ parse, samples: [canonicalJson(bundle)], codes: /^BUNDLE_\w+$/, runs: 100 });
  });
});

describe('reads nothing beyond its bound', () => {
  test.each([
    ['a policy', () => parsePolicy(new Uint8Array(LIMITS.policyBytes + 1))],
    ['a channel', () => parseChannel(new Uint8Array(LIMITS.channelBytes + 1))],
    ['a waybill', () => parseWaybill(new Uint8Array(LIMITS.waybillBytes + 1))],
    ['a bundle', () => parseBundle(new Uint8Array(LIMITS.bundleBytes + 1))],
    ['a trusted root', () => readTrustedRoot(new Uint8Array(LIMITS.trustedRootBytes + 1))],
    ['TUF metadata', () => parseSignedDocument('x.json', new Uint8Array(LIMITS.timestampBytes + 1), LIMITS.timestampBytes)],
  ])('%s', (_, read) => {
    expect(refusal(read)).toBe('TRUST_TOO_LARGE');
  });
});
