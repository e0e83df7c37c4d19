/** The identity of this site over TLS: its files, when it is due, asking for the next one, taking it in. */
import path from 'node:path';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { concatBytes, hex, makeCertificateRequest, SiteError, utf8 } from '@sealane/core';
import { readTrustFile } from '../apply/trust-file.js';
import { trustedNow } from '../apply/trusted-time.js';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import type { Site } from '../site.js';
import { createSiteKey, openSiteKey } from '../site-key.js';
import type { StateFolder } from '../state-folder.js';
import { factsOf, type IdentityFacts, MAX_CHAIN_BYTES, readChain, verifyChain } from './chain.js';

/** A request is below 1 KiB. */
const MAX_REQUEST_BYTES = 8 * 1024;
/** A key and a chain. */
const MAX_IDENTITY_BYTES = 32 * 1024;

/** The part of its life after which a certificate is renewed: a third is left for what goes by courier. */
const DUE_AFTER = 2 / 3;

/** What a site has: the certificate in use, the time from which it asks for another, and whether it has asked. */
export interface IdentityState {
  readonly certificate: IdentityFacts | null;
  readonly dueAt: string | null;
  readonly asked: boolean;
}

/** Reads what there is; nothing is verified again. @throws SiteError `CERTIFICATE_INVALID` the file is damaged */
export function identityState(disk: Disk, folder: StateFolder): IdentityState {
  const bytes = disk.read(folder.identity, MAX_IDENTITY_BYTES);
  const [leaf] = bytes === undefined ? [] : readChain(bytes);
  const certificate = leaf === undefined ? null : factsOf(leaf);
  return { certificate, dueAt: certificate === null ? null : dueAt(certificate), asked: disk.kind(folder.certificateRequest) === 'file' };
}

/** From when on another certificate is asked for. */
function dueAt({ notBefore, notAfter }: IdentityFacts): string {
  const [from, until] = [Date.parse(notBefore), Date.parse(notAfter)];
  return `${new Date(from + (until - from) * DUE_AFTER).toISOString().slice(0, 19)}Z`;
}

/** The site's trusted time. */
export function siteNow({ world, folder }: Pick<Site, 'world' | 'folder'>): string {
  return trustedNow(readTrustFile(world.disk, folder.trust).time, world.clock);
}

/**
 * The request for the next certificate: the one that is open, or a new one with a new key. It stays open until its certificate is here, so that asking twice asks
 * for the same thing.
 */
export async function openRequest({ world, folder, config, signer }: Site): Promise<Uint8Array> {
  const { disk } = world;
  const open = disk.read(folder.certificateRequest, MAX_REQUEST_BYTES);
  if (open !== undefined && disk.kind(folder.nextKey) === 'file') return open;
  disk.makeFolder(path.dirname(folder.identity), 0o700);
  const { certificate } = identityState(disk, folder);
  const tls = createSiteKey(disk, folder.nextKey);
  const wish = { site: config.name, previous: certificate?.serial ?? null, nonce: hex(world.salt()) };
  const request = await makeCertificateRequest(wish, tls, signer);
  durableWrite(disk, folder.certificateRequest, request, 0o644);
  return request;
}

/**
 * Takes a certificate in for the key that asked for it, or anew for the one in use.
 *
 * @throws SiteError `CERTIFICATE_INVALID` as `verifyChain`, or for another key; what is in use stays
 */
export function takeCertificate(site: Site, pem: Uint8Array): IdentityFacts {
  const { world, folder, config } = site;
  const { disk } = world;
  const root = disk.read(folder.siteCa, MAX_CHAIN_BYTES);
  if (root === undefined)
    throw invalid(config.name, 'the authority of certificates that is given by hand: sealane-site enroll --site-ca', 'none');
  if (pem.length > MAX_CHAIN_BYTES) throw invalid(config.name, `at most ${MAX_CHAIN_BYTES} bytes`, `${pem.length}`);
  const chain = verifyChain(pem, { site: config.name, stage: config.stage, root, now: siteNow(site) });
  const isNext = keyIn(disk, folder.nextKey, chain.isFor);
  const own = isNext ?? keyIn(disk, folder.identity, chain.isFor);
  if (own === undefined) throw invalid(config.name, 'one for the key that this site asked with', 'one for another key');
  const { certificate: inUse } = identityState(disk, folder);
  if (isNext === undefined && inUse !== null && inUse.notAfter >= chain.facts.notAfter) return inUse;
  const key = utf8(own.export({ type: 'pkcs8', format: 'pem' }).toString());
  durableWrite(disk, folder.identity, concatBytes(key, utf8(chain.pem)), 0o600);
  // in this order: a kill between the two leaves a request that is answered with the same certificate again
  disk.remove(folder.certificateRequest);
  disk.remove(folder.nextKey);
  disk.syncFolder(path.dirname(folder.identity));
  return chain.facts;
}

/** The private key in a file, if it is there and fits. */
function keyIn(disk: Disk, file: string, fits: (key: KeyObject) => boolean): KeyObject | undefined {
  if (disk.kind(file) !== 'file') return undefined;
  // also refuses a file that others can read
  openSiteKey(disk, file);
  const key = createPrivateKey(Buffer.from(disk.read(file, MAX_IDENTITY_BYTES) ?? []));
  return fits(key) ? key : undefined;
}

/** Keeps the authority that was given by hand. @throws SiteError `CERTIFICATE_INVALID` not one certificate that signed itself */
export function keepAuthority(disk: Disk, folder: StateFolder, pem: Uint8Array): void {
  const [root, ...more] = readChain(pem);
  if (root?.ca !== true || more.length > 0 || !root.verify(root.publicKey))
    throw new SiteError('CERTIFICATE_INVALID', 'read --site-ca: expected one certificate of an authority that signed itself, got another');
  disk.makeFolder(path.dirname(folder.identity), 0o700);
  durableWrite(disk, folder.siteCa, utf8(root.toString()), 0o644);
  // what was wrong under another authority may be right under this one
  disk.remove(folder.renewal);
}

function invalid(site: string, expected: string, got: string): SiteError {
  return new SiteError('CERTIFICATE_INVALID', `take in a certificate of ${site}: expected ${expected}, got ${got}`);
}
