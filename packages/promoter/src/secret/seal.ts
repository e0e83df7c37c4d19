/** A value of a secret, sealed to sites: one signed and logged statement for each, which says to whom and never what. */
import {
  type Digest,
  parseDigest,
  PREDICATE,
  PromoterError,
  sealValue,
  sha256,
  type Signer,
  signerIdOf,
  signStatement,
} from '@sealane/core';
import { type Channel, encodeSealedSecret, type Policy, readSecret, type SecretPredicate, secretStatement } from '@sealane/trust';
import { sendSecret } from '../channel/site-mail.js';
import { bundleOf, firstCheckpoint, logEnvelope, statementOf, witnessedHead } from '../log/log-statements.js';
import { type Promoter, stageOf } from '../promoter.js';
import { describeSites } from '../site/describe.js';
import { standingOf } from '../site/in-force.js';

/** A value that waits for a site. */
export interface SentValue {
  readonly site: string;
  readonly secret: string;
  readonly version: number;
  readonly statement: Digest;
  readonly logIndex: number;
}

/** What is sealed to whom. `sites` are all of one stage. */
export interface SealWish {
  readonly secret: string;
  readonly value: Uint8Array;
  readonly sites: readonly SealingSite[];
  readonly signer: Signer;
}

/** A site in force that opens secrets. */
export interface SealingSite {
  readonly name: string;
  readonly keyId: string;
  readonly stage: string;
  readonly recipient: string;
}

/**
 * Seals to each site, logs, and puts all into the channel of their stage, which is returned and not published yet.
 *
 * @throws PromoterError `EVIDENCE_SIGNER` the key is none of `signers.secrets` of the stage; CoreError `SECRET_INVALID`; `LOG_WITNESS` nothing was sent
 */
export async function sealSecret(
  promoter: Promoter,
  stage: string,
  wish: SealWish,
): Promise<{ readonly channel: Channel; readonly sent: readonly SentValue[] }> {
  expectSigner(stageOf(promoter, stage).policy, wish.signer);
  const logged: (SentValue & { readonly sealed: Uint8Array })[] = [];
  for (const site of wish.sites) logged.push(await sealTo(promoter, site, wish));
  await witnessedHead(promoter);
  let { channel } = stageOf(promoter, stage);
  for (const { site, secret, logIndex, sealed } of logged) {
    const bundle = await bundleOf(promoter.ledger, await promoter.ledger.entry(logIndex), await firstCheckpoint(promoter.ledger, logIndex));
    channel = sendSecret(promoter, channel, site, secret, encodeSealedSecret({ bundle, sealed }));
  }
  return { channel, sent: logged.map(({ sealed: _, ...value }) => value) };
}

async function sealTo(
  promoter: Promoter,
  { name, keyId, stage, recipient }: SealingSite,
  { secret, value, signer }: SealWish,
): Promise<SentValue & { readonly sealed: Uint8Array }> {
  const before = (await secretsOf(promoter, keyId)).filter((each) => each.secret === secret);
  const version = 1 + Math.max(0, ...before.map((each) => each.version));
  const sealed = await sealValue(value, { keyId, secret, version }, recipient);
  const issuedAt = promoter.now();
  const payload = secretStatement({ stage, site: { name, keyId }, secret, version, recipient, sealed: sha256(sealed), issuedAt });
  const { index, statementDigest } = await logEnvelope(promoter.ledger, await signStatement(payload, signer));
  return { site: name, secret, version, statement: statementDigest, logIndex: index, sealed };
}

/** Who sealed what to a site, oldest first. */
export async function secretsOf(
  { ledger }: Promoter,
  keyId: string,
): Promise<readonly (SecretPredicate & { readonly statement: Digest; readonly signedBy: string })[]> {
  const entries = await ledger.statementsAbout(parseDigest(`sha256:${keyId}`), PREDICATE.secret);
  return entries.map((entry) => ({
    ...readSecret(statementOf(entry)),
    statement: entry.statementDigest,
    signedBy: signerIdOf(entry),
  }));
}

/** The site named, or every site of the stage that opens secrets; each in force. @throws PromoterError `SITE_UNKNOWN`, `SITE_MISMATCH` */
export async function sealingSites(
  promoter: Promoter,
  wanted: { readonly site?: string; readonly stage?: string },
): Promise<readonly SealingSite[]> {
  if (wanted.site !== undefined) return [await sealingSite(promoter, wanted.site)];
  const names = (await describeSites(promoter)).filter(({ stage }) => stage === wanted.stage).map(({ site }) => site);
  const found: SealingSite[] = [];
  for (const name of names) {
    try {
      found.push(await sealingSite(promoter, name));
    } catch (error) {
      if (!(error instanceof PromoterError) || error.code !== 'SITE_MISMATCH') throw error;
      promoter.talk(`sealane: warning: ${error.message}\n`);
    }
  }
  if (found.length > 0) return found;
  throw new PromoterError('SITE_UNKNOWN', `seal a secret to the sites of ${wanted.stage ?? ''}: expected one that opens secrets, got none`);
}

async function sealingSite(promoter: Promoter, name: string): Promise<SealingSite> {
  const { record, objection } = await standingOf(promoter, name);
  const { site, key, stage, recipient } = record;
  const refused = (got: string): PromoterError =>
    new PromoterError('SITE_MISMATCH', `seal a secret to site ${name}: expected one in force that opens secrets, ${got}`);
  if (objection !== null) throw refused(objection);
  if (recipient === undefined) throw refused('its record names no key to seal to: enrol it again');
  return { name: site, keyId: key.id, stage, recipient };
}

function expectSigner({ stage, signers }: Policy, { keyId }: Signer): void {
  if (signers.secrets?.includes(keyId) === true) return;
  throw new PromoterError(
    'EVIDENCE_SIGNER',
    `seal a secret for ${stage}: expected a key listed under signers.secrets, got key ${keyId}`,
    {},
    { hint: 'name who may under signers.secrets in pipeline.yaml, then: sealane trust propose' },
  );
}
