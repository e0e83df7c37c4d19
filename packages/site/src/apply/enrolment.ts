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
import { firstTrust, writeTrustFile } from './trust-file.js';

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

/**
 * Stores record and trust. Trust that is there already stays, if it began with the same lane: enrolling again never lowers a floor. Only trust that is
 * damaged, which nobody can mend, is set aside and begins anew.
 *
 * @throws SiteError `SITE_MISMATCH` the record is of another key, name or stage; TrustError `TRUST_MALFORMED` it is no record
 */
export function enrol({ disk, clock, folder, signer, config, record, root }: EnrolInput): SiteRecordPredicate {
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
  durableWrite(
    disk,
    folder.record,
    canonicalJson(carried.delegation === null ? carried.record.json : [carried.record.json, carried.delegation.json]),
    0o644,
  );
  if (disk.kind(folder.trust) !== 'nothing' && trustFault({ world: { disk }, folder }) !== undefined)
    setAside(disk, folder.trust, clock.wallTime());
  if (disk.kind(folder.trust) === 'nothing') writeTrustFile(disk, folder.trust, firstTrust(root, clock));
  return site;
}
