/** Retires a site: the registrar's word, logged, and sent to the site in its shard of the channel. */
import { PREDICATE, PromoterError, type Signer, utf8 } from '@sealane/core';
import { readRetirement, retirementStatement } from '@sealane/trust';
import { sendRetirement } from '../channel/site-mail.js';
import {
  bundleOf,
  firstCheckpoint,
  type LoggedStatement,
  signAndLog,
  statementOf,
  tryWitness,
  witnessedHead,
} from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { publishLane } from '../trust/publish-lane.js';
import { retirementOf, standingOf } from './in-force.js';

/** What became of it. `statements` = what was logged now; none when the site was retired before. */
export interface RetiredSite {
  readonly site: string;
  readonly stage: string;
  readonly keyId: string;
  readonly reason: string;
  readonly statements: readonly LoggedStatement[];
}

/**
 * Retires the site of this name as its last record has it. Done again, what the registrar said before is sent once more.
 *
 * @throws PromoterError `SITE_UNKNOWN`; `EVIDENCE_SIGNER` the key is no registrar's of its stage; `LOG_WITNESS` no quorum saw it: call again
 */
export async function retireSite(promoter: Promoter, name: string, reason: string, registrar: Signer): Promise<RetiredSite> {
  const { record } = await standingOf(promoter, name);
  const { stage, key } = record;
  const { policy } = stageOf(promoter, stage);
  if (!policy.registrar.includes(registrar.keyId))
    throw new PromoterError('EVIDENCE_SIGNER', `retire site ${name}: expected the registrar's key, got key ${registrar.keyId}`);
  // what an earlier call logged and no witness saw counts from here on
  await tryWitness(promoter);
  const before = await retirementOf(promoter, policy, key.id);
  const statements: LoggedStatement[] = [];
  if (before === undefined) {
    const payload = retirementStatement({ site: name, keyId: key.id, stage, reason, issuedAt: promoter.now(), salt: promoter.randomHex() });
    const { index, statementDigest } = await signAndLog(promoter.ledger, payload, registrar);
    statements.push({ predicateType: PREDICATE.retirement, digest: statementDigest, logIndex: index });
    await witnessedHead(promoter);
  }
  const entry = before ?? (await retirementOf(promoter, policy, key.id));
  if (entry === undefined) throw new PromoterError('INTERNAL', `retire site ${name}: expected what was logged, got nothing`);
  const bundle = await bundleOf(promoter.ledger, entry, await firstCheckpoint(promoter.ledger, entry.index));
  const channel = sendRetirement(promoter, stage, name, utf8(JSON.stringify(bundle)));
  await publishLane(promoter, new Map([[stage, channel]]));
  const { reason: given } = readRetirement(statementOf(entry));
  return { site: name, stage, keyId: key.id, reason: given, statements };
}
