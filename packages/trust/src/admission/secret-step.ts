/**
 * Secrets that were sealed to a site: signed by whom the policy that it holds names for them, for this very site, key and stage, and logged. Whether one is
 * newer than what the site has only its journal knows, and what is in it only its sealing key.
 */
import { type Digest, SealaneError, sha256, TrustError } from '@sealane/core';
import { parseBundle } from '../evidence/bundle.js';
import { readSecret, type SecretPredicate } from '../evidence/predicates/secret.js';
import { verifyTrustOf } from '../evidence/verify-trust.js';
import { verifyStatement } from '../evidence/verify-statement.js';
import { parseSealedSecret } from '../policy/sealed-secret.js';
import { checkFence } from './channel-step.js';
import { laneReader } from './lane-reader.js';
import { openRecord } from './site-step.js';
import { openTrust } from './trust-step.js';
import type { AdmitInput } from './types.js';

/** A secret that counts at this site: its statement, and the bytes to open. */
export interface SiteSecret {
  readonly secret: string;
  readonly version: number;
  readonly statement: Digest;
  readonly sealed: Uint8Array;
}

/**
 * Judges one sealed secret by the trust that the site holds now.
 *
 * @throws TrustError `SITE_FENCED` a fenced site opens nothing new; `SECRET_INVALID` by nobody who may, for another site, other bytes; `TRUST_*` expired or
 * unverifiable trust; `SITE_MISMATCH`
 */
export function judgeSiteSecret(input: AdmitInput, bytes: Uint8Array): SiteSecret {
  const { policy, channel } = openTrust(input, laneReader(input.lane));
  checkFence(channel, input.site.name);
  const trust = verifyTrustOf(policy);
  openRecord(input.site, policy, trust, input.now);
  return asInvalid(() => {
    const { bundle: json, sealed } = parseSealedSecret(bytes);
    const bundle = parseBundle(json);
    const secret = readSecret(bundle.statement);
    checkBinding(secret, input, policy.stage);
    if (secret.sealed !== sha256(sealed)) throw invalid(`sealed bytes ${secret.sealed}`, sha256(sealed));
    const { digest } = verifyStatement(bundle, { trust, signers: secretSigners(policy), signerCode: 'SECRET_INVALID' });
    return { secret: secret.secret, version: secret.version, statement: digest, sealed };
  });
}

/** Never an online key of a stage, whoever's it is said to be: who owns the promoter's host must not feed sites what he likes. */
function secretSigners({ signers, chain }: Parameters<typeof verifyTrustOf>[0]): readonly string[] {
  const online = chain.flatMap(({ keys }) => keys);
  return (signers.secrets ?? []).filter((id) => !online.includes(id));
}

function checkBinding({ stage, site }: SecretPredicate, { site: here }: AdmitInput, hereStage: string): void {
  if (stage !== hereStage) throw invalid(`one for stage ${hereStage}`, `one for ${stage}`);
  if (site.name !== here.name) throw invalid(`one for site ${here.name}`, `one for ${site.name}`);
  if (site.keyId !== here.keyId) throw invalid(`one for key ${here.keyId}`, `one for ${site.keyId}: this site was enrolled anew`);
}

function asInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SealaneError) || error.code === 'SECRET_INVALID') throw error;
    throw invalid('a statement by a signer of secrets, in the log, with what it names', error.message, error);
  }
}

function invalid(expected: string, got: string, cause?: unknown): TrustError {
  return new TrustError(
    'SECRET_INVALID',
    `check a sealed secret: expected ${expected}, got ${got}`,
    {},
    cause === undefined ? {} : { cause },
  );
}
