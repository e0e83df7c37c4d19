/** Recalls: what was tested on a rig, a class of device or a unit counts no more; sites learn of it with their next poll. */
import { isDigest, PromoterError, type Signed, type Signer, signStatement } from '@sealane/core';
import { type RecalledThing, recallStatement } from '@sealane/trust';
import type { Promoter } from '../promoter.js';
import { expectRegistrar, rigRecords, unknownRig } from './enrol.js';

export interface RecallWish {
  readonly rig: string | undefined;
  readonly deviceClass: string | undefined;
  readonly serial: string | undefined;
  readonly reason: string;
  /** Test results logged at or after it are void: 0 for all. */
  readonly untilIndex: number;
  readonly registrar: Signer;
}

/**
 * Signs the recall; of a rig, one for each key that was enrolled under its name.
 *
 * @throws PromoterError `USAGE` not exactly one thing, or no digest; `EVIDENCE_RIG` no such rig; `EVIDENCE_SIGNER` not the registrar's key
 */
export async function signRecall(promoter: Promoter, wish: RecallWish): Promise<readonly Signed[]> {
  expectRegistrar(promoter, wish.registrar, 'recall');
  const signed: Signed[] = [];
  for (const recalled of await thingsOf(promoter, wish)) {
    const payload = recallStatement({ recalled, untilIndex: wish.untilIndex, reason: wish.reason, salt: promoter.randomHex() });
    signed.push(await signStatement(payload, wish.registrar));
  }
  return signed;
}

async function thingsOf(promoter: Promoter, { rig, deviceClass, serial }: RecallWish): Promise<readonly RecalledThing[]> {
  if ([rig, deviceClass, serial].filter((each) => each !== undefined).length !== 1)
    throw new PromoterError('USAGE', 'recall: expected the name of a rig, --class or --serial, and only one of them');
  if (serial !== undefined) return [{ serial }];
  if (deviceClass !== undefined) {
    if (isDigest(deviceClass)) return [{ class: deviceClass }];
    throw new PromoterError('USAGE', `read --class: expected sha256: and 64 hex digits, got ${JSON.stringify(deviceClass.slice(0, 80))}`);
  }
  const name = rig ?? '';
  const keyIds = new Set((await rigRecords(promoter)).filter((record) => record.rig === name).map(({ key }) => key.id));
  if (keyIds.size === 0) throw unknownRig(name);
  return [...keyIds].map((keyId) => ({ rig: name, keyId }));
}
