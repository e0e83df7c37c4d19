/**
 * What a TUF client keeps on disk: the trust state (root and version floors) in one file, and beside it the exact bytes of every trusted role, named
 * without versions. The state file is what counts; the copies are a cache, verified again at each use.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, type JsonObject, LIMITS, parseStrictJson, PromoterError, SealaneError } from '@sealane/core';
import { encodeRole, summarizeMetadata, type TufState, trustFromRoot, type TufRules } from '@sealane/trust';
import { durableWrite, PUBLIC_FILE, readNamed, readOptional } from '../disk-shell.js';

/** Not `.json`: the public suite takes every such file for metadata. */
const STATE_FILE = 'trust.state';

/** A state holds a root of at most 512 KiB in base64, and a version for each role of a snapshot. */
const MAX_STATE_BYTES = 4 * LIMITS.snapshotBytes;

export interface MetadataFolder {
  /** @throws PromoterError `CONFIG_INVALID` not initialised, or damaged */
  readonly state: () => TufState;
  readonly copyOf: (role: string) => Uint8Array | undefined;
  /** Keeps a role's bytes; the state that goes with it is saved by `saveState`. */
  readonly keepCopy: (role: string, bytes: Uint8Array) => void;
  readonly saveState: (state: TufState) => void;
  /** Role → version of each copy kept. */
  readonly versions: () => Readonly<Record<string, number>>;
}

export function openMetadataFolder(folder: string): MetadataFolder {
  const fileOf = (role: string): string => path.join(folder, `${encodeRole(role)}.json`);
  return {
    state: () => readState(folder),
    copyOf: (role) => readOptional(fileOf(role)),
    keepCopy: (role, bytes) => durableWrite(fileOf(role), bytes, PUBLIC_FILE),
    saveState: (state) => {
      durableWrite(path.join(folder, STATE_FILE), canonicalJson(stateJson(state)), PUBLIC_FILE);
      // TUF 5.3.11: what a fast-forward attack may have driven up is deleted with the keys that signed it
      for (const role of ['timestamp', 'snapshot'] as const) if (state.versions[role] === 0) rmSync(fileOf(role), { force: true });
    },
    versions: () => copiedVersions(folder),
  };
}

/**
 * Starts a folder from a shipped root. With the root that is already trusted there nothing changes.
 *
 * @throws TrustError `TRUST_*` not a root; PromoterError `CONFIG_INVALID` another root is trusted there: its version floors are not thrown away
 */
export function initMetadataFolder(folder: string, rootFile: string, rules: TufRules): MetadataFolder {
  const root = readNamed(rootFile, 'root');
  const state = trustFromRoot(root, rules);
  const opened = openMetadataFolder(folder);
  if (existsSync(path.join(folder, STATE_FILE)) && opened.state().root !== state.root) {
    throw new PromoterError('CONFIG_INVALID', `start trust in ${folder}: expected an empty folder, got one that trusts another root`, {
      folder,
    });
  }
  if (!existsSync(path.join(folder, STATE_FILE))) {
    opened.keepCopy('root', root);
    opened.saveState(state);
  }
  return opened;
}

function readState(folder: string): TufState {
  const file = path.join(folder, STATE_FILE);
  const hint = 'start with: sealane tuf init ROOT.json --metadata-dir DIR';
  const bytes = readOptional(file);
  if (bytes === undefined)
    throw new PromoterError('CONFIG_INVALID', `open ${folder}: expected a trust state, got none`, { file }, { hint });
  const state = parseState(bytes);
  if (state === undefined) throw new PromoterError('CONFIG_INVALID', `open ${file}: expected a trust state, got a damaged file`, { file });
  return state;
}

function parseState(bytes: Uint8Array): TufState | undefined {
  try {
    const state = parseStrictJson(bytes, { maxBytes: MAX_STATE_BYTES, maxDepth: LIMITS.jsonDepth });
    return isState(state) ? state : undefined;
  } catch (error) {
    // the caller says which file is damaged
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}

function isState(value: unknown): value is TufState {
  if (!isObject(value) || typeof value['root'] !== 'string' || !Array.isArray(value['importedTimestamps'])) return false;
  const { versions } = value;
  if (!isObject(versions) || !isObject(versions['roles'])) return false;
  const { roles, ...top } = versions;
  const numbers = [...['root', 'timestamp', 'snapshot', 'targets'].map((role) => top[role]), ...Object.values(roles)];
  return numbers.every((version) => Number.isSafeInteger(version));
}

function stateJson({ root, versions, importedTimestamps, signed }: TufState): JsonObject {
  const plain = { root, versions: { ...versions, roles: { ...versions.roles } }, importedTimestamps };
  return signed === undefined ? plain : { ...plain, signed: signedJson(signed) };
}

function signedJson(signed: NonNullable<TufState['signed']>): JsonObject {
  return Object.fromEntries(Object.entries(signed).map(([role, floors]) => [role, floors.map((floor) => ({ ...floor }))]));
}

function copiedVersions(folder: string): Readonly<Record<string, number>> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const entries = names.sort().map((name): [string, number] => {
    const bytes = readOptional(path.join(folder, name)) ?? new Uint8Array();
    return [decodeURIComponent(name.slice(0, -'.json'.length)), versionOf(bytes)];
  });
  return Object.fromEntries(entries);
}

/** A copy that was damaged since has no version; the client fetches it anew. */
function versionOf(bytes: Uint8Array): number {
  try {
    return summarizeMetadata(bytes, 'plain').version;
  } catch (error) {
    if (error instanceof SealaneError) return 0;
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
