// `npm run bench [-- --only ID] [--json FILE]`: each figure beside a peer or a limit measured in the same run. Nothing here asserts a time.
// Those of the ledger take `--entries N`, and `--data DIR` to keep the ledger of so many entries for the next run.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { find } from './measure.mjs';

const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'string' }, entries: { type: 'string', default: '200000' }, data: { type: 'string' } },
});
const ledger = { entries: Number(values.entries), data: values.data, only: values.only ?? '' };
const benches = {
  help: async () => (await import('./help.mjs')).measureHelp(),
  poll: async () => (await import('./poll.mjs')).measurePoll(),
  promote: async () => (await import('./promote.mjs')).measurePromote(),
  reports: async () => (await import('./reports.mjs')).measureReports(),
  service: async () => (await import('./service.mjs')).measureService(),
  memory: async () => (await import('./memory.mjs')).measureMemory(),
  logs: async () => (await import('./logs.mjs')).measureLogs(),
  plan: async () => (await import('./plan.mjs')).measurePlan(),
  'plan-command': async () => (await import('./plan-command.mjs')).measurePlanCommand(),
  site: async () => (await import('./site.mjs')).measureSite(),
  apply: async () => (await import('./apply.mjs')).measureApply(),
  'ledger-proof': async () => (await import('./ledger-size.mjs')).measureProof(ledger),
  'ledger-verify': async () => (await import('./ledger-size.mjs')).measureVerify(ledger),
  'ledger-hashes': async () => (await import('./ledger-size.mjs')).measureHashes(ledger),
  'ledger-bytes': async () => (await import('./ledger-size.mjs')).measureBytes(ledger),
  'ledger-questions': async () => (await import('./ledger-questions.mjs')).measureQuestions(ledger),
  'ledger-append': async () => (await import('./ledger-append.mjs')).measureAppend(ledger),
};

/** Takes too long to be among the others. */
const byNameOnly = ['memory'];

const wanted = Object.keys(benches).filter((name) =>
  values.only === undefined ? !byNameOnly.includes(name) : values.only.startsWith(name),
);
if (wanted.length === 0)
  throw new Error(`read --only: expected an id that begins with one of ${Object.keys(benches).join(', ')}, got ${values.only}`);
if (find('cosign') === undefined) console.error('cosign is not on PATH: its figures are left out');

const rows = [];
for (const name of wanted) {
  console.error(`measuring ${name} …`);
  rows.push(...(await benches[name]()));
}
console.log('| id | what | ours | peer | limit | ratio | unit |\n|---|---|---|---|---|---|---|');
for (const { id, what, ours, peer, limit, ratio, unit } of rows)
  console.log(`| ${id} | ${what} | ${ours} | ${peer ?? '–'} | ${limit ?? '–'} | ${ratio ?? '–'} | ${unit} |`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
