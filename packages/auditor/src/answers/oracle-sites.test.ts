/** What became of sites, against the naive oracle: rollbacks, drift, awareness of a revocation, the time to a fix. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHistories, counted, everyTime, ranAt, sitesIn, tellHistories } from '../testing/oracle.js';
import { RELEASES, VARIABLE } from '../testing/history-plan.js';
import { awareness } from './awareness.js';
import { drift } from './drift.js';
import { parity } from './parity.js';
import { remedy } from './remedy.js';
import { rollbacks } from './rollbacks.js';

beforeAll(tellHistories);
afterAll(closeHistories);

test('rollbacks: of sites by their receipts, of stages by their orders', async () => {
  await everyTime(async (history, context, when) => {
    const { answer } = await rollbacks(context, 'prod', when);
    const back = counted(history, 'receipt', when).filter(({ event }) => event === 'rolled-back' || event === 'rollback');
    const name = (one: { readonly site: string; readonly at: string; readonly event: string }): string =>
      `${one.site} ${one.at} ${one.event}`;
    expect(answer.sites.map(name).sort()).toEqual(back.map(name).sort());
    expect(answer.stages.map(({ at }) => at)).toEqual(counted(history, 'order', when).map(({ at }) => at));
  });
});

test('drift: a site is where the last word of the log put it, or not', async () => {
  await everyTime(async (history, context, when) => {
    const { answer } = await drift(context, 'prod', when);
    const passed = counted(history, 'decision', when).filter(({ stage, result }) => stage === 'prod' && result === 'PASSED');
    const told = [...passed, ...counted(history, 'order', when)].sort((a, b) => a.index - b.index).at(-1)?.release ?? null;
    const isThere = (site: string): boolean => (ranAt(history, site, when).at(-1)?.release ?? null) === told;
    expect(answer.asAssigned).toEqual(sitesIn(history, when).filter(isThere));
    expect(answer.drifted.map(({ site, assigned }) => [site, assigned])).toEqual(
      sitesIn(history, when)
        .filter((site) => !isThere(site))
        .map((site) => [site, told]),
    );
  });
});

test('awareness: between the last receipt under a log without the revocation and the first under one with it', async () => {
  await everyTime(async (history, context, when) => {
    const known = counted(history, 'release', { ...when, asOf: '9999' }).map(({ release }) => release);
    for (const release of RELEASES.filter((one) => known.includes(one))) {
      const { answer } = await awareness(context, release, when);
      const [first] = counted(history, 'revocation', when).filter((one) => one.release === release);
      expect(answer.revocations[0]?.logIndex).toBe(first?.index);
      if (first === undefined) continue;
      const expected = sitesIn(history, when).map((site) => {
        const own = counted(history, 'receipt', when).filter((one) => one.site === site);
        const chain = [...own].sort((a, b) => a.seq - b.seq || a.index - b.index);
        const aware = chain.findIndex(({ size }) => size > first.index);
        return { site, lastUnaware: (aware < 0 ? chain : chain.slice(0, aware)).at(-1)?.at ?? null, firstAware: chain[aware]?.at ?? null };
      });
      expect(answer.sites).toMatchObject(expected);
    }
  });
});

test('remedy: from the first scan that found it, as long as a site ran what it was found in, and what was scanned since and free of it', async () => {
  await everyTime(async (history, context, when) => {
    const { answer } = await remedy(context, 'CVE-2026-0001', when);
    const found = counted(history, 'scan', when).filter((one) => one.found);
    const knownAt = found.map(({ at }) => at).sort()[0] ?? null;
    expect(answer.knownAt).toBe(knownAt);
    const affected = new Set(found.map(({ release }) => release));
    const runs = sitesIn(history, when).flatMap((site) => {
      const ran = ranAt(history, site, when);
      return ran.map((run, at) => ({ ...run, after: ran[at + 1] }));
    });
    const exposed = runs.filter(
      ({ release, until }) => knownAt !== null && release !== null && affected.has(release) && (until ?? '9999') > knownAt,
    );
    expect(answer.sites.map(({ site, from, until }) => `${site} ${from} ${until ?? ''}`)).toEqual(
      exposed.map(({ site, since, until }) => `${site} ${knownAt !== null && since < knownAt ? knownAt : since} ${until ?? ''}`),
    );
    const first = found[0]?.index ?? Infinity;
    const scans = counted(history, 'scan', when).filter(({ release }) => !affected.has(release));
    const after = exposed.map((run) => run.after);
    const isClean = (release: string | null): boolean => scans.some((scan) => scan.release === release && scan.index > first);
    expect(answer.sites.map(({ fixedBy }) => fixedBy)).toEqual(
      after.map((run) => (run === undefined ? null : { release: run.release, scannedClean: isClean(run.release) })),
    );
  });
});

test('parity: a site beside the run that passed on what is most like it, what it sets, and the links', { timeout: 60_000 }, async () => {
  let [compared, chosen] = [0, 0];
  await everyTime(async (history, context, when) => {
    const made = counted(history, 'release', { ...when, asOf: '9999' });
    for (const { site, link } of counted(history, 'site', when)) {
      const running = ranAt(history, site, when).at(-1)?.release ?? null;
      const own = counted(history, 'receipt', when).filter((one) => one.site === site);
      const last = [...own].sort((a, b) => a.seq - b.seq || a.index - b.index).at(-1);
      for (const { release, declares } of made.filter((one, at) => at === 0 || one.release === running)) {
        const passed = counted(history, 'test', when).filter((one) => one.release === release && one.passed);
        const like = last === undefined ? undefined : (passed.find(({ bios }) => bios === last.bios) ?? passed[0]);
        const linked = passed.find((one) => one.link === link) ?? passed[0];
        const firmware = { fact: 'firmware', tested: `BIOS ${like?.bios ?? ''}`, site: `BIOS ${last?.bios ?? ''}` };
        const uplink = { path: 'uplinks.wan.kind', tested: linked?.link, site: link };
        // what runs there is what is meant when none is named
        const { answer } = await parity(context, site, release === running ? undefined : release, when);
        expect(answer).toMatchObject({
          release,
          hardware: like === undefined ? null : { run: like.digest, differences: like.bios === last?.bios ? [] : [firmware], unknown: [] },
          topology: linked === undefined ? null : { run: linked.digest, differences: linked.link === link ? [] : [uplink] },
          variables: declares ? [{ name: VARIABLE.name, usual: '5', site: last?.rate == null ? null : String(last.rate) }] : [],
        });
        compared += 1;
        chosen += Number(like?.bios === last?.bios && passed[0]?.bios !== last?.bios);
      }
      if (running === null) await expect(parity(context, site, undefined, when)).rejects.toMatchObject({ code: 'USAGE' });
    }
  });
  // histories in which nothing is compared, or there is but one run, would show nothing
  expect(compared).toBeGreaterThan(20);
  expect(chosen).toBeGreaterThan(0);
});
