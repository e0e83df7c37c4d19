/**
 * `@sigstore/verify`, loaded when the first statement is verified: it costs 40 ms of start-up, which a poll that finds nothing new need not pay.
 *
 * It is CommonJS, so a synchronous load keeps verification a pure, synchronous function.
 */
import { createRequire } from 'node:module';
import type * as sigstoreBundle from '@sigstore/bundle';
import type * as sigstoreSpecs from '@sigstore/protobuf-specs';
import type * as sigstoreVerify from '@sigstore/verify';

const require = createRequire(import.meta.url);

/** The parts of the three sigstore packages that verification uses. */
export interface Sigstore {
  readonly bundleFromJSON: typeof sigstoreBundle.bundleFromJSON;
  readonly TrustedRoot: typeof sigstoreSpecs.TrustedRoot;
  readonly toSignedEntity: typeof sigstoreVerify.toSignedEntity;
  readonly toTrustMaterial: typeof sigstoreVerify.toTrustMaterial;
  readonly Verifier: typeof sigstoreVerify.Verifier;
}

/** Loads them; Node keeps modules, so all calls but the first are free. */
export function loadSigstore(): Sigstore {
  const parts: unknown = {
    ...asObject(require('@sigstore/bundle')),
    ...asObject(require('@sigstore/protobuf-specs')),
    ...asObject(require('@sigstore/verify')),
  };
  if (isSigstore(parts)) return parts;
  throw new TypeError('load @sigstore/verify: expected its pinned version, got one without the functions that are used here');
}

function asObject(module: unknown): object {
  return typeof module === 'object' && module !== null ? module : {};
}

function isSigstore(parts: unknown): parts is Sigstore {
  const names = ['bundleFromJSON', 'TrustedRoot', 'toSignedEntity', 'toTrustMaterial', 'Verifier'];
  return typeof parts === 'object' && parts !== null && names.every((name) => name in parts);
}
