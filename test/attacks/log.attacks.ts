/** Attacks on the log: statements outside it, forged proofs, checkpoints that no witness saw, a second history. */
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type JsonObject, parseCheckpoint, parseVkey, PREDICATE } from '@sealane/core';
import { ed25519NoteSigner, openLedger, requestCosignature } from '@sealane/ledger';
import { parsePolicy } from '@sealane/trust';
import { beforeAll, describe, it } from 'vitest';
import { ROOT, startServer } from '../support/run.js';
import { LaneCopy, now } from './attacker.js';
import { statementIn } from './log-holder.js';
import { approval, decision } from './statements.js';
import { expectRefusal, type Scene, type World } from './world.js';

export function logAttacks(at: () => World): void {
  let world: World;
  let entries: readonly number[];
  let decided: number;

  beforeAll(async () => {
    world = at();
    const approvals = await world.log.log([await approval(world, world.three), 'alice'], [await approval(world, world.three), 'bob']);
    entries = [...world.honest, ...approvals];
    [decided = -1] = await world.log.log([decision(world, world.three), 'prod']);
  });

  /** Offers a waybill whose approvals' bundles are bent. */
  async function offerBent(bend: (bundle: JsonObject) => JsonObject): Promise<Scene> {
    const scene = await world.scene();
    await world.log.publish(scene.copy, {
      release: world.three,
      decision: decided,
      entries,
      counter: 7,
      bend: (bundles) => bundles.map((bundle) => (statementIn(bundle).predicateType === PREDICATE.approval ? bend(bundle) : bundle)),
    });
    return scene;
  }

  /** Changes the first log entry in a bundle. */
  function withEntry(bundle: JsonObject, change: (entry: JsonObject) => JsonObject): JsonObject {
    const material = bundle['verificationMaterial'] as JsonObject;
    const [entry = {}] = material['tlogEntries'] as JsonObject[];
    return { ...bundle, verificationMaterial: { ...material, tlogEntries: [change(entry)] } };
  }

  describe('B6 not in the log', () => {
    it('a statement without a proof is refused', async () => {
      const scene = await offerBent((bundle) => ({
        ...bundle,
        verificationMaterial: { ...(bundle['verificationMaterial'] as JsonObject), tlogEntries: [] },
      }));
      await expectRefusal(scene, 'LOG_NOT_INCLUDED', 4);
    });

    it('a proof with a changed hash is refused', async () => {
      const scene = await offerBent((bundle) =>
        withEntry(bundle, (entry) => {
          const proof = entry['inclusionProof'] as JsonObject;
          const [first = '', ...hashes] = proof['hashes'] as string[];
          const bytes = Buffer.from(first, 'base64');
          bytes[0]! ^= 1;
          return { ...entry, inclusionProof: { ...proof, hashes: [bytes.toString('base64'), ...hashes] } };
        }),
      );
      await expectRefusal(scene, 'LOG_NOT_INCLUDED', 4);
    });

    it('the proof of another statement is refused', async () => {
      const other = await world.log.bundle(0);
      const scene = await offerBent((bundle) => ({
        ...bundle,
        verificationMaterial: {
          ...(bundle['verificationMaterial'] as JsonObject),
          tlogEntries: (other['verificationMaterial'] as JsonObject)['tlogEntries'] ?? [],
        },
      }));
      await expectRefusal(scene, 'LOG_NOT_INCLUDED', 4);
    });

    it('a lane without its checkpoint is refused', async () => {
      const scene = await offerBent((bundle) => bundle);
      scene.copy.write('log/checkpoint', '');
      await expectRefusal(scene, 'LOG_NOT_INCLUDED', 4);
    });
  });

  describe('B6 no witness quorum', () => {
    const withoutCosignatures = (note: string): string => {
      const [text = '', signatures = ''] = note.split('\n\n');
      return `${text}\n\n${signatures
        .split('\n')
        .filter((line) => !line.includes('witness.example'))
        .join('\n')}`;
    };

    it('a checkpoint that the log signed alone is refused', async () => {
      const scene = await offerBent((bundle) => bundle);
      scene.copy.write('log/checkpoint', withoutCosignatures(readFileSync(scene.copy.file('log/checkpoint'), 'utf8')));
      await expectRefusal(scene, 'LOG_WITNESS', 4);
    });

    it('a proof under a checkpoint that the log signed alone is refused', async () => {
      const scene = await offerBent((bundle) =>
        withEntry(bundle, (entry) => {
          const proof = entry['inclusionProof'] as JsonObject;
          const { envelope } = proof['checkpoint'] as { envelope: string };
          return { ...entry, inclusionProof: { ...proof, checkpoint: { envelope: withoutCosignatures(envelope) } } };
        }),
      );
      await expectRefusal(scene, 'LOG_WITNESS', 4);
    });
  });

  describe('T7 and T8: a second history', () => {
    it('the thief of the log’s key cannot show a log that no witness cosigned', async () => {
      const scene = await world.scene();
      const forged = await secondHistory(scene.copy, 'log-alone');
      scene.copy.write('log/checkpoint', forged);
      await expectRefusal(scene, 'LOG_WITNESS', 4);
    });

    it('the thief of log and witness cannot show a site another history than the one it saw', async () => {
      const scene = await world.scene();
      const forged = await secondHistory(scene.copy, 'with-witness');
      scene.copy.write('log/checkpoint', forged);
      await expectRefusal(scene, 'LOG_FORK', 4);
    });
  });

  /** Another log under the lane's own log key: the same entries the other way round. Its tiles go into the copy. */
  async function secondHistory(copy: LaneCopy, cosigned: 'log-alone' | 'with-witness'): Promise<string> {
    const dir = mkdtempSync(path.join(world.dir, 'second-'));
    mkdirSync(path.join(dir, 'witness'));
    const key = createPrivateKey(readFileSync(path.join(ROOT, 'keys-example', 'log.pem')));
    const ledger = await openLedger({
      file: path.join(dir, 'ledger.sqlite'),
      origin: world.lane.origin,
      logSigner: ed25519NoteSigner(world.lane.origin, key),
      now,
    });
    try {
      for (const index of [...Array(await world.log.size()).keys()].reverse()) {
        const { envelope, spki } = await world.log.entry(index);
        await ledger.append([{ envelope, spki }]);
      }
      const note = await ledger.checkpointNote();
      if (cosigned === 'log-alone') return note;
      cpSync(path.join(ROOT, 'keys-example', 'witness.pem'), path.join(dir, 'witness', 'witness.pem'));
      const witness = await startServer('sealane', [
        'witness',
        'serve',
        '--state',
        path.join(dir, 'witness'),
        '--log',
        ledger.vkey,
        '--listen',
        '127.0.0.1:0',
      ]);
      try {
        const [vkey = ''] = parsePolicy(copy.target('targets', 'policy/prod.json')).witnesses;
        const line = await requestCosignature({
          witness: { vkey: parseVkey(vkey), url: witness.url },
          note,
          size: parseCheckpoint(note).size,
          believedSize: 0,
          consistencyProof: () => [],
          post: async (url, body) => {
            const response = await fetch(url, { method: 'POST', body });
            return { status: response.status, body: await response.text() };
          },
          signal: AbortSignal.timeout(10_000),
        });
        await ledger.saveCosigned(note + line);
        await ledger.publishTiles(async (files) => {
          for (const [name, bytes] of files) await copy.writeLater(`log/${name}`, bytes);
        });
        return note + line;
      } finally {
        await witness.stop();
      }
    } finally {
      await ledger.close();
    }
  }
}
