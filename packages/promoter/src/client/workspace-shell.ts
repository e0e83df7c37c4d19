/**
 * A home for one run, in a folder that is removed after it: what of the lane a CI job needs to sign a statement, fetched from the service and
 * verified, and a log of its own that collects what is signed. The key stays with the job; the service gets the statements.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Digest,
  digestHex,
  formatVkey,
  keyIdOf,
  LIMITS,
  NOTE_KEY_TYPE,
  OciError,
  parseDigest,
  PromoterError,
  sha256,
  type Signer,
  vkeyOf,
} from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { ed25519NoteSigner, openLedger } from '@sealane/ledger';
import { MAX_MANIFEST_BYTES, openLayout, type ReleaseDoc, walkRelease } from '@sealane/oci';
import { encodeBundle, releaseStatement } from '@sealane/trust';
import { nowText, randomHex } from '../clock.js';
import { durableWrite, listFolder, makePrivateFolder, PUBLIC_FILE } from '../disk-shell.js';
import { type Home, homeAt } from '../home.js';
import { parsePipeline } from '../pipeline/pipeline.js';
import { postText } from '../post-shell.js';
import { authoritiesIn, optionalText, type Promoter } from '../promoter.js';
import { rootFile } from './root-file-shell.js';
import { readBlob } from '../content.js';
import { signAndLog } from '../log/log-statements.js';
import { writeBlob } from '../decision/waybill.js';
import { signerOf } from '../signers/key-file.js';
import { signerAt } from '../signers/key-ref.js';
import { openSource, type ReadFile } from '../tuf-client/source-shell.js';
import { type LaneReading, type LaneTrust, readBelow, readLaneTrust } from '../trust/lane-trust.js';

/** More files than the trust of a lane has: a server that names new ones for ever is left. */
const MAX_TRUST_FILES = 4096;

export interface Workspace {
  /** A promoter over the workspace: it logs into the workspace's own log. */
  readonly promoter: Promoter;
  /** Fetches a release: its manifests, each verified by its digest, and what they say of it. @throws OciError `CONTENT_MISSING` the service lacks one */
  fetchRelease(release: Digest): Promise<ReleaseDoc>;
  /** The statements that were signed in it, as bundles, in their order. */
  bundles(): Promise<readonly object[]>;
  /** The blobs that were written in it, beside those that were fetched. */
  newBlobs(): readonly { readonly digest: Digest; readonly file: string }[];
}

/** Makes a workspace over the lane at `address`, runs `work`, removes it. */
export async function withWorkspace<T>(call: CommandCall, address: string, work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const root = optionalText(call, 'root');
  const pinned = root === undefined ? {} : { root: rootFile(path.resolve(call.io.cwd, root)) };
  return await withOpenWorkspace(call, address, pinned, work);
}

/** From where the trust of a lane is taken: `root` else the first that lies there; with `now` nothing of it may have expired. */
type Pinned = Pick<LaneReading, 'root' | 'now'>;

/** As `withWorkspace`; `work` may read the lane too. */
export async function withOpenWorkspace<T>(
  call: CommandCall,
  address: string,
  pinned: Pinned,
  work: (workspace: Workspace, read: ReadFile) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-'));
  try {
    const home = homeAt(folder);
    const read = openSource(address, call.io.cwd, call.io.signal);
    const lane = await fetchTrust(home, read, pinned);
    const promoter = await openWorkspace(call, home, lane, pinned);
    try {
      return await work(workspaceOf(promoter, read), read);
    } finally {
      await promoter.ledger.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function workspaceOf(promoter: Promoter, read: ReadFile): Workspace {
  const fetched = new Set<string>();
  /** Entries of the log that were not signed for the service. */
  let own = 0;
  const { home, ledger } = promoter;
  return {
    promoter,
    fetchRelease: async (release) => {
      for (let missing = missingManifest(promoter, release); missing !== undefined; missing = missingManifest(promoter, release)) {
        const bytes = await read(`content/blobs/sha256/${digestHex(missing)}`, Math.max(MAX_MANIFEST_BYTES, LIMITS.releaseManifestBytes));
        if (bytes === undefined || sha256(bytes) !== missing)
          throw new OciError(
            'CONTENT_MISSING',
            `fetch the manifests of ${release}: expected blob ${missing}, the service has none of that digest`,
            { digest: missing },
          );
        writeBlob(promoter, bytes);
        fetched.add(digestHex(missing));
      }
      const { doc } = walkRelease((digest) => readBlob(promoter, digest), release);
      await signAndLog(ledger, releaseStatement(release, doc), passingSigner());
      own = await ledger.size();
      return doc;
    },
    bundles: async () => (await ledger.entries(own, await ledger.size())).map((entry) => encodeBundle(entry)),
    newBlobs: () => {
      const blobs = path.join(home.content, 'blobs', 'sha256');
      const names = listFolder(blobs).filter((name) => /^[0-9a-f]{64}$/.test(name) && !fetched.has(name));
      return names.map((name) => ({ digest: parseDigest(`sha256:${name}`), file: path.join(blobs, name) }));
    },
  };
}

/** A key of one run: the workspace's log takes nothing unsigned, and what it holds of a release was verified by the digest. */
function passingSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return signerOf({ key: privateKey, spki, id: keyIdOf(spki) });
}

/** The first manifest of a release that is not here; undefined when all are. */
function missingManifest(promoter: Promoter, release: Digest): Digest | undefined {
  let missing: Digest | undefined;
  try {
    walkRelease((digest) => {
      const bytes = readBlob(promoter, digest);
      if (bytes === undefined) missing = digest;
      return bytes;
    }, release);
  } catch (error) {
    // what is not here is fetched; every other complaint is about what was
    if (missing === undefined) throw error;
  }
  return missing;
}

/** Fetches what reading the trust asks for, until it asks for nothing new: each round verifies what the one before has brought. */
async function fetchTrust(home: Home, read: ReadFile, pinned: Pinned): Promise<LaneTrust> {
  const absent = new Set<string>();
  const here = readBelow(home.trust);
  for (let count = 0; count < MAX_TRUST_FILES; count += 1) {
    const wanted: { readonly name: string; readonly maxBytes: number }[] = [];
    const lane = attempt(() =>
      readLaneTrust(home, undefined, {
        ...pinned,
        read: (name, maxBytes) => {
          const bytes = here(name, maxBytes);
          if (bytes === undefined && !absent.has(name)) wanted.push({ name, maxBytes });
          return bytes;
        },
      }),
    );
    const [next] = wanted;
    if (next === undefined) return lane();
    const bytes = await read(`trust/${next.name}`, next.maxBytes);
    if (bytes === undefined) absent.add(next.name);
    else durableWrite(path.join(home.trust, next.name), bytes, PUBLIC_FILE);
  }
  throw new PromoterError('TRUST_TOO_LARGE', `fetch the trust of the lane: expected at most ${MAX_TRUST_FILES} files`);
}

/** The outcome of a function, to be taken or thrown later. */
function attempt<T>(run: () => T): () => T {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function openWorkspace({ io, options }: CommandCall, home: Home, lane: LaneTrust, { root }: Pinned): Promise<Promoter> {
  const { privateKey } = generateKeyPairSync('ed25519');
  makePrivateFolder(path.dirname(home.ledger));
  await openLayout(home.content, { create: 'if-missing' });
  // a key's name is looked up on this machine
  const own = homeAt(path.resolve(io.cwd, typeof options['home'] === 'string' ? options['home'] : '.'));
  const ledger = await openLedger({
    file: home.ledger,
    origin: lane.origin,
    logSigner: ed25519NoteSigner(lane.origin, privateKey),
    now: nowText,
  });
  const keyless = root === undefined ? { isTakenAtItsWord: true as const } : authoritiesIn(lane);
  const keyPlace = { home: own, env: io.env, cwd: io.cwd, isExampleLane: lane.isExample, ...keyless };
  const logVkey = formatVkey(vkeyOf(lane.origin, NOTE_KEY_TYPE.ed25519, privateKey));
  return {
    home,
    pipeline: pipelineOf(lane),
    ledger,
    logVkey,
    lane,
    now: nowText,
    randomHex,
    post: postText,
    signal: io.signal,
    talk: io.talk,
    signer: (keyRef) => signerAt(keyRef, keyPlace),
    keyPlace,
  };
}

/** The names of the lane's stages and nothing else: gates and people are in the policies, and nobody witnesses a log of one run. */
function pipelineOf({ origin, stages }: LaneTrust): Promoter['pipeline'] {
  const witness = formatVkey(vkeyOf('none.example', NOTE_KEY_TYPE.cosignature, generateKeyPairSync('ed25519').privateKey));
  const text = JSON.stringify({
    apiVersion: 'sealane/v1',
    kind: 'Pipeline',
    lane: origin,
    stages: [...stages.keys()].map((name) => ({ name })),
    witnesses: [{ vkey: witness, url: 'http://127.0.0.1:1' }],
  });
  return parsePipeline(Buffer.from(text), 'the lane of the service');
}
