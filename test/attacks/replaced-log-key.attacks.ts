/** T7 after the fact: the log has another key by now, and somebody finds the old one. Whatever else he holds, beyond its last size it makes nothing. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { digestHex, fromUtf8, type JsonObject, parseCheckpoint, parseNote, signatureLine, signNote } from '@sealane/core';
import { encodeWaybill, parseWaybill } from '@sealane/trust';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { replaceLogKey } from '../support/log-key.js';
import { ROOT, type Server } from '../support/run.js';
import { expectInstalled, expectRefusal, type World } from './world.js';

export function replacedLogKeyAttacks(at: () => World): void {
  let world: World;
  let witness: Server;

  /** 1.2.0 was decided under the new key; the site is still at 1.0.0 and has not heard of it. */
  beforeAll(async () => {
    world = at();
    witness = await replaceLogKey(world.lane);
    await world.lane.promote(world.three);
  });

  afterAll(async () => {
    await witness.stop();
  });

  /** The checkpoint with the old key's signature in the place of the new one's. Its witness has cosigned this very text. */
  function bySignatureOfOld(note: string): string {
    const { origin, text } = parseCheckpoint(note);
    const key = createPrivateKey(readFileSync(path.join(ROOT, 'keys-example', 'log.pem')));
    const cosignatures = parseNote(note).signatures.filter(({ name }) => name !== origin);
    return `${text}\n${signNote(text, origin, key)}${cosignatures.map((line) => signatureLine(line.name, line.keyHash, line.blob)).join('')}`;
  }

  describe('T7: the old key of a log that was given another', () => {
    it('the site that was away takes what the new key signed', async () => {
      await expectInstalled(await world.scene(), '1.2.0');
    });

    it('the old key signs no head of the log any more, whoever cosigned it', async () => {
      const scene = await world.scene();
      scene.copy.write('log/checkpoint', bySignatureOfOld(fromUtf8(scene.copy.read('log/checkpoint'))));
      await expectRefusal(scene, 'LOG_KEY_REPLACED', 4);
    });

    it('the old key proves no statement that was logged since, in a waybill that the stage’s key points at', async () => {
      const scene = await world.scene();
      const channel = scene.copy.channel();
      const [group] = channel.groups;
      if (group === undefined) throw new Error('read the channel of prod: expected a group');
      const waybill = parseWaybill(scene.copy.read(`content/blobs/sha256/${digestHex(group.waybill)}`));
      const bytes = encodeWaybill({ ...waybill, bundles: waybill.bundles.map(withProofOfOld) });
      await scene.copy.setChannel({ ...channel, groups: [{ ...group, waybill: scene.copy.blob(bytes), length: bytes.length }] });
      await expectRefusal(scene, 'LOG_KEY_REPLACED', 4);
    });
  });

  function withProofOfOld(bundle: JsonObject): JsonObject {
    const material = bundle['verificationMaterial'] as JsonObject;
    const [entry = {}] = material['tlogEntries'] as JsonObject[];
    const proof = entry['inclusionProof'] as JsonObject;
    const { envelope } = proof['checkpoint'] as { envelope: string };
    const bent = { ...entry, inclusionProof: { ...proof, checkpoint: { envelope: bySignatureOfOld(envelope) } } };
    return { ...bundle, verificationMaterial: { ...material, tlogEntries: [bent] } };
  }
}
