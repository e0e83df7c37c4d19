// What a ledger of so many entries costs: proofs out of it, the check of all of it on one core and on two, and bytes on disk.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { ledgerParts, PARTS } from './ledger-build.mjs';
import { withLedger } from './ledger-make.mjs';
import { find, percentile, round, timed } from './measure.mjs';

const PROOFS = 5000;
const SIGNATURES = 5000;
const GOALS = { proofP50: 0.5, proofP99: 5, hashes: 200_000, verify: 200_000, cores: 1.6, bytes: 639 };

/** Inclusion proofs of entries anywhere, one after another, by a process that has read nothing before. */
export async function measureProof({ entries, data }) {
  const { openLedger } = await ledgerParts();
  return await withLedger({ entries, data }, async ({ file, origin }) => {
    const ledger = await openLedger({ file, origin, readOnly: true, now: () => '2027-01-01T00:00:00Z' });
    const size = await ledger.size();
    const times = [];
    // a stride that no power of two divides: everywhere, and the same places in every run
    for (let at = 0; at < PROOFS; at += 1) {
      const began = performance.now();
      await ledger.inclusionProof((at * 2_654_435_761) % size, size);
      times.push(performance.now() - began);
    }
    await ledger.close();
    const what = `inclusion proofs of entries anywhere in ${size}`;
    return [
      { id: 'ledger-proof-p50', what, share: 0.5, limit: GOALS.proofP50 },
      { id: 'ledger-proof-p99', what: `${what}: the slowest hundredth`, share: 0.99, limit: GOALS.proofP99 },
    ].map(({ id, what: words, share, limit }) => {
      const ours = percentile(times, share);
      return { id, what: words, ours: round(ours), peer: null, limit, ratio: round(ours / limit), unit: 'ms' };
    });
  });
}

/** The full check as a process of its own, bound to one core and to two. Beside it the rate at which one core checks signatures, which it does for each entry. */
export async function measureVerify({ entries, data }) {
  await ledgerParts();
  const signatures = signaturesASecond();
  return await withLedger({ entries, data }, ({ file, origin }) => {
    const [one, two] = ['0', '0,1'].map((cores) => checkOn('verifyLedger', cores, file, origin));
    const each = `each entry’s signature included; one core checks ${round(signatures)} signatures a second`;
    const row = { peer: null, limit: GOALS.verify, unit: '1/s' };
    return [
      {
        id: 'ledger-verify-1',
        what: `full check of ${one.size} entries on one core, ${each}; ${round(one.cpuUs)} µs of processor time an entry`,
        ours: round(one.perSecond),
        ratio: round(one.perSecond / GOALS.verify),
        ...row,
      },
      {
        id: 'ledger-verify-2',
        what: `the same on two: ${round(two.perSecond / one.perSecond)} times as fast (goal ${GOALS.cores})`,
        ours: round(two.perSecond),
        ratio: round(two.perSecond / GOALS.verify),
        ...row,
      },
    ];
  });
}

/** The check by hashes alone, as a process of its own, bound to one core and to two: by entries a second of the processor time of one, and by the clock. */
export async function measureHashes({ entries, data }) {
  await ledgerParts();
  return await withLedger({ entries, data }, ({ file, origin }) => {
    const [one, two] = ['0', '0,1'].map((cores) => checkOn('checkHashes', cores, file, origin));
    const ours = 1_000_000 / one.cpuUs;
    const row = { peer: null, limit: GOALS.hashes, unit: '1/s' };
    return [
      {
        id: 'ledger-hashes-1',
        what: `\`ledger fsck --hashes\` of ${one.size} entries on one core, by its processor time: ${round(one.cpuUs)} µs an entry, ${round(one.perSecond)} a second by the clock`,
        ours: round(ours),
        ratio: round(ours / GOALS.hashes),
        ...row,
      },
      {
        id: 'ledger-hashes-2',
        what: `the same on two, by the clock: ${round(two.perSecond / one.perSecond)} times as fast (goal ${GOALS.cores}); ${round(two.cpuUs)} µs of processor time an entry`,
        ours: round(two.perSecond),
        ratio: round(two.perSecond / GOALS.hashes),
        ...row,
      },
    ];
  });
}

const CHECK = `const { [process.argv[4]]: check } = await import(process.argv[1]);
const began = performance.now();
const start = process.cpuUsage();
const { ok, size } = await check({ file: process.argv[2], origin: process.argv[3] });
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({ ok, size, perSecond: (size * 1000) / (performance.now() - began), cpuUs: (user + system) / size }));`;

function checkOn(check, cores, file, origin) {
  const node = [process.execPath, '--input-type=module', '-e', CHECK, PARTS, file, origin, check];
  const [program, ...words] = find('taskset') === undefined ? node : ['taskset', '-c', cores, ...node];
  const found = JSON.parse(timed(program, words).stdout);
  if (!found.ok) throw new Error(`check ${file}: expected it sound, got ${JSON.stringify(found)}`);
  return found;
}

function signaturesASecond() {
  const script = fileURLToPath(import.meta.url);
  const { stdout, status, stderr } = spawnSync(process.execPath, [script, 'signatures'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`measure signatures: ${stderr}`);
  return Number(stdout);
}

/** Bytes of the file an entry, beside the payload that was logged; the goal is the leaf that the tree is over (489 bytes) and 150 more. */
export async function measureBytes({ entries, data }) {
  return await withLedger({ entries, data }, ({ file }) => {
    const database = new Database(file);
    database.pragma('wal_checkpoint(TRUNCATE)');
    const { n, payload } = database.prepare('SELECT count(*) AS n, sum(length(payload)) AS payload FROM envelope').get();
    database.close();
    const over = (statSync(file).size - payload) / n;
    const what = `bytes an entry in SQLite beside its payload (${round(payload / n)}), of ${n} entries`;
    return [{ id: 'ledger-bytes', what, ours: round(over), peer: null, limit: GOALS.bytes, ratio: round(over / GOALS.bytes), unit: 'B' }];
  });
}

if (process.argv[2] === 'signatures') {
  const { verifyP256 } = await ledgerParts();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  const bytes = new Uint8Array(500);
  const signature = new Uint8Array(sign('sha256', bytes, privateKey));
  const began = performance.now();
  for (let at = 0; at < SIGNATURES; at += 1) verifyP256(spki, bytes, signature);
  console.log((SIGNATURES * 1000) / (performance.now() - began));
}
