/** Loading the trusted root and following the chain of roots (TUF 5.2 and 5.3). */
import { LIMITS, TrustError } from '@sealane/core';
import { requireFresh } from './expiry.js';
import type { TufFlow } from './flow.js';
import { parseRoot, type RootMetadata } from './metadata.js';
import type { TufRules, TufRun } from './rules.js';
import { parseSignedDocument, requireThreshold } from './signed-document.js';
import { freshState, refusalKeeping, trustedRootBytes, type TufState, withRoot } from './state.js';

/** TUF 5.3.3's Y: more root rotations than a lane makes in its life, so that a hostile source cannot feed roots for ever. */
const MAX_ROOTS_PER_RUN = 1024;

/**
 * A root as shipped with the client: well-formed and signed by a threshold of its own keys.
 *
 * @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE`, `TRUST_THRESHOLD`
 */
function readRoot(fileName: string, bytes: Uint8Array, rules: TufRules): RootMetadata {
  const document = parseSignedDocument(fileName, bytes, LIMITS.rootBytes);
  const root = parseRoot(fileName, document, rules);
  requireThreshold(fileName, document, root.roles.root);
  return root;
}

/**
 * The state of a client that trusts this root and has seen nothing else. How the root got here is the caller's business: never over the same network.
 *
 * @throws TrustError as `readRoot`
 */
export function trustFromRoot(bytes: Uint8Array, rules: TufRules = 'lane'): TufState {
  return freshState(bytes, readRoot('root.json', bytes, rules).version);
}

/**
 * Follows the chain of roots from the trusted one to the newest. On failure the error carries `data.state`: the state with the roots proven so far.
 *
 * @throws TrustError `TRUST_MALFORMED`, `TRUST_TOO_LARGE`, `TRUST_THRESHOLD`, `TRUST_ROLLBACK`, `TRUST_EXPIRED`
 */
export function* updateRoot(run: TufRun, start: TufState): TufFlow<{ readonly root: RootMetadata; readonly state: TufState }> {
  // TUF 5.2: the trusted root's own expiry does not matter here
  let root = readRoot('root.json', trustedRootBytes(start), run.rules);
  let state: TufState = { ...start, versions: { ...start.versions, root: root.version } };
  try {
    for (let count = 0; count < MAX_ROOTS_PER_RUN; count += 1) {
      const fileName = `${root.version + 1}.root.json`;
      // TUF 5.3.3: try N+1; when there is none, N is the newest
      const bytes = yield { ask: 'fetch', name: `metadata/${fileName}`, maxBytes: LIMITS.rootBytes };
      if (bytes === undefined) break;
      const next = verifyNextRoot(fileName, bytes, root, run.rules);
      state = withRoot(state, root, next, bytes, run.rules);
      root = next;
      yield { ask: 'keep', role: 'root', bytes, state };
    }
    // TUF 5.3.10: only the last root must be fresh
    requireFresh(`${root.version}.root.json`, root.expiresMs, run);
    return { root, state };
  } catch (error) {
    throw refusalKeeping(error, state);
  }
}

function verifyNextRoot(fileName: string, bytes: Uint8Array, trusted: RootMetadata, rules: TufRules): RootMetadata {
  const document = parseSignedDocument(fileName, bytes, LIMITS.rootBytes);
  // TUF 5.3.4: signed by a threshold of the trusted root's keys, and by a threshold of its own
  requireThreshold(fileName, document, trusted.roles.root);
  const next = parseRoot(fileName, document, rules);
  requireThreshold(fileName, document, next.roles.root);
  // TUF 5.3.5: exactly N+1
  if (next.version !== trusted.version + 1) {
    throw new TrustError('TRUST_ROLLBACK', `verify ${fileName}: expected version ${trusted.version + 1}, got ${next.version}`, {
      fileName,
    });
  }
  return next;
}
