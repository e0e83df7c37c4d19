/** What the projection answers with: plain records, each with the entry that it comes from. */
import { type Digest, digestFromHex, hex } from '@sealane/core';
import { bytesAt, bytesOrNullAt, integerAt, integerOrNullAt, textAt, textOrNullAt } from '../store/rows.js';
import type { Row } from '../store/store.js';

/** Where a record comes from. */
export interface Source {
  readonly index: number;
  readonly statementDigest: Digest;
  /** Who signed the statement: id of a key or of an identity. */
  readonly keyId: string;
}

/** A release statement. */
export interface ReleaseRecord extends Source {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
}

/** A decision of a stage; `counter` is null when it was refused. */
export interface DecisionRecord extends Source {
  readonly release: Digest;
  readonly stage: string;
  readonly from: string | null;
  readonly counter: number | null;
  readonly result: string;
  readonly policy: Digest;
}

/** An approval or a rejection. `keyId` is the person's key. */
export interface ApprovalRecord extends Source {
  readonly release: Digest;
  readonly stage: string;
  readonly verdict: string;
  readonly policy: Digest;
  readonly expiresAt: string;
}

/** A test result. `report` and `hardware` are digests of the raw report and of the hardware inventory. */
export interface TestRecord extends Source {
  readonly release: Digest;
  readonly result: string;
  readonly suite: string | null;
  readonly report: Digest | null;
  readonly hardware: Digest | null;
}

/** A revocation. */
export interface RevocationRecord extends Source {
  readonly release: Digest;
  readonly reason: string;
  readonly floor: number | null;
}

/** A site's record: the newest of a site is the one that counts. `siteKeyId` is the site's own key, `keyId` the registrar's. */
export interface SiteRecord extends Source {
  readonly site: string;
  readonly siteKeyId: string;
  readonly stage: string;
}

/** A receipt. `prev` is the statement digest of the receipt before; two receipts of one `seq` are a cloned site. */
export interface ReceiptRecord extends Source {
  readonly site: string;
  readonly siteKeyId: string;
  readonly seq: number;
  readonly prev: Digest | null;
  readonly event: string;
  readonly release: Digest | null;
  readonly previous: Digest | null;
  readonly waybill: Digest | null;
  readonly reason: string | null;
  readonly at: string;
}

/** A signer of statements in the log; `spki` is the key, or for an identity the first of its keys. */
export interface KeyRecord {
  readonly keyId: string;
  readonly spki: Uint8Array;
  readonly firstIndex: number;
}

/** How many statements of a type a key signed. */
export interface CountRecord {
  readonly keyId: string;
  readonly predicateType: string;
  readonly count: number;
}

function sourceOf(row: Row): Source {
  return { index: integerAt(row, 'idx'), statementDigest: digestAt(row, 'statement'), keyId: hex(bytesAt(row, 'signer')) };
}

/** Readers of rows, by record. */
export const records = {
  release: (row: Row): ReleaseRecord => ({
    ...sourceOf(row),
    release: digestAt(row, 'digest'),
    name: textAt(row, 'name'),
    version: textAt(row, 'version'),
  }),
  decision: (row: Row): DecisionRecord => ({
    ...sourceOf(row),
    release: digestAt(row, 'digest'),
    stage: textAt(row, 'stage'),
    from: textOrNullAt(row, 'from_stage'),
    counter: integerOrNullAt(row, 'counter'),
    result: textAt(row, 'result'),
    policy: digestAt(row, 'policy'),
  }),
  approval: (row: Row): ApprovalRecord => ({
    ...sourceOf(row),
    release: digestAt(row, 'digest'),
    stage: textAt(row, 'stage'),
    verdict: textAt(row, 'verdict'),
    policy: digestAt(row, 'policy'),
    expiresAt: textAt(row, 'expires_at'),
  }),
  test: (row: Row): TestRecord => ({
    ...sourceOf(row),
    release: digestAt(row, 'digest'),
    result: textAt(row, 'result'),
    suite: textOrNullAt(row, 'suite'),
    report: digestOrNullAt(row, 'report'),
    hardware: digestOrNullAt(row, 'hardware'),
  }),
  revocation: (row: Row): RevocationRecord => ({
    ...sourceOf(row),
    release: digestAt(row, 'digest'),
    reason: textAt(row, 'reason'),
    floor: integerOrNullAt(row, 'floor'),
  }),
  site: (row: Row): SiteRecord => ({
    ...sourceOf(row),
    site: textAt(row, 'site'),
    siteKeyId: hex(bytesAt(row, 'key_id')),
    stage: textAt(row, 'stage'),
  }),
  receipt: (row: Row): ReceiptRecord => ({
    ...sourceOf(row),
    site: textAt(row, 'site'),
    siteKeyId: hex(bytesAt(row, 'key_id')),
    seq: integerAt(row, 'seq'),
    prev: digestOrNullAt(row, 'prev'),
    event: textAt(row, 'event'),
    release: digestOrNullAt(row, 'digest'),
    previous: digestOrNullAt(row, 'before'),
    waybill: digestOrNullAt(row, 'waybill'),
    reason: textOrNullAt(row, 'reason'),
    at: textAt(row, 'at'),
  }),
  key: (row: Row): KeyRecord => ({
    keyId: hex(bytesAt(row, 'key_id')),
    spki: bytesAt(row, 'spki'),
    firstIndex: integerAt(row, 'first_idx'),
  }),
  count: (row: Row): CountRecord => ({
    keyId: hex(bytesAt(row, 'key_id')),
    predicateType: textAt(row, 'uri'),
    count: integerAt(row, 'count'),
  }),
};

function digestAt(row: Row, column: string): Digest {
  return digestFromHex(hex(bytesAt(row, column)));
}

function digestOrNullAt(row: Row, column: string): Digest | null {
  const bytes = bytesOrNullAt(row, column);
  return bytes === null ? null : digestFromHex(hex(bytes));
}
