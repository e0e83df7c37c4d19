/**
 * Histories at random, and the plain list of what was told: late, out of order, twice under one number, by keys of nobody. Oracles fold the list; answers
 * read the ledger.
 */
import { base64, type Digest, encodeStatement, parseCheckpoint, PREDICATE, sha256, sha256Raw, utf8 } from '@sealane/core';
import { approvalStatement } from '../../../trust/src/evidence/predicates/approval.js';
import { exceptionStatement } from '../../../trust/src/evidence/predicates/exception.js';
import { orderStatement } from '../../../trust/src/evidence/predicates/order.js';
import { type ReceiptPredicate, receiptStatement } from '../../../trust/src/evidence/predicates/receipt.js';
import { releaseStatement } from '../../../trust/src/evidence/predicates/release.js';
import { reviewStatement } from '../../../trust/src/evidence/predicates/review.js';
import { revocationStatement } from '../../../trust/src/evidence/predicates/revocation.js';
import type { Topology } from '../../../trust/src/reports/topology.js';
import { hbom, junit } from '../../../trust/src/testing/gate-documents.js';
import { saltOf } from '../../../trust/src/testing/statement-lane.js';
import { type TestSigner, testSigner } from '../../../trust/src/testing/test-keys.js';
import { BIOSES, LINKS, PARTS, type Plan, RELEASES, SITES, STAGES, timeAt, type Told, VARIABLE } from './history-plan.js';
import { LedgerLane } from './ledger-lane.js';

/** A history: the lane that tells it, and the list. `lastSeal` is after everything. */
export interface History {
  readonly lane: LedgerLane;
  readonly told: readonly Told[];
  readonly lastSeal: string;
}

type Draft = (lane: LedgerLane) => readonly DistributedTold[];
type DistributedTold = Told extends infer Each ? (Each extends Told ? Omit<Each, 'index' | 'witnessed'> : never) : never;

/** Tells a plan in a new lane. The caller closes it. */
export function tellHistory({ acts, sequels, runs, steps, parts, seals }: Plan): History {
  const lane = new LedgerLane((policy, people) => ({ signers: { ...policy.signers, scans: [people.lab.keyId] } }));
  const granted: Digest[] = [];
  const keys = SITES.map(() => testSigner());
  const drafts: { place: number; draft: Draft }[] = [
    ...RELEASES.map((release, at) => ({ place: -10, draft: releaseDraft(release, at, parts[at] ?? 0) })),
    ...SITES.map((site, at) => ({ place: -5, draft: siteDraft(site, keys[at] ?? testSigner(), LINKS[at] ?? LINKS[0]) })),
    ...[...acts, ...sequels, ...runs].map((one) => ({ place: one.place, draft: actDraft(one, granted) })),
    ...receiptDrafts(steps, keys),
  ];
  const told: Told[] = [];
  let open: DistributedTold[] = [];
  let minute = 0;
  const seal = (): void => {
    minute += 1;
    const witnessed = timeAt(minute);
    lane.seal(witnessed);
    for (const one of open) told.push({ ...one, at: one.at === '' ? witnessed : one.at, index: told.length, witnessed });
    open = [];
  };
  for (const [at, { draft }] of [...drafts].sort((a, b) => a.place - b.place).entries()) {
    open.push(...draft(lane));
    if (seals[at % seals.length] === true) seal();
  }
  seal();
  return { lane, told, lastSeal: timeAt(minute) };
}

function releaseDraft(release: Digest, at: number, part: number): Draft {
  return (lane) => {
    const component = {
      name: 'app',
      kind: 'image',
      digest: PARTS[part] ?? release,
      size: 1,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    } as const;
    const declares = at % 2 === 1;
    const said = { name: 'api', version: `1.0.${at}`, components: [component] };
    lane.sign(releaseStatement(release, { ...said, ...(declares ? { declares: { variables: [VARIABLE] } } : {}) }), lane.people.author);
    return [{ kind: 'release', release, part: component.digest, declares, at: '', isOwn: true }];
  };
}

function topologyWith(link: string): Topology {
  return {
    apiVersion: 'sealane/v1',
    kind: 'Topology',
    zones: ['plant'],
    nodes: [{ role: 'edge', tier: 'site', zone: 'plant', storage: 'ssd' }],
    flows: [],
    ingress: [],
    services: [],
    uplinks: [{ name: 'wan', zone: 'plant', kind: link }],
  };
}

function siteDraft(site: string, key: TestSigner, link: string): Draft {
  return (lane) => {
    lane.site(site, key, { topology: topologyWith(link) });
    return [{ kind: 'site', site, link, at: '2026-11-24T08:00:00Z', isOwn: true }];
  };
}

function actDraft(one: Plan['acts'][number], granted: Digest[]): Draft {
  return (lane) => {
    const release = RELEASES[one.pick] ?? lane.release;
    const isOwn = one.own > 0;
    const stranger = isOwn ? {} : { signer: lane.people.stranger };
    if (one.act === 'revocation') {
      const payload = revocationStatement({ release, reason: 'broken', floor: null, salt: saltOf(lane.log.size()) });
      lane.sign(payload, stranger.signer ?? lane.people.prod);
      return [{ kind: 'revocation', release, at: '', isOwn }];
    }
    if (one.act === 'test') {
      const bios = BIOSES[one.bios] ?? '';
      const link = LINKS[one.place % LINKS.length] ?? LINKS[0];
      const report = one.passed ? junit(3) : junit(2, 1);
      const digest = lane.tests({ about: release, report, hardware: hbom({ bios }), topology: topologyWith(link), ...stranger });
      return [{ kind: 'test', release, passed: one.passed, bios, link, digest, at: '', isOwn }];
    }
    const at = timeAt(one.minute);
    if (one.act !== 'decision') return otherAct(lane, { ...one, release, at, isOwn, granted });
    const stage = STAGES[one.stage] ?? 'dev';
    const names = (one.rests ? granted.at(-1) : undefined) ?? null;
    const checks = [
      { id: 'windows', verdict: 'pass', expected: '', actual: '', remedy: '', evidence: names === null ? [] : [names] },
    ] as const;
    const result = one.passed ? 'PASSED' : 'FAILED';
    const change = {
      release,
      checks,
      counter: one.passed ? 1 : null,
      salt: saltOf(lane.log.size()),
      fields: { timeVerified: at, result } as const,
      ...stranger,
    };
    lane.decide(stage, null, change);
    return [{ kind: 'decision', release, stage, result, names, at, isOwn }];
  };
}

interface OtherAct {
  readonly act: 'approval' | 'order' | 'scan' | 'exception' | 'review';
  readonly release: Digest;
  readonly at: string;
  readonly found: boolean;
  readonly isOwn: boolean;
  readonly granted: Digest[];
}

/** What is said beside decisions, tests and revocations; a review is of the exception before it, and nothing is said where there is none. */
function otherAct(lane: LedgerLane, { act, release, at, found, isOwn, granted }: OtherAct): readonly DistributedTold[] {
  const by = (signer: TestSigner): TestSigner => (isOwn ? signer : lane.people.stranger);
  const salt = saltOf(lane.log.size());
  const usual = { at, isOwn } as const;
  switch (act) {
    case 'approval': {
      const nonce = {
        policy: sha256(utf8('policy')),
        nonce: salt,
        expiresAt: '2026-12-01T00:00:00Z',
        verdict: 'approve',
        seen: [],
      } as const;
      // some approvers saw this log, and some another one
      const { size, root } = lane.checkpoint === '' ? { size: 0, root: sha256Raw(utf8('')) } : parseCheckpoint(lane.checkpoint);
      const checkpoint = { origin: 'lane.example', size, root: base64(found ? root : new Uint8Array(32)) };
      lane.sign(approvalStatement({ release, stage: 'prod', rollout: ['all'], issuedAt: at, checkpoint, ...nonce }), by(lane.people.alice));
      return [{ kind: 'approval', release, sawThisLog: found, ...usual }];
    }
    case 'order': {
      const order = {
        order: 'rollback',
        stage: 'prod',
        groups: ['all'],
        release,
        reason: 'hangs',
        issuedAt: at,
        expiresAt: null,
        salt,
      } as const;
      lane.sign(orderStatement('lane.example', order), by(lane.people.prod));
      return [{ kind: 'order', release, ...usual }];
    }
    case 'scan': {
      const scanner = { uri: 'pkg:github/scanner@1', result: found ? [{ id: 'CVE-2026-0001', severity: [] }] : [] };
      const subject = [{ digest: { sha256: release.slice('sha256:'.length) } }];
      lane.sign(encodeStatement({ subject, predicateType: PREDICATE.vulnerabilities, predicate: { scanner, salt } }), by(lane.people.lab));
      return [{ kind: 'scan', release, found, at: '', isOwn }];
    }
    case 'exception': {
      const terms = {
        kind: 'window',
        release,
        stage: 'prod',
        uses: 1,
        reason: 'late',
        nonce: salt,
        issuedAt: at,
        expiresAt: '2026-12-01T00:00:00Z',
      } as const;
      const digest = lane.sign(exceptionStatement(terms), by(lane.people.alice));
      granted.push(digest);
      return [{ kind: 'exception', release, digest, ...usual }];
    }
    case 'review': {
      const exception = granted.at(-1);
      if (exception === undefined) return [];
      lane.sign(reviewStatement({ exception, reason: 'seen', issuedAt: at, salt }), by(found ? lane.people.alice : lane.people.bob));
      return [{ kind: 'review', exception, isGranters: found, ...usual }];
    }
  }
}

/** Each site's chain in the order of its numbers, told in the order of `place`. */
function receiptDrafts(steps: Plan['steps'], keys: readonly TestSigner[]): { place: number; draft: Draft }[] {
  const chains = SITES.map(() => ({ seq: 0, prev: null as Digest | null, running: null as Digest | null }));
  return steps.map(({ site: at, event, pick: picked, bios: biosAt, twin, own, size, place: where }, minute) => {
    const [site, chain, key, bios] = [SITES[at] ?? SITES[0], chains[at] ?? chains[0], keys[at] ?? testSigner(), BIOSES[biosAt] ?? ''];
    const release = RELEASES[picked] ?? RELEASES[0];
    if (chain === undefined || release === undefined) throw new RangeError('tell a history: expected a chain and a release');
    const isOwn = own > 0;
    const rate = biosAt === 1 ? size % 10 : null;
    const predicate: ReceiptPredicate = {
      site,
      keyId: key.keyId,
      seq: chain.seq + 1,
      prev: chain.prev,
      event,
      release,
      previous: chain.running,
      waybill: null,
      reason: event === 'refused' ? 'HARDWARE_UNCOVERED' : null,
      checks: [],
      at: timeAt(minute),
      hardware: hbom({ bios }),
      ...(rate === null ? {} : { variables: { [VARIABLE.name]: rate } }),
      checkpoint: { origin: 'lane.example', size, root: base64(new Uint8Array(32)) },
      salt: saltOf(minute),
    };
    if (isOwn) {
      chain.seq += 1;
      chain.prev = sha256(receiptStatement(predicate));
      if (event === 'installed' || event === 'rollback') chain.running = release;
    }
    const said = {
      kind: 'receipt',
      size,
      site,
      seq: predicate.seq,
      event,
      release,
      previous: predicate.previous,
      bios,
      rate,
      at: predicate.at,
      isOwn,
    } as const;
    const draft: Draft = (lane) => {
      lane.receipt(predicate, isOwn ? key : lane.people.stranger);
      // a second host with the same key tells another story under the same number
      const other = RELEASES[(picked + 1) % RELEASES.length] ?? release;
      if (twin > 0 || !isOwn) return [said];
      lane.receipt({ ...predicate, release: other, salt: saltOf(1000 + minute) }, key);
      return [said, { ...said, release: other }];
    };
    return { place: where, draft };
  });
}
