/**
 * A real lane in memory for tests of admission: real statements and log, a real TUF repository, one site.
 *
 * `passed()` tells the usual story up to a published channel; a test that wants another story tells the steps itself.
 */
import { base64, canonicalJson, digestHex, type JsonObject, utf8 } from '@sealane/core';
import { type AdmitInput, type LaneView, NEW_SITE_MEMORY, type SiteMemory } from '../admission/types.js';
import { encodeBundle } from '../evidence/bundle.js';
import { type SiteRecordPredicate, siteRecordStatement } from '../evidence/predicates/site-record.js';
import { encodeTrustedRoot } from '../evidence/trusted-root.js';
import { type Channel, encodeChannel } from '../policy/channel.js';
import { encodePolicy } from '../policy/policy.js';
import { trustFromRoot } from '../tuf/root-chain.js';
import type { TufState } from '../tuf/state.js';
import { hbom } from './gate-documents.js';
import { LaneTrust, type LaneTrustContent } from './lane-trust.js';
import { saltOf, StatementLane, TIMES } from './statement-lane.js';
import { envelopeOf, testSigner } from './test-keys.js';

export { TIMES };
/** The site's clock, an hour after the usual story ends. */
export const NOW = '2026-11-24T12:00:00Z';

const SITE = 'plant-7';

/** What a publication changes of the usual one. */
interface Publication {
  readonly channel?: Partial<Channel>;
  readonly now?: string;
  readonly marks?: JsonObject;
  readonly targets?: LaneTrustContent['targets'];
  readonly forge?: LaneTrustContent['forge'];
}

/** See the head of the file. */
export class AdmitLane extends StatementLane {
  readonly siteKey = testSigner();
  readonly trust = new LaneTrust({ dev: this.people.dev, 'edge-preprod': this.people.preprod, prod: this.people.prod });
  readonly memory: SiteMemory = NEW_SITE_MEMORY;
  readonly record = this.siteRecord();
  hbom: JsonObject | null = hbom();
  state: TufState | undefined;

  /** The usual story of a release: evidence, two earlier stages, two approvals, prod's decision; sealed and published. */
  async passed(counter = 1): Promise<this> {
    this.evidence();
    this.earlierStages();
    this.seal(TIMES.evidence);
    this.approve('alice');
    this.approve('bob');
    const decision = this.decide('prod', 'edge-preprod', { counter });
    this.seal(TIMES.decided);
    this.waybill(decision);
    await this.publish();
    return this;
  }

  /** The channel of prod that points the one group at the last waybill, or as changed. */
  channel(change: Partial<Channel> = {}): Channel {
    const waybill = this.waybillDigest;
    const length = waybill === undefined ? 0 : (this.blobs.get(waybill)?.length ?? 0);
    const groups = waybill === undefined ? [] : [{ name: 'all', match: {}, release: this.release, waybill, length, counter: 1 }];
    const usual = { groups, rollback: [], held: [], fenced: [], revoked: [], floor: null };
    return {
      apiVersion: 'sealane/v1',
      kind: 'Channel',
      lane: this.log.origin,
      stage: 'prod',
      issuedAt: TIMES.published,
      ...usual,
      ...change,
    };
  }

  /** Publishes policy, trusted root and channel; the first time with a root, which the site then trusts. */
  async publish(change: Publication = {}): Promise<void> {
    const now = change.now ?? TIMES.published;
    this.state ??= trustFromRoot(await this.trust.publishRoot(now, change.marks));
    const targets = {
      'policy/prod.json': encodePolicy(this.policy),
      'trusted_root.json': encodeTrustedRoot(this.policy),
      ...change.targets,
    };
    const channels = { prod: encodeChannel(this.channel(change.channel)) };
    await this.trust.publish({ now, targets, channels, ...(change.forge === undefined ? {} : { forge: change.forge }) });
  }

  siteRecord(change: Partial<SiteRecordPredicate> = {}, signer = this.people.registrar): Uint8Array {
    const { keyId, spki } = this.siteKey;
    const usual = {
      site: SITE,
      key: { id: keyId, spki: base64(spki) },
      stage: 'prod',
      labels: { region: 'eu' },
      nonce: saltOf(0),
      issuedAt: TIMES.evidence,
    };
    return canonicalJson(encodeBundle({ envelope: envelopeOf(siteRecordStatement({ ...usual, ...change }), signer), spki: signer.spki }));
  }

  /** The lane as its files. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>([['log/checkpoint', utf8(this.checkpoint)]]);
    for (const [path, bytes] of this.log.tiles()) files.set(`log/${path}`, bytes);
    for (const [path, bytes] of this.trust.files) files.set(`trust/${path}`, bytes);
    for (const [digest, bytes] of this.blobs) files.set(`content/blobs/sha256/${digestHex(digest)}`, bytes);
    return files;
  }

  input(change: Partial<AdmitInput> & { readonly files?: ReadonlyMap<string, Uint8Array> } = {}): AdmitInput {
    const { files = this.files(), ...rest } = change;
    const view: LaneView = { read: (path) => files.get(path) };
    if (this.state === undefined) throw new RangeError('visit the lane: expected it to be published');
    return {
      lane: view,
      trust: this.state,
      siteState: this.memory,
      site: { name: SITE, keyId: this.siteKey.keyId, record: this.record, hbom: this.hbom, localStage: 'prod', allowExampleKeys: false },
      local: { hold: null },
      now: NOW,
      freshness: 'network',
      ...rest,
    };
  }
}
