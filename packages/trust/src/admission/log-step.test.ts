/** THREATS.md: not in the log, forged proof, no witness quorum, a fork of what this site saw or of what approvers saw (T7, T8). */
import { type Digest, parseCheckpoint, utf8 } from '@sealane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { AdmitLane, NOW, TIMES } from '../testing/admit-lane.js';
import { expectAdmitted, expectRefused } from '../../../../test/support/admit-verdicts.js';
import { ed25519Key, envelopeOf } from '../testing/test-keys.js';
import { testLog } from '../testing/test-log.js';

type Bundle = {
  dsseEnvelope: { payload: string };
  verificationMaterial: { tlogEntries: { inclusionProof: { hashes: string[]; rootHash: string }; canonicalizedBody: string }[] };
};

let lane: AdmitLane;
beforeAll(async () => {
  lane = await new AdmitLane().passed();
});

/** The lane with another `log/checkpoint`, or without one. */
function withCheckpoint(note: string | undefined): ReadonlyMap<string, Uint8Array> {
  const files = lane.files();
  if (note === undefined) files.delete('log/checkpoint');
  else files.set('log/checkpoint', utf8(note));
  return files;
}

/** The usual story with the bundle of the tests bent. */
async function withBundle(bend: (bundle: Bundle, lane: AdmitLane) => unknown): Promise<AdmitLane> {
  const bent = new AdmitLane();
  bent.author();
  const tests = bent.tests();
  bent.earlierStages();
  bent.seal(TIMES.evidence);
  bent.approve('alice');
  bent.approve('bob');
  const decision = bent.decide('prod', 'edge-preprod');
  bent.seal(TIMES.decided);
  const bundle = structuredClone(bent.bundles.get(tests)) as unknown as Bundle;
  bend(bundle, bent);
  bent.bundles.set(tests, bundle);
  bent.waybill(decision);
  await bent.publish();
  return bent;
}

describe('the checkpoint of the lane', () => {
  it('is missing, not a note, or of another log: refused', () => {
    expectRefused(lane, 'LOG_NOT_INCLUDED', { files: withCheckpoint(undefined) });
    expectRefused(lane, 'LOG_NOT_INCLUDED', { files: withCheckpoint('nonsense') });
    expectRefused(lane, 'LOG_NOT_INCLUDED', { files: new Map([...lane.files(), ['log/checkpoint', Uint8Array.of(0xff, 0xfe)]]) });
    const other = testLog('other.example', lane.witnesses);
    expectRefused(lane, 'LOG_NOT_INCLUDED', { files: withCheckpoint(other.checkpoint(TIMES.published)) });
  });

  it('is of the right name, but signed by another key: refused', () => {
    const thief = testLog('lane.example', lane.witnesses, ed25519Key());
    expectRefused(lane, 'LOG_NOT_INCLUDED', { files: withCheckpoint(thief.checkpoint(TIMES.published)) });
  });

  it('lacks a witness of the quorum: refused', () => {
    const { log, witnesses } = lane;
    expectRefused(lane, 'LOG_WITNESS', { files: withCheckpoint(log.checkpoint(TIMES.decided, log.size(), witnesses.slice(0, 1))) });
    expectRefused(lane, 'LOG_WITNESS', { files: withCheckpoint(log.checkpoint(TIMES.decided, log.size(), [])) });
  });

  it('has one witness twice: refused', () => {
    const [first] = lane.witnesses;
    const twice = first === undefined ? [] : [first, first];
    expectRefused(lane, 'LOG_WITNESS', { files: withCheckpoint(lane.log.checkpoint(TIMES.decided, lane.log.size(), twice)) });
  });

  it('extends the one seen before: admitted; what was seen is another history, or longer: refused', () => {
    const { log, memory } = lane;
    const seenAt = (note: string): AdmitLane['memory'] => ({ ...memory, seenCheckpoint: note });
    for (const size of [0, 1, 4, log.size()]) expectAdmitted(lane, { siteState: seenAt(log.checkpoint(TIMES.evidence, size)) });
    const fork = new AdmitLane();
    fork.evidence();
    const other = fork.log.checkpoint(TIMES.evidence);
    expectRefused(lane, 'LOG_FORK', { siteState: seenAt(other) });
    expectRefused(lane, 'LOG_FORK', {
      siteState: seenAt(log.checkpoint(TIMES.evidence).replace(`\n${String(log.size())}\n`, `\n${String(log.size() + 1)}\n`)),
    });
  });

  it('was seen under another origin before: the new history starts anew, by policy', () => {
    const old = testLog('old.example', lane.witnesses);
    old.append(envelopeOf(utf8('{}'), lane.people.author), lane.people.author.spki);
    expectAdmitted(lane, { siteState: { ...lane.memory, seenCheckpoint: old.checkpoint(TIMES.evidence) } });
  });

  it('cannot be tied to the one seen before, since a tile is missing: refused', () => {
    const files = new Map([...lane.files()].filter(([path]) => !path.startsWith('log/tile/')));
    expectRefused(lane, 'LOG_NOT_INCLUDED', {
      files,
      siteState: { ...lane.memory, seenCheckpoint: lane.log.checkpoint(TIMES.evidence, 3) },
    });
  });
});

describe('the proof of a statement', () => {
  it('is missing: refused', async () => {
    expectRefused(
      await withBundle((bundle) => delete (bundle.verificationMaterial as Partial<Bundle['verificationMaterial']>).tlogEntries),
      'LOG_NOT_INCLUDED',
    );
  });

  it('has one hash changed: refused', async () => {
    const bent = await withBundle(({ verificationMaterial: { tlogEntries } }) =>
      tlogEntries[0]?.inclusionProof.hashes.splice(0, 1, Buffer.alloc(32).toString('base64')),
    );
    expectRefused(bent, 'LOG_NOT_INCLUDED');
  });

  it('leads to another root than its checkpoint: refused', async () => {
    const bent = await withBundle(
      ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => entry && (entry.inclusionProof.rootHash = Buffer.alloc(32).toString('base64')),
    );
    expectRefused(bent, 'LOG_NOT_INCLUDED');
  });

  it('is that of another statement, whose entry it brings along: refused', async () => {
    const bent = await withBundle((bundle, { bundles }) => {
      const other = [...bundles.values()][0] as unknown as Bundle;
      bundle.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries;
    });
    expectRefused(bent, 'LOG_NOT_INCLUDED');
  });

  it('is under a checkpoint that too few witnesses cosigned: refused', async () => {
    const bent = new AdmitLane();
    bent.evidence();
    bent.earlierStages();
    bent.seal(TIMES.evidence, bent.witnesses.slice(0, 1));
    bent.approve('alice');
    bent.approve('bob');
    const decision = bent.decide('prod', 'edge-preprod');
    bent.seal(TIMES.decided);
    bent.waybill(decision);
    await bent.publish();
    expectRefused(bent, 'LOG_WITNESS');
  });

  it('is under a checkpoint of another history by the same log: refused, though the lane shows the true one', async () => {
    const bent = await withBundle((bundle, { log, logKey, people, witnesses }) => {
      const envelope = envelopeOf(Buffer.from(bundle.dsseEnvelope.payload, 'base64'), people.lab);
      const other = testLog(log.origin, witnesses, logKey);
      const index = other.append(envelope, people.lab.spki);
      Object.assign(bundle, other.bundle({ envelope, spki: people.lab.spki, index }, other.checkpoint(TIMES.evidence)));
    });
    expectRefused(bent, 'LOG_FORK');
  });

  it('is under checkpoints that the one of the lane does not extend: refused', async () => {
    const view = new AdmitLane();
    view.evidence();
    view.earlierStages();
    view.seal(TIMES.evidence);
    view.approve('alice');
    view.approve('bob');
    const decision = view.decide('prod', 'edge-preprod');
    view.seal(TIMES.decided);
    view.waybill(decision);
    // log and witnesses in one hand show another tree of the same size to everybody else
    view.checkpoint = forkOf(view);
    await view.publish();
    expectRefused(view, 'LOG_FORK');
  });
});

/** A checkpoint by the log's own key and witnesses over another history. */
function forkOf({ checkpoint, log }: AdmitLane): string {
  const { size, root } = parseCheckpoint(checkpoint);
  return log.forge(TIMES.published, { origin: log.origin, size, root: root.map((byte) => byte ^ 1) });
}

it('refuses an approval that saw another history than the lane shows', async () => {
  const split = new AdmitLane();
  split.evidence();
  split.earlierStages();
  split.seal(TIMES.evidence);
  const seen = { origin: split.log.origin, size: 4, root: `${'A'.repeat(43)}=` };
  split.approve('alice', { checkpoint: seen });
  split.approve('bob');
  const decision: Digest = split.decide('prod', 'edge-preprod');
  split.seal(TIMES.decided);
  split.waybill(decision);
  await split.publish();
  const answer = expectRefused(split, 'LOG_FORK', { now: NOW });
  expect(answer.checks.at(-1)?.id).toBe('statements');
});
