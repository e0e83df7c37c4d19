/** The layout of the state folder: the one place that spells its paths. */
import path from 'node:path';
import { type Digest, digestHex } from '@sealane/core';

/** Name of a certificate that was brought, in the mirror. */
export const BROUGHT_CERTIFICATE = 'certificate.pem';

/** Absolute paths. `mirror/` and `offer/` are written by `fetch` and believed by nobody. */
export interface StateFolder {
  readonly root: string;
  /** The site's private key (0600). */
  readonly key: string;
  /** What opens secrets of this site (0600). */
  readonly sealingKey: string;
  /** The site record: a bundle signed by the registrar. */
  readonly record: string;
  /** The authority of site certificates that was given by hand (PEM). */
  readonly siteCa: string;
  /** The key and certificate by which this site is known over TLS: one file with both, so that they always belong together. */
  readonly identity: string;
  /** The next key, and the request that asks for its certificate. */
  readonly nextKey: string;
  readonly certificateRequest: string;
  /** When that was sent last, and which answer was looked at. */
  readonly renewal: string;
  readonly trust: string;
  readonly journal: string;
  readonly lock: string;
  /** This site's hardware as last collected. */
  readonly inventory: string;
  /** A copy of what the lane publishes, as far as this site needs it. */
  readonly mirror: string;
  /** A certificate that `fetch` brought. */
  readonly certificateBrought: string;
  /** What an upstream offered last and `fetch` itself found wrong: laid over the mirror so that `apply` judges it. */
  readonly offer: string;
  /** Verified blobs of kept releases. */
  readonly store: string;
  readonly releases: string;
  /** What layers of kept releases hold, by digest of the layer. */
  readonly layers: string;
  /** Rendered variables of kept releases, by digest. */
  readonly rendered: string;
  /** Sealed secrets as they came (0700). */
  readonly secrets: string;
  /** Their values, open for the workload that runs (0700): in memory where systemd gives this service a folder there. */
  readonly credentials: string;
  /** Environments of units (0700), beside them. */
  readonly environments: string;
  /** Link to the release that runs. */
  readonly current: string;
  /** Queued receipts, `<seq>.json`. */
  readonly receipts: string;
  readonly sentReceipts: string;
  /** Those that a promoter refused, offered again now and then. */
  readonly refusedReceipts: string;
  /** What was found beside the release, until a receipt has told it. */
  readonly strays: string;
  /** Why the last sync did not bring all; not there when it did. */
  readonly link: string;
  readonly logs: string;
}

/** The layout below `root`, an absolute path; what `fetch` writes may lie below another one, and so may what lasts as long as a workload. */
export function stateFolder(root: string, fetched: string = root, runtime: string = path.join(root, 'run')): StateFolder {
  const at = (...words: readonly string[]): string => path.join(root, ...words);
  return {
    root,
    key: at('site.pem'),
    sealingKey: at('sealing.key'),
    record: at('record.json'),
    siteCa: at('tls', 'ca.pem'),
    identity: at('tls', 'identity.pem'),
    nextKey: at('tls', 'next.pem'),
    certificateRequest: at('tls', 'request.json'),
    renewal: at('tls', 'renewal.json'),
    trust: at('trust.json'),
    journal: at('journal'),
    lock: at('lock'),
    inventory: at('inventory.json'),
    mirror: path.join(fetched, 'mirror'),
    certificateBrought: path.join(fetched, 'mirror', BROUGHT_CERTIFICATE),
    offer: path.join(fetched, 'offer'),
    store: at('store'),
    releases: at('releases'),
    layers: at('layers'),
    rendered: at('rendered'),
    secrets: at('secrets'),
    credentials: path.join(runtime, 'credentials'),
    environments: path.join(runtime, 'environments'),
    current: at('current'),
    receipts: at('receipts'),
    sentReceipts: at('receipts', 'sent'),
    refusedReceipts: at('receipts', 'refused'),
    strays: at('strays.json'),
    link: at('link.json'),
    logs: at('logs'),
  };
}

/** A release's slot. */
export function slotFolder(folder: StateFolder, release: Digest): string {
  return path.join(folder.releases, digestHex(release));
}

/** A queued receipt's file: numbered with leading zeros, so that names sort in order. */
export function receiptFile(folder: string, seq: number): string {
  return path.join(folder, `${String(seq).padStart(8, '0')}.json`);
}
