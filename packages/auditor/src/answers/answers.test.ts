/** The answers over small ledgers told step by step: what they say, what they rest on, and what they say they could not see. */
import { base64, type Digest, type Envelope, parseStatement, PREDICATE, sha256, utf8 } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { receiptStatement, type ReceiptPredicate } from '../../../trust/src/evidence/predicates/receipt.js';
import { retirementStatement } from '../../../trust/src/evidence/predicates/retirement.js';
import { revocationStatement } from '../../../trust/src/evidence/predicates/revocation.js';
import { hbom, junit } from '../../../trust/src/testing/gate-documents.js';
import { saltOf, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { envelopeOf, type TestSigner, testSigner } from '../../../trust/src/testing/test-keys.js';
import { LedgerLane } from '../testing/ledger-lane.js';
import { atSite } from './at-site.js';
import { awareness } from './awareness.js';
import type { AuditContext } from './context.js';
import { drift } from './drift.js';
import { type LogFolder, logFileProblems } from './log-files.js';
import { traceRelease } from './trace.js';
import { verifyAll } from './verify.js';

let lane: LedgerLane;
const siteKey = testSigner();

beforeEach(() => {
  lane = new LedgerLane();
});

afterEach(async () => {
  await lane.close();
});

/** The usual story of the lane's release, witnessed. */
function story(): void {
  lane.evidence();
  lane.earlierStages();
  lane.seal(TIMES.evidence);
  lane.approve('alice');
  lane.approve('bob');
  lane.decide('prod', 'edge-preprod');
  lane.site('plant-7', siteKey);
}

interface Event {
  readonly seq: number;
  readonly event?: 'installed' | 'refused' | 'rolled-back' | 'rollback';
  readonly release?: Digest | null;
  readonly previous?: Digest | null;
  readonly prev?: Digest | null;
  readonly at?: string;
  readonly key?: TestSigner;
}

function predicateOf({
  seq,
  event = 'installed',
  release = lane.release,
  previous = null,
  prev = null,
  key = siteKey,
  at,
}: Event): ReceiptPredicate {
  return {
    site: 'plant-7',
    keyId: key.keyId,
    seq,
    prev,
    event,
    release,
    waybill: null,
    previous,
    reason: null,
    checks: [],
    at: at ?? timeOf(seq),
    hardware: hbom(),
    checkpoint: null,
    salt: saltOf(seq),
  };
}

const timeOf = (seq: number): string => `2026-11-24T12:00:${String(seq).padStart(2, '0')}Z`;
const digestOf = (event: Event): Digest => sha256(receiptStatement(predicateOf(event)));

/** Logs a receipt. */
function receipt(event: Event): Digest {
  return lane.receipt(predicateOf(event), event.key ?? siteKey);
}

const codes = ({
  answer,
}: {
  readonly answer: { readonly doubts: readonly { readonly code: string; readonly logIndex: number }[] };
}): unknown => answer.doubts.map(({ code, logIndex }) => [code, logIndex]);

describe('trace', () => {
  it('tells a release from its author to its sites, every statement proved', async () => {
    story();
    receipt({ seq: 1 });
    lane.seal(TIMES.published);
    const answer = await traceRelease(await lane.open(), lane.release);
    expect(answer).toMatchObject({ question: `trace ${lane.release}`, complete: true, checkpoint: lane.checkpoint });
    expect(answer.answer).toMatchObject({ name: 'api', version: '1.0.0', doubts: [], components: [{ name: 'app' }] });
    expect(answer.answer.tests).toMatchObject([{ result: 'PASSED' }]);
    expect(answer.answer.testedOn).toHaveLength(1);
    expect(answer.answer.approvals.map(({ person, verdict }) => [person, verdict])).toEqual([
      ['alice', 'approve'],
      ['bob', 'approve'],
    ]);
    expect(answer.answer.decisions.map(({ stage }) => stage)).toEqual(['dev', 'edge-preprod', 'prod']);
    expect(answer.answer.sites).toMatchObject([{ site: 'plant-7', event: 'installed' }]);
    // the site's record too: it is what the receipt rests on
    expect(answer.statements.map(({ logIndex }) => logIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('of what no witness saw says so, and is not complete', async () => {
    story();
    lane.seal(TIMES.published);
    lane.tests({ report: junit(4) });
    const answer = await traceRelease(await lane.open(), lane.release);
    expect(answer.complete).toBe(false);
    expect(codes(answer)).toEqual([['LOG_WITNESS', 8]]);
    // it is told, and named as not proved
    expect(answer.answer.tests).toHaveLength(2);
  });

  it('of nothing that any witness saw is refused when it would cite something', async () => {
    lane.author();
    await expect(traceRelease(await lane.open(), lane.release)).rejects.toMatchObject({ code: 'LOG_WITNESS' });
  });

  it('names evidence by somebody whom the policy does not know, and does not count it', async () => {
    lane.author();
    lane.tests({ signer: lane.people.stranger });
    lane.seal(TIMES.evidence);
    const answer = await traceRelease(await lane.open(), lane.release);
    expect(answer).toMatchObject({ complete: false, answer: { tests: [], testedOn: [] } });
    expect(answer.answer.doubts).toMatchObject([{ logIndex: 1 }]);
  });

  it('names a decision by the key of another stage, and one for a stage that has no policy', async () => {
    lane.author();
    lane.decide('prod', 'edge-preprod', { signer: lane.people.dev });
    lane.decide('prod', 'edge-preprod', { to: 'orbit' });
    lane.seal(TIMES.evidence);
    const answer = await traceRelease(await lane.open(), lane.release);
    expect(answer).toMatchObject({ complete: false, answer: { decisions: [] } });
    expect(answer.answer.doubts.map(({ logIndex }) => logIndex)).toEqual([1, 2]);
    expect(answer.answer.doubts.at(-1)).toMatchObject({ code: 'STAGE_UNKNOWN' });
  });

  it('names a receipt by a key that no record gives to its site', async () => {
    story();
    receipt({ seq: 1, key: testSigner() });
    lane.seal(TIMES.published);
    const answer = await traceRelease(await lane.open(), lane.release);
    expect(answer).toMatchObject({ complete: false, answer: { sites: [] } });
    expect(codes(answer)).toEqual([['SITE_MISMATCH', 8]]);
  });

  it('of a release that is not in the ledger is refused', async () => {
    story();
    lane.seal(TIMES.published);
    await expect(traceRelease(await lane.open(), sha256(utf8('another')))).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
  });
});

describe('at', () => {
  /** A lane in which the site is enrolled. */
  function enrolled(): void {
    lane.author();
    lane.site('plant-7', siteKey);
  }

  it('knows what runs after any chain of receipts, at any of their times, in whatever order they were logged', async () => {
    const releases = [1, 2, 3].map((n) => sha256(utf8(`release ${n}`)));
    const event = fc.record({
      event: fc.constantFrom('installed' as const, 'refused' as const, 'rolled-back' as const, 'rollback' as const),
      pick: fc.nat(2),
      place: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 6 }), async (list) => {
        await lane.close();
        lane = new LedgerLane();
        enrolled();
        // the naive oracle: what runs is what the last act left
        const steps: (Event & { readonly place: number })[] = [];
        const running: (Digest | null)[] = [];
        for (const { event: what, pick, place } of list) {
          const [release, before, last] = [releases[pick] ?? null, running.at(-1) ?? null, steps.at(-1)];
          steps.push({
            seq: steps.length + 1,
            event: what,
            release,
            previous: before,
            prev: last === undefined ? null : digestOf(last),
            place,
          });
          running.push(what === 'installed' || what === 'rollback' ? release : before);
        }
        for (const step of [...steps].sort((a, b) => a.place - b.place)) receipt(step);
        lane.seal(TIMES.published);
        const context = await lane.open();
        for (const [at, release] of running.entries()) {
          const { answer, complete } = await atSite(context, 'plant-7', { asOf: timeOf(at + 1) });
          expect({ release: answer.release, missing: answer.missing, complete }).toEqual({ release, missing: [], complete: true });
          expect(answer.history.map(({ seq }) => seq)).toEqual(steps.slice(0, at + 1).map(({ seq }) => seq));
        }
        expect((await atSite(context, 'plant-7')).answer.release).toBe(running.at(-1));
        expect((await atSite(context, 'plant-7', { asOf: TIMES.evidence })).answer).toMatchObject({ release: null, history: [] });
      }),
      { numRuns: 10 },
    );
  });

  it('says which receipts it has not seen', async () => {
    enrolled();
    for (const seq of [1, 4]) receipt({ seq });
    lane.seal(TIMES.published);
    expect((await atSite(await lane.open(), 'plant-7')).answer.missing).toEqual([2, 3]);
  });

  it('goes on through a new enrolment: each key has a chain of its own', async () => {
    enrolled();
    const second = testSigner();
    receipt({ seq: 1 });
    lane.site('plant-7', second);
    receipt({ seq: 1, key: second, at: timeOf(30), release: sha256(utf8('later')), prev: null });
    lane.seal(TIMES.published);
    const context = await lane.open();
    expect((await atSite(context, 'plant-7', { asOf: timeOf(9) })).answer.release).toBe(lane.release);
    const { answer, complete } = await atSite(context, 'plant-7');
    expect({ release: answer.release, missing: answer.missing, complete }).toEqual({
      release: sha256(utf8('later')),
      missing: [],
      complete: true,
    });
  });

  it('names a receipt by any other key, and does not count it', async () => {
    enrolled();
    receipt({ seq: 1 });
    receipt({ seq: 2, key: testSigner(), release: sha256(utf8('forged')) });
    lane.seal(TIMES.published);
    const answer = await atSite(await lane.open(), 'plant-7');
    expect(answer).toMatchObject({ complete: false, answer: { release: lane.release } });
    expect(codes(answer)).toEqual([['SITE_MISMATCH', 3]]);
  });

  it('names a chain that forks: a number twice, and a receipt that follows another than the one before it', async () => {
    enrolled();
    receipt({ seq: 1 });
    receipt({ seq: 1, release: sha256(utf8('cloned')) });
    receipt({ seq: 2, prev: sha256(utf8('elsewhere')) });
    lane.seal(TIMES.published);
    const answer = await atSite(await lane.open(), 'plant-7');
    expect(answer.complete).toBe(false);
    expect(codes(answer)).toEqual([
      ['SITE_MISMATCH', 3],
      ['SITE_MISMATCH', 4],
    ]);
  });

  it('does not take the word of anybody but the registrar for who a site is', async () => {
    lane.author();
    lane.site('plant-7', siteKey, { signer: lane.people.stranger });
    receipt({ seq: 1 });
    lane.seal(TIMES.published);
    const answer = await atSite(await lane.open(), 'plant-7');
    expect(answer).toMatchObject({ complete: false, answer: { release: null, history: [] } });
    expect(answer.answer.doubts.map(({ logIndex }) => logIndex)).toEqual([1, 2]);
  });

  it('refuses a site that is not there, and a time that is none', async () => {
    enrolled();
    lane.seal(TIMES.published);
    const context = await lane.open();
    await expect(atSite(context, 'plant-8')).rejects.toMatchObject({ code: 'SITE_UNKNOWN' });
    await expect(atSite(context, 'plant-7', { asOf: 'noon' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

it('drift: asks nothing of a site that the registrar retired, but from when on he did', async () => {
  story();
  const word = { site: 'plant-7', keyId: siteKey.keyId, stage: 'prod', reason: 'closed', issuedAt: TIMES.published, salt: saltOf(1) };
  lane.sign(retirementStatement(word), lane.people.registrar);
  lane.seal(TIMES.published);
  const context = await lane.open();
  expect((await drift(context, 'prod')).answer).toEqual({ drifted: [], asAssigned: [], doubts: [] });
  expect((await drift(context, 'prod', { asOf: TIMES.decided })).answer.drifted).toMatchObject([
    { site: 'plant-7', assigned: lane.release },
  ]);
});

it('awareness: who had seen all but the revocation did not know of it', async () => {
  lane.author();
  lane.site('plant-7', siteKey);
  const index = lane.log.size();
  lane.sign(revocationStatement({ release: lane.release, reason: 'broken', floor: null }), lane.people.prod);
  const seen = (size: number): ReceiptPredicate['checkpoint'] => ({ origin: lane.log.origin, size, root: base64(new Uint8Array(32)) });
  const first = { ...predicateOf({ seq: 1 }), checkpoint: seen(index) };
  lane.receipt(first, siteKey);
  lane.receipt({ ...predicateOf({ seq: 2, prev: sha256(receiptStatement(first)) }), checkpoint: seen(index + 1) }, siteKey);
  lane.seal(TIMES.published);
  const { answer, complete } = await awareness(await lane.open(), lane.release);
  expect(complete).toBe(true);
  expect(answer.revocations).toMatchObject([{ reason: 'broken', logIndex: index, witnessed: TIMES.published }]);
  expect(answer.sites).toMatchObject([{ site: 'plant-7', lastUnaware: timeOf(1), firstAware: timeOf(2), runsNow: true }]);
});

describe('a ledger that lies', () => {
  /** The answer by a ledger of which one call is replaced. */
  async function toldBy(change: (ledger: Ledger) => Partial<Ledger>): Promise<Awaited<ReturnType<typeof atSite>>> {
    story();
    receipt({ seq: 1 });
    lane.seal(TIMES.published);
    const context = await lane.open();
    const lying = (ledger: Ledger): Ledger => ({ ...ledger, ...change(ledger), noting: (note) => lying(ledger.noting(note)) });
    return await atSite({ ...context, ledger: lying(context.ledger) }, 'plant-7');
  }

  const changed = (entry: LedgerEntry, change: (envelope: Envelope) => Envelope): LedgerEntry =>
    entry.statement.predicateType === PREDICATE.receipt ? { ...entry, envelope: change(entry.envelope) } : entry;

  it('about what its rows say is not believed: what the site signed is what is told', async () => {
    const other = sha256(utf8('another'));
    const answer = await toldBy(({ receiptsOf, releases }) => ({
      receiptsOf: async (site) =>
        (await receiptsOf(site)).map((row) => ({ ...row, release: other, event: 'retired', at: '2026-01-01T00:00:00Z' })),
      releases: async (release) => (await releases(release)).map((row) => ({ ...row, name: 'other', version: '9' })),
    }));
    expect(answer).toMatchObject({ complete: true, answer: { release: lane.release, name: 'api', version: '1.0.0' } });
  });

  it('with a signature that the site did not make tells of no receipt', async () => {
    const sig = base64(new Uint8Array(70));
    const answer = await toldBy(({ entriesAt }) => ({
      entriesAt: async (indexes) => (await entriesAt(indexes)).map((entry) => changed(entry, (one) => ({ ...one, signatures: [{ sig }] }))),
    }));
    expect(answer).toMatchObject({ complete: false, answer: { release: null, history: [], doubts: [{ code: 'WAYBILL_SIGNATURE' }] } });
  });

  it('with a receipt that the site signed and the log does not have is found out', async () => {
    const payload = receiptStatement(predicateOf({ seq: 1, event: 'rollback' }));
    const envelope = envelopeOf(payload, siteKey);
    const asked = toldBy(({ entriesAt }) => ({
      entriesAt: async (indexes) =>
        (await entriesAt(indexes)).map((entry) =>
          entry.statement.predicateType === PREDICATE.receipt
            ? { ...entry, envelope, statement: parseStatement(payload), statementDigest: sha256(payload) }
            : entry,
        ),
    }));
    await expect(asked).rejects.toMatchObject({ code: 'LOG_NOT_INCLUDED' });
  });

  it('with other tiles than those under its checkpoint is found out', async () => {
    const asked = toldBy(({ leafTile }) => ({
      leafTile: async (index, size) => {
        const { data, proof } = await leafTile(index, size);
        return { data: data.map((byte, at) => (at === 1 ? byte ^ 1 : byte)), proof };
      },
    }));
    await expect(asked).rejects.toMatchObject({ code: 'PROOF_MISMATCH' });
  });
});

describe('verify', () => {
  it('is content with a ledger under its quorum, also against an older checkpoint', async () => {
    story();
    lane.seal(TIMES.decided);
    const old = lane.checkpoint;
    receipt({ seq: 1 });
    lane.seal(TIMES.published);
    expect(await verifyAll(await lane.open(), { checkpoint: old })).toMatchObject({
      answer: { ok: true, problems: [] },
      checkpoint: lane.checkpoint,
    });
  });

  it('names a checkpoint of another history, and a latest one below the quorum', async () => {
    story();
    lane.seal(TIMES.decided);
    const forged = lane.log.forge(TIMES.decided, { origin: lane.log.origin, size: 3, root: new Uint8Array(32) });
    expect((await verifyAll(await lane.open(), { checkpoint: forged })).answer).toMatchObject({
      ok: false,
      problems: [{ where: 'checkpoint', key: '3' }],
    });
    receipt({ seq: 1 });
    lane.seal(TIMES.published, lane.witnesses.slice(0, 1));
    expect((await verifyAll(await lane.open())).answer).toMatchObject({ ok: false, problems: [{ where: 'cosigned', key: 'latest' }] });
  });

  it('reads no ledger whose log no policy names', async () => {
    story();
    lane.seal(TIMES.decided);
    await expect(verifyAll(await lane.open([]))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  describe('of the published log', () => {
    /** Publishes the log into a map of files. */
    async function published(): Promise<{ readonly context: AuditContext; readonly files: Map<string, Uint8Array> }> {
      story();
      lane.seal(TIMES.decided);
      const files = new Map<string, Uint8Array>();
      const context = await lane.open();
      await context.ledger.publishTiles((written) => {
        for (const [name, bytes] of written) files.set(name, bytes);
        return Promise.resolve();
      });
      const log: LogFolder = { list: () => [...files.keys()], read: (name) => files.get(name) };
      return { context: { ...context, log }, files };
    }

    const problemsOf = async (context: AuditContext): Promise<readonly string[]> =>
      (await verifyAll(context)).answer.problems.map(({ where, key }) => `${where} ${key}`);

    it('is content with what was published, and with leftovers of a publisher that was killed', async () => {
      const { context, files } = await published();
      expect([...files.keys()].sort()).toEqual(['checkpoint', 'tile/0/000.p/8', 'tile/entries/000.p/8']);
      expect(await problemsOf(context)).toEqual([]);
      files.set('tile/0/000.p/.9.tmp', new Uint8Array());
      files.set('.checkpoint.tmp', new Uint8Array());
      expect(await problemsOf(context)).toEqual([]);
    });

    it('names the file of which any byte was changed, cut off or added', async () => {
      const { context, files } = await published();
      for (const [name, bytes] of [...files]) {
        const bent = [bytes.subarray(0, -1), new Uint8Array([...bytes, 10]), new Uint8Array()];
        for (let at = 0; at < bytes.length; at += 13) bent.push(bytes.map((byte, place) => (place === at ? byte ^ 1 : byte)));
        for (const change of bent) {
          files.set(name, change);
          const problems = await logFileProblems(context.ledger, context.log);
          expect(problems.map(({ where, key }) => `${where} ${key}`)).toContain(`log-file ${name}`);
        }
        files.set(name, bytes);
      }
      expect(await problemsOf(context)).toEqual([]);
    });

    it('names files that are gone, exchanged, or of no tree of this size', async () => {
      const { context, files } = await published();
      const [hashes, entries] = [files.get('tile/0/000.p/8')!, files.get('tile/entries/000.p/8')!];
      files.delete('tile/0/000.p/8');
      expect(await problemsOf(context)).toEqual(['log-file tile/0/000.p/8']);
      files.set('tile/0/000.p/8', entries).set('tile/entries/000.p/8', hashes);
      expect([...(await problemsOf(context))].sort()).toEqual(['log-file tile/0/000.p/8', 'log-file tile/entries/000.p/8']);
      files.set('tile/0/000.p/8', hashes).set('tile/entries/000.p/8', entries);
      for (const stray of ['tile/0/000.p/9', 'tile/1/000.p/1', 'tile/0/001', 'notes.txt', 'tile/0/000.p/08']) {
        files.set(stray, hashes);
        expect(await problemsOf(context)).toEqual([`log-file ${stray}`]);
        files.delete(stray);
      }
      files.set('checkpoint', utf8(await context.ledger.checkpointNote()));
      expect(await problemsOf(context)).toEqual(['log-file checkpoint']);
    });
  });
});
