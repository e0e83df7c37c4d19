/** What took the place of something vulnerable is called free of it by a scan that could know of it: one from before it was found anywhere says nothing. */
import { type Digest, encodeStatement, PREDICATE, sha256, utf8 } from '@sealane/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { releaseStatement } from '../../../trust/src/evidence/predicates/release.js';
import { hbom } from '../../../trust/src/testing/gate-documents.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { testSigner } from '../../../trust/src/testing/test-keys.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { remedy } from './remedy.js';

const CVE = 'CVE-2026-0001';
const NEXT = sha256(utf8('the next release'));
const key = testSigner();
let lane: LedgerLane;

beforeEach(() => {
  lane = new LedgerLane((policy, people) => ({ signers: { ...policy.signers, scans: [people.lab.keyId] } }));
  lane.author();
  const component = { name: 'app', kind: 'image', digest: NEXT, size: 1, mediaType: 'application/vnd.oci.image.manifest.v1+json' } as const;
  lane.sign(releaseStatement(NEXT, { name: 'api', version: '1.0.1', components: [component] }), lane.people.author);
  lane.site('plant-7', key);
});

afterEach(async () => {
  await lane.close();
});

let told = 0;
function scan(release: Digest, ...found: readonly string[]): void {
  const scanner = { uri: 'pkg:github/scanner@1', result: found.map((id) => ({ id, severity: [] })) };
  const subject = [{ digest: { sha256: release.slice('sha256:'.length) } }];
  lane.sign(
    encodeStatement({ subject, predicateType: PREDICATE.vulnerabilities, predicate: { scanner, salt: saltOf((told += 1)) } }),
    lane.people.lab,
  );
}

/** The site installs the vulnerable release and then the next one, and the question is asked. */
async function fixedBy(): Promise<unknown> {
  const usual = { site: 'plant-7', keyId: key.keyId, event: 'installed', waybill: null, reason: null, checks: [] } as const;
  const installed = (seq: number, release: Digest, prev: Digest | null, at: string): Digest =>
    lane.receipt({ ...usual, seq, prev, release, previous: null, at, hardware: hbom(), checkpoint: null, salt: saltOf(seq) }, key);
  const first = installed(1, lane.release, null, '2026-11-20T10:00:00Z');
  installed(2, NEXT, first, '2026-12-20T10:00:00Z');
  lane.seal('2026-12-21T10:00:00Z');
  const { sites } = (await remedy(await lane.open(), CVE)).answer;
  expect(sites).toHaveLength(1);
  return sites[0]?.fixedBy;
}

it('was scanned before it was found anywhere: not by that', async () => {
  scan(NEXT);
  scan(lane.release, CVE);
  lane.seal(TIMES.evidence);
  expect(await fixedBy()).toEqual({ release: NEXT, scannedClean: false });
});

it('was scanned since', async () => {
  scan(NEXT);
  scan(lane.release, CVE);
  scan(NEXT, 'CVE-2026-0002');
  lane.seal(TIMES.evidence);
  expect(await fixedBy()).toEqual({ release: NEXT, scannedClean: true });
});
