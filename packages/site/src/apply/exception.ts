/** Exceptions at this site: asking for one, taking one in, finding the one that lets something through. Each is used once. */
import {
  type Digest,
  digestHex,
  hex,
  type JsonObject,
  type JsonValue,
  LIMITS,
  parseStrictJson,
  SealaneError,
  sha256,
  signStatement,
  SiteError,
} from '@sealane/core';
import {
  encodeBundle,
  exceptionRequestStatement,
  type GrantedRole,
  judgeSiteException,
  parseBundle,
  readException,
  type SentBlob,
  type SiteException,
  type SiteExceptionKind,
} from '@sealane/trust';
import type { Site } from '../site.js';
import { admitInput, mirrorOf } from './admission.js';
import type { Machine } from './machine.js';
import type { TakenException } from './state.js';
import { readTrustFile } from './trust-file.js';
import { trustedNow } from './trusted-time.js';

/** What a site asks for. */
export interface ExceptionWish {
  readonly kind: SiteExceptionKind;
  readonly release: Digest;
  readonly role?: GrantedRole;
  readonly reason: string;
}

/** A signed request, as a bundle: whoever grants it repeats its nonce. Nothing is remembered here. */
export async function requestException({ world, folder, config, signer }: Site, wish: ExceptionWish): Promise<JsonObject> {
  const { time } = readTrustFile(world.disk, folder.trust);
  const predicate = {
    ...wish,
    stage: config.stage,
    site: config.name,
    keyId: signer.keyId,
    at: trustedNow(time, world.clock),
    nonce: hex(world.salt()),
  };
  const { envelope, spki } = await signStatement(exceptionRequestStatement(predicate), signer);
  return encodeBundle({ envelope, spki });
}

/**
 * Takes an exception in, durably; what was taken in before and is not used yet is left as it is.
 *
 * @throws TrustError `EXCEPTION_INVALID` also: used here before; `TRUST_*`, `SITE_MISMATCH` where the policy held here cannot be verified
 */
export async function takeException(site: Site, machine: Machine, bytes: Uint8Array): Promise<SiteException> {
  const bundles = readBundles(bytes);
  const exception = judgeSiteException(await admitInput(site, machine, mirrorOf(site)), bundles);
  const { taken, spent } = machine.state();
  if (spent.includes(exception.nonce))
    throw new SiteError(
      'EXCEPTION_INVALID',
      `take in an exception of kind ${exception.kind}: expected one that was not used, got one that was`,
      {
        nonce: exception.nonce,
      },
    );
  if (!taken.some(({ nonce }) => nonce === exception.nonce))
    machine.record({ is: 'exception-taken', exception: { ...exception, bundles } });
  return exception;
}

/** Takes in what the channel has waiting for this site; what does not count here is said, and stops nothing else. */
export async function takeMail(site: Site, machine: Machine, mail: readonly SentBlob[]): Promise<void> {
  const lane = mirrorOf(site);
  for (const { digest, length } of mail) {
    try {
      const bytes = lane.read(`content/blobs/sha256/${digestHex(digest)}`, length);
      if (bytes === undefined || sha256(bytes) !== digest || isKnown(machine, readBundles(bytes))) continue;
      const { kind, release, reason } = await takeException(site, machine, bytes);
      site.world.talk(`took in an exception of kind ${kind} for ${release}: ${reason}`);
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      site.world.talk(`an exception that was sent here was not taken in: ${error.message}`);
    }
  }
}

/** Whether an exception was taken in before, used or not: by its own word, which is judged only when it is new. */
function isKnown(machine: Machine, bundles: readonly JsonObject[]): boolean {
  const { taken, spent } = machine.state();
  const nonces = bundles.map((bundle) => readException(parseBundle(bundle).statement).nonce);
  return nonces.some((nonce) => spent.includes(nonce) || taken.some((each) => each.nonce === nonce));
}

/** The exception, not used yet, that lets this site go to a release below the floor; judged again by what is known now. */
export async function exceptionForRollback(site: Site, machine: Machine, release: Digest): Promise<SiteException | undefined> {
  const meant = machine.state().taken.filter(({ kind, release: for_ }) => kind === 'rollback' && for_ === release);
  for (const { bundles } of meant) {
    try {
      return judgeSiteException(await admitInput(site, machine, mirrorOf(site)), bundles);
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      site.world.talk(`an exception was not used: ${error.message}`);
    }
  }
  return undefined;
}

/** What of an exception goes with a target: its receipt names the statements, and the nonce is spent with the first word of it. */
export function usedBy(exception: SiteException | null | undefined): { readonly exception?: Pick<TakenException, 'nonce' | 'statements'> } {
  return exception === null || exception === undefined ? {} : { exception: { nonce: exception.nonce, statements: exception.statements } };
}

/** One bundle, or a list of them. */
function readBundles(bytes: Uint8Array): readonly JsonObject[] {
  const value = parsed(bytes);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every(isObject)) return list;
  throw new SiteError('EXCEPTION_INVALID', 'read an exception: expected a bundle or a list of bundles');
}

function parsed(bytes: Uint8Array): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth });
  } catch (cause) {
    if (!(cause instanceof SealaneError)) throw cause;
    const hint = 'take the file that this wrote: sealane exception export';
    throw new SiteError(
      'EXCEPTION_INVALID',
      `read an exception: expected a bundle or a list of bundles, ${cause.message}`,
      {},
      { cause, hint },
    );
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
