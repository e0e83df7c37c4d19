/** What admission is given and what it answers. All of `SiteMemory` and `AdmissionNext` is plain JSON, to be kept by the caller. */
import type { Check, Digest, ErrorCode, JsonObject } from '@sealane/core';
import type { GrantedRole, SiteExceptionKind } from '../evidence/predicates/exception.js';
import type { ReleaseComponent } from '../evidence/predicates/release.js';
import type { Floor } from '../policy/policy-types.js';
import type { SiteMail } from '../policy/site-shard.js';
import type { SiteVariables } from '../site-variables.js';
import type { TufExpiry } from '../tuf/rules.js';
import type { TufState } from '../tuf/state.js';

/**
 * The lane's static tree, untrusted: `trust/metadata/timestamp.json`, `content/blobs/sha256/HEX`, `log/tile/0/000`, `log/checkpoint`. Undefined = absent.
 * May throw TrustError `TRUST_TOO_LARGE` for a file over `maxBytes`, or return it: admission counts again.
 */
export interface LaneView {
  read(path: string, maxBytes: number): Uint8Array | undefined;
}

/** What only the channel said, and under which stage keys (ids, sorted): it lapses when the owners replace that stage's key. */
export type KeptOrders = {
  readonly roleKeys: readonly string[];
  readonly releases: readonly { readonly release: Digest; readonly reason: string }[];
  readonly floor: Floor | null;
};

/** What a site remembers. `floor` is its own (last one-way step); `seenCheckpoint` a signed note; `timeFloor` RFC 3339. */
export type SiteMemory = {
  readonly floor: Floor;
  readonly revoked: KeptOrders;
  readonly seenCheckpoint: string | null;
  readonly timeFloor: string | null;
  /** Releases that failed here and are not tried again. */
  readonly denied: readonly { readonly release: Digest; readonly reason: string }[];
  readonly installed: InstalledRelease | null;
};

/** What a site runs, and the counter with which it was let in. */
export type InstalledRelease = {
  readonly release: Digest;
  readonly counter: number;
};

/** A site that has seen nothing yet. */
export const NEW_SITE_MEMORY: SiteMemory = {
  floor: { counter: 0, index: 0 },
  revoked: { roleKeys: [], releases: [], floor: null },
  seenCheckpoint: null,
  timeFloor: null,
  denied: [],
  installed: null,
};

/** The site itself. `record` = the bundle that the registrar gave it; `hbom` = its inventory as found now, null when it could not be taken. */
export interface SiteFacts {
  readonly name: string;
  readonly keyId: string;
  readonly record: Uint8Array;
  readonly hbom: JsonObject | null;
  /** What site.yaml sets; absent: nothing. */
  readonly variables?: SiteVariables;
  /** Secrets of which this site has a value, by name; absent: none. */
  readonly secrets?: readonly string[];
  readonly localStage: string;
  readonly allowExampleKeys: boolean;
}

/** An exception that counts at this site now. `by` are ids of people; `statements` what they signed. */
export type SiteException = {
  readonly kind: SiteExceptionKind;
  readonly release: Digest;
  readonly role?: GrantedRole;
  readonly uses: number;
  readonly nonce: string;
  readonly expiresAt: string;
  readonly reason: string;
  readonly by: readonly string[];
  readonly statements: readonly Digest[];
};

/** Everything that admission depends on. `now` is the site's trusted time; `local.hold` the reason of an operator's hold. */
export interface AdmitInput {
  readonly lane: LaneView;
  readonly trust: TufState;
  readonly siteState: SiteMemory;
  readonly site: SiteFacts;
  readonly local: { readonly hold: string | null };
  readonly now: string;
  readonly freshness: TufExpiry;
  /** Signatures of exceptions of kind `stale` that were taken in here and not used, each exception a list of bundles. */
  readonly exceptions?: readonly (readonly JsonObject[])[];
}

/** What the caller must keep, whatever the outcome; parts that did not change equal the input's. */
export type AdmissionNext = {
  readonly trust: TufState;
  readonly seenCheckpoint: string | null;
  /** Lowest time of the lane checkpoint's quorum, at most the trusted root's expiry, never below the input's. */
  readonly timeFloor: string | null;
  readonly revoked: KeptOrders;
  readonly floor: Floor;
  /** What bars going back by hand to a release that was committed here: a counter below this, or being revoked. Null = nothing verified yet. */
  readonly bars: { readonly counter: number; readonly revoked: readonly Digest[] } | null;
};

/** `admitted` = may be laid down; `unchanged` = nothing new for this site; `deferred` = admitted but for a local condition. */
export type AdmissionOutcome = 'admitted' | 'unchanged' | 'refused' | 'deferred';

/** The answer. Fields below `checks` are null as far as admission did not get. */
export interface Admission {
  readonly outcome: AdmissionOutcome;
  readonly reason: ErrorCode | null;
  readonly checks: readonly Check[];
  readonly group: string | null;
  readonly release: Digest | null;
  readonly waybill: Digest | null;
  readonly decision: { readonly digest: Digest; readonly counter: number; readonly logIndex: number } | null;
  readonly releaseDoc: {
    readonly name: string;
    readonly version: string;
    readonly irreversible: boolean;
    readonly components: readonly ReleaseComponent[];
    /** Names of the secrets that it needs. */
    readonly secrets: readonly string[];
  } | null;
  /** The values of the variables that the release declares; null when it declares none. */
  readonly variables: SiteVariables | null;
  readonly policyDigest: Digest | null;
  /** What people let through for this release here; null: nothing had to be. */
  readonly exception: SiteException | null;
  /** What the channel has waiting for this site, not judged yet. */
  readonly mail: SiteMail | null;
  /** When this answer stops to hold for new installs, and when the trusted root does. */
  readonly expiresAt: string | null;
  readonly rootExpiresAt: string | null;
  readonly next: AdmissionNext;
}

/** An answer in the making: fields are filled in as steps pass. */
export type AdmissionDraft = { -readonly [Field in keyof Omit<Admission, 'outcome' | 'reason' | 'checks'>]: Admission[Field] };
