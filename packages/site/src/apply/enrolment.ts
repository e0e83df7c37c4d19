/** Enrolment: a site begins to trust one root, and to be the site that its record names. Nothing here came over a network. */
import { canonicalJson, EXAMPLE_KEY_IDS, LIMITS, parseStrictJson, type Signer, SiteError } from '@sealane/core';
import {
  EXAMPLE_MARK,
  readRecordFile,
  readSiteRecord,
  rootAuthority,
  type SiteRecordPredicate,
  type TopRole,
  trustFromRoot,
  type TufState,
} from '@sealane/trust';
import type { Clock } from '../clock.js';
import type { SiteConfig } from '../config.js';
import type { Disk } from '../disk.js';
import { durableWrite } from '../durable-write.js';
import type { StateFolder } from '../state-folder.js';
import { setAside } from './journal-file.js';
import { trustFault } from './mend.js';
import { firstTrust, readTrustFile, writeTrustFile } from './trust-file.js';

const ROLES: readonly TopRole[] = ['root', 'targets', 'snapshot', 'timestamp'];

/**
 * The trust that a root gives: it must be signed by a threshold of its own keys.
 *
 * @throws TrustError `TRUST_*` it is none; SiteError `KEY_EXAMPLE` it has example keys and that was not allowed
 */
export function readRoot(bytes: Uint8Array, exampleKeys: 'allow-example' | 'refuse-example'): TufState {
  const tuf = trustFromRoot(bytes);
  if (exampleKeys === 'allow-example' || !isExampleRoot(bytes)) return tuf;
  throw new SiteError(
    'KEY_EXAMPLE',
    'enrol this site: expected a root with keys of its own, got one with the example keys that everybody has',
    {},
    {
      hint: 'take the root of your own lane; for a try-out set allowExampleKeys: true in site.yaml',
    },
  );
}

/** Whether a root says that it is an example, or names one of the well-known keys without saying so. */
function isExampleRoot(bytes: Uint8Array): boolean {
  const root = parseStrictJson(bytes, { maxBytes: LIMITS.rootBytes, maxDepth: LIMITS.jsonDepth });
  const signed = typeof root === 'object' && root !== null && 'signed' in root ? root.signed : null;
  const isMarked = typeof signed === 'object' && signed !== null && EXAMPLE_MARK in signed;
  return isMarked || ROLES.some((role) => [...rootAuthority(bytes, role).keys.values()].some(({ spkiId }) => EXAMPLE_KEY_IDS.has(spkiId)));
}

/** What enrolment puts together. `config` is absent where site.yaml is written later. */
export interface EnrolInput {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly folder: StateFolder;
  readonly signer: Signer;
  readonly config: SiteConfig | undefined;
  /** The record that the registrar or his delegate made; who the registrar is, policy will say at the first check. */
  readonly record: Uint8Array;
  readonly root: TufState;
}

/** What the site is now; `keptTrust`: it trusted a root before, and trusts that one still. */
export interface Enrolled {
  readonly site: SiteRecordPredicate;
  readonly keptTrust: boolean;
}

/**
 * Stores record and trust. Trust that is there already stays: enrolling again never lowers a floor. Only trust that is damaged, which nobody can mend, is set
 * aside and begins anew.
 *
 * @throws SiteError `SITE_MISMATCH` the record is of another key, name or stage, or the root is of another lane than the trust that stays, as far as their
 *   versions tell: an older or later root of the same lane is other bytes too; TrustError `TRUST_MALFORMED` it is no record
 */
export function enrol({ disk, clock, folder, signer, config, record, root }: EnrolInput): Enrolled {
  const carried = readRecordFile(record);
  const site = readSiteRecord(carried.record.statement);
  const pairs = [
    ['key', site.key.id, signer.keyId],
    ['name', site.site, config?.name ?? site.site],
    ['stage', site.stage, config?.stage ?? site.stage],
  ] as const;
  for (const [what, got, expected] of pairs) {
    if (got !== expected)
      throw new SiteError('SITE_MISMATCH', `enrol ${site.site}: expected a record for ${what} ${expected}, got ${got}`, {
        what,
        expected,
        got,
      });
  }
  const kept = keptTrust(disk, folder);
  if (kept?.versions.root === root.versions.root && kept.root !== root.root) {
    const hint = 'a host that goes to another lane is retired first: sealane site retire NAME';
    const words = `enrol ${site.site}: expected root ${kept.versions.root} as this site trusts it, got one of another lane`;
    throw new SiteError('SITE_MISMATCH', words, { what: 'root', version: root.versions.root }, { hint });
  }
  durableWrite(
    disk,
    folder.record,
    canonicalJson(carried.delegation === null ? carried.record.json : [carried.record.json, carried.delegation.json]),
    0o644,
  );
  if (kept === undefined) {
    if (disk.kind(folder.trust) !== 'nothing') setAside(disk, folder.trust, clock.wallTime());
    writeTrustFile(disk, folder.trust, firstTrust(root, clock));
  }
  return { site, keptTrust: kept !== undefined };
}

/** Trust that is there and whole. */
function keptTrust(disk: Disk, folder: StateFolder): TufState | undefined {
  if (disk.kind(folder.trust) === 'nothing' || trustFault({ world: { disk }, folder }) !== undefined) return undefined;
  return readTrustFile(disk, folder.trust).tuf;
}
