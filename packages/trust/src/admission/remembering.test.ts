import { base64, canonicalJson, fromUtf8, type JsonValue } from '@sealane/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { admit } from '../admit.js';
import { encodeBundle } from '../evidence/bundle.js';
import { delegationStatement } from '../evidence/predicates/delegation.js';
import { AdmitLane, NOW } from '../testing/admit-lane.js';
import { saltOf } from '../testing/statement-lane.js';
import { envelopeOf, testSigner } from '../testing/test-keys.js';
import { rememberingAdmit } from './remembering.js';
import type { Admission, AdmitInput } from './types.js';

const LATER = '2026-11-24T12:07:00Z';

let lane: AdmitLane;
let files: ReadonlyMap<string, Uint8Array>;
/** The release of the lane runs here already. */
let asked: AdmitInput;
let answer: Admission;

beforeAll(async () => {
  lane = await new AdmitLane().passed();
  files = lane.files();
  const installed = { release: lane.release, counter: 1 };
  const input = (trust?: AdmitInput['trust']): AdmitInput =>
    lane.input({ files, siteState: { ...lane.memory, installed }, ...(trust !== undefined && { trust }) });
  // as after the first look, which has advanced trust
  asked = input(admit(input()).next.trust);
  answer = admit(asked);
});

/** Asks twice; the second answer, and whether it is the first one remembered. */
function askedAgain(then: AdmitInput, first: AdmitInput = asked): { readonly second: Admission; readonly isRemembered: boolean } {
  const ask = rememberingAdmit();
  const before = ask(first);
  const second = ask(then);
  return { second, isRemembered: second.next.trust === before.next.trust && second.checks[1] === before.checks[1] };
}

const served = (change: (files: Map<string, Uint8Array>) => void): AdmitInput => {
  const others = new Map(files);
  change(others);
  return { ...asked, lane: { read: (path) => others.get(path) } };
};

/** Names of what one admission reads. */
function read(): readonly string[] {
  const names: string[] = [];
  admit({ ...asked, lane: { read: (path) => (names.push(path), files.get(path)) } });
  return names;
}

describe('an admission that remembers', () => {
  test('gives the answer again, in the words of now', () => {
    expect(answer).toMatchObject({ outcome: 'unchanged', reason: null });
    for (const then of [
      asked,
      { ...asked, now: LATER },
      { ...asked, now: LATER, siteState: { ...asked.siteState, timeFloor: LATER } },
      { ...asked, site: { ...asked.site, hbom: null } },
      // a file that nobody asked for
      served((others) => others.set('content/blobs/sha256/00', new Uint8Array(1))),
    ]) {
      const { second, isRemembered } = askedAgain(then);
      expect(second).toEqual(admit(then));
      expect(isRemembered).toBe(true);
    }
  });

  test('judges anew what has another byte, is gone, or is there now', () => {
    const names = read();
    expect(names.filter((name) => files.has(name)).length).toBeGreaterThan(6);
    for (const name of names) {
      const bytes = files.get(name);
      const changes = bytes === undefined ? [new Uint8Array([0x7b])] : [undefined, Uint8Array.from([...bytes.slice(0, -1), 0x20])];
      for (const changed of changes) {
        const then = served((others) => (changed === undefined ? others.delete(name) : others.set(name, changed)));
        const { second, isRemembered } = askedAgain(then);
        expect(second).toEqual(admit(then));
        expect(isRemembered, name).toBe(false);
      }
    }
  });

  test('judges time each time: what has expired is refused, and a clock that was set back is judged by', () => {
    const { expiresAt } = answer;
    if (expiresAt === null) throw new Error('expected an expiry');
    const { second } = askedAgain({ ...asked, now: expiresAt });
    expect(second).toMatchObject({ outcome: 'refused', reason: 'TRUST_EXPIRED' });
    expect(second).toEqual(admit({ ...asked, now: expiresAt }));
    expect(askedAgain({ ...asked, now: NOW }, { ...asked, now: LATER }).isRemembered).toBe(false);
  });

  test.each<[string, (input: AdmitInput) => Partial<AdmitInput>]>([
    ['trust', ({ trust }) => ({ trust: { ...trust, importedTimestamps: [...trust.importedTimestamps, lane.release] } })],
    ['what runs', ({ siteState }) => ({ siteState: { ...siteState, installed: null } })],
    ['the counter of what runs', ({ siteState }) => ({ siteState: { ...siteState, installed: { release: lane.release, counter: 2 } } })],
    ['the floor', ({ siteState }) => ({ siteState: { ...siteState, floor: { counter: 9, index: 0 } } })],
    ['what is denied', ({ siteState }) => ({ siteState: { ...siteState, denied: [{ release: lane.release, reason: 'it failed' }] } })],
    ['the checkpoint seen', ({ siteState }) => ({ siteState: { ...siteState, seenCheckpoint: lane.checkpoint } })],
    ['its name', ({ site }) => ({ site: { ...site, name: 'plant-8' } })],
    ['its key', ({ site }) => ({ site: { ...site, keyId: lane.release } })],
    ['its record', ({ site }) => ({ site: { ...site, record: lane.siteRecord({ labels: { region: 'us' } }) } })],
    ['its stage', ({ site }) => ({ site: { ...site, localStage: 'dev' } })],
    ['what it allows', ({ site }) => ({ site: { ...site, allowExampleKeys: true } })],
    ['its secrets', ({ site }) => ({ site: { ...site, secrets: ['password'] } })],
    ['its variables', ({ site }) => ({ site: { ...site, variables: { port: 1 } } })],
    ['a hold', () => ({ local: { hold: 'wait' } })],
    ['how it came', () => ({ freshness: 'medium' })],
  ])('judges anew where it is another site: %s', (_, change) => {
    const then = { ...asked, ...change(asked) };
    const { second, isRemembered } = askedAgain(then);
    expect(second).toEqual(admit(then));
    expect(isRemembered).toBe(false);
  });

  test('remembers nothing of a node whose record holds for a time: that ends before metadata does', () => {
    const delegate = testSigner();
    const delegation = delegationStatement({
      delegate: { id: delegate.keyId, spki: base64(delegate.spki) },
      stage: 'prod',
      sites: [{ site: asked.site.name, labels: { region: 'eu' } }],
      reason: 'holidays',
      issuedAt: NOW,
      expiresAt: LATER,
      salt: saltOf(1),
    });
    const { registrar } = lane.people;
    const registered = JSON.parse(
      fromUtf8(canonicalJson(encodeBundle({ envelope: envelopeOf(delegation, registrar), spki: registrar.spki }))),
    ) as JsonValue;
    const replaced = JSON.parse(fromUtf8(lane.siteRecord({}, delegate))) as JsonValue;
    const input = { ...asked, site: { ...asked.site, record: canonicalJson([replaced, registered]) } };
    expect(admit(input).outcome).toBe('unchanged');
    expect(askedAgain(input, input).isRemembered).toBe(false);
    expect(askedAgain({ ...input, now: LATER }, input).second).toMatchObject({ outcome: 'refused', reason: 'SITE_MISMATCH' });
  });

  test('remembers no answer that has something done', () => {
    const fresh = { ...asked, siteState: { ...asked.siteState, installed: null } };
    expect(admit(fresh).outcome).toBe('admitted');
    expect(askedAgain(fresh, fresh).isRemembered).toBe(false);
    const denied = { ...fresh, siteState: { ...fresh.siteState, denied: [{ release: lane.release, reason: 'it failed' }] } };
    expect(admit(denied)).toMatchObject({ outcome: 'unchanged', reason: 'RELEASE_FAILED_HERE' });
    expect(askedAgain(denied, denied).isRemembered).toBe(false);
  });
});
