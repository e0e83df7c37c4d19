// The auditor's questions to a ledger of so many entries, asked of releases and sites anywhere in it, by a process that stays: without its start.
import { ledgerParts } from './ledger-build.mjs';
import { withLedger } from './ledger-make.mjs';
import { countsOf, names } from './ledger-statements.mjs';
import { percentile, round } from './measure.mjs';

/** Of each question at most so many, and so long. */
const ASKED = 200;
const BUDGET_MS = 8000;
/** Of these so many are asked once more: what was verified is remembered. */
const AGAIN = 20;
const GOALS = { join: 5, closure: 20 };

/** All questions, or the one whose row `only` names. */
export async function measureQuestions({ entries, data, only }) {
  const { answers, withAudit } = await ledgerParts();
  return await withLedger({ entries, data }, ({ dir, home }) =>
    withAudit({ options: { home }, io: { cwd: dir } }, async (context) => {
      const rows = [];
      for (const [name, goal, ask] of questionsOf(answers, countsOf(entries))) {
        const id = `ledger-questions-${name.replaceAll(' ', '-')}`;
        if (only.startsWith('ledger-questions-') && id !== only) continue;
        const { p50, p99, cpu, again, count, cited } = await asked((at) => ask(context, at));
        const limit = GOALS[goal] ?? null;
        const what = `\`audit ${name}\`, ${count} times: p50 ${round(p50)} ms, ${round(cpu)} ms of processor time (${round(again)} asked again), ${round(cited)} statements proved`;
        console.error(`${what}, p99 ${round(p99)} ms`);
        const ratio = limit === null ? null : round(p99 / limit);
        rows.push({ id, what, ours: round(p99), peer: null, limit, ratio, unit: 'ms' });
      }
      return rows;
    }),
  );
}

/** Each question, whether it follows a join, a closure or has to read all there is, and how it is asked the nth time. */
function questionsOf(answers, { releases, sites }) {
  const release = (at) => names.release((at * 7919) % releases);
  const site = (at) => names.site((at * 7919) % sites);
  return [
    ['at', 'join', (context, at) => answers.atSite(context, site(at))],
    ['approvals', 'join', (context, at) => answers.approvals(context, release(at))],
    ['decisions', 'join', (context, at) => answers.decisions(context, release(at), undefined)],
    ['cases', 'join', (context, at) => answers.cases(context, release(at))],
    ['devices', 'join', (context, at) => answers.devices(context, release(at))],
    ['changes', 'join', (context, at) => answers.changes(context, release(at), { from: release(at + 1) })],
    ['evidence', 'join', (context, at) => answers.evidenceState(context, release(at), 30)],
    ['parity', 'join', (context, at) => answers.parity(context, site(at), undefined)],
    ['trace', 'closure', (context, at) => answers.traceRelease(context, release(at))],
    ['exposure release', 'closure', (context, at) => answers.exposure(context, { release: release(at) })],
    ['exposure component', 'closure', (context, at) => answers.exposure(context, { component: names.component((at * 7919) % releases) })],
    ['exposure', 'closure', (context) => answers.exposure(context, {})],
    ['waivers', 'closure', (context) => answers.waivers(context, {})],
    ['remedy', 'closure', (context) => answers.remedy(context, 'CVE-2026-0001')],
    ['rollbacks', 'closure', (context) => answers.rollbacks(context, undefined)],
    ['awareness', 'closure', (context, at) => answers.awareness(context, release(at))],
    ['unit', 'closure', (context, at) => answers.unit(context, `LAB${at}`)],
    ['exposure hardware', 'closure', (context, at) => answers.exposure(context, { hardware: `LAB${at}` })],
    ['coverage', 'closure', (context, at) => answers.coverage(context, release(at), {})],
    ['drift', 'closure', (context) => answers.drift(context, undefined)],
    ['automatic', 'closure', (context) => answers.automatic(context, undefined)],
    ['keys', 'all', (context) => answers.keys(context, undefined)],
    ['key', 'closure', async (context, at) => answers.keys(context, (await context.ledger.sites(site(at)))[0].siteKeyId)],
    ['snapshot', 'all', (context) => answers.snapshot(context)],
    ['population', 'all', (context) => answers.population(context, {})],
  ];
}

async function asked(ask) {
  const times = [];
  let [cited, began] = [0, performance.now()];
  const cpu = process.cpuUsage();
  for (let at = 0; at < ASKED && performance.now() - began < BUDGET_MS; at += 1) {
    const from = performance.now();
    const { statements } = await ask(at);
    times.push(performance.now() - from);
    cited += statements.length;
  }
  const { user, system } = process.cpuUsage(cpu);
  const count = times.length;
  const last = process.cpuUsage();
  const repeated = Math.min(AGAIN, count);
  for (let at = count - repeated; at < count; at += 1) await ask(at);
  const repeat = process.cpuUsage(last);
  const again = (repeat.user + repeat.system) / 1000 / repeated;
  return {
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    cpu: (user + system) / 1000 / count,
    again,
    count,
    cited: cited / count,
  };
}
