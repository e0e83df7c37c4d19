// Appends by one client and by 128 at once, each waiting for its entry to be durable and signed for, on SQLite and on PostgreSQL.
//
// Beside it the limit that the disk sets: a bare table of the same file system, one row of the same size a transaction, flushed each time.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { ledgerParts } from './ledger-build.mjs';
import { withLedger } from './ledger-make.mjs';
import { find, percentile, round } from './measure.mjs';
import { startPostgres } from './service.mjs';

const ORIGIN = 'lane.example';
const CLIENTS = 128;
/** Entries of a round by one client, and by all; rounds are taken in turn with the limit's. */
const ONE = 500;
const MANY = 6000;
const ROUNDS = 5;
const GOALS = { sqlite: 15_000, postgres: 5000, share: 0.35, p99: 50 };

/** On an empty ledger, and on one that is as long as `entries` says. */
export async function measureAppend({ entries, data }) {
  const parts = await ledgerParts();
  const rows = await onSqlite(parts, 'empty', mkdtempSync(path.join(tmpdir(), 'sealane-bench-')));
  const long = await withLedger({ entries, data }, async ({ home, file }) => {
    const log = createPrivateKey(await readPem(path.join(home, 'keys', 'log.pem')));
    return await onStore(parts, {
      name: `sqlite-${entries}`,
      words: `SQLite with ${entries} entries`,
      place: { file },
      log,
      goal: GOALS.sqlite / 2,
    });
  });
  return [...rows, ...long, ...(await onPostgres(parts))];
}

const readPem = async (file) => (await import('node:fs')).readFileSync(file, 'utf8');

async function onSqlite(parts, name, dir) {
  try {
    const place = { file: path.join(dir, 'ledger.sqlite') };
    const log = generateKeyPairSync('ed25519').privateKey;
    return await onStore(parts, { name: `sqlite-${name}`, words: 'SQLite, empty', place, log, goal: GOALS.sqlite, limit: flushesIn(dir) });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function onPostgres(parts) {
  if (find('initdb') === undefined) {
    console.error('PostgreSQL is not on PATH: its figures are left out');
    return [];
  }
  const server = await startPostgres();
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  try {
    const { postgres } = JSON.parse(server.json);
    const place = { file: path.join(dir, 'ledger.sqlite'), database: { port: 5432, ...postgres } };
    const log = generateKeyPairSync('ed25519').privateKey;
    return await onStore(parts, { name: 'postgres-empty', words: 'PostgreSQL, empty', place, log, goal: GOALS.postgres });
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function onStore(parts, { name, words, place, log, goal, limit }) {
  const logSigner = parts.ed25519NoteSigner(ORIGIN, log);
  const ledger = await parts.openLedger({ ...place, origin: ORIGIN, logSigner, now: () => '2027-01-01T00:00:00Z' });
  const client = clientOf(parts);
  const [one, many] = [startRounds(), startRounds()];
  const raw = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      if (limit !== undefined) raw.push(limit.round());
      await one.round(ledger, client(ONE), 1);
      await many.round(ledger, client(MANY), CLIENTS);
    }
  } finally {
    limit?.close();
    await ledger.close();
  }
  return rowsOf({ name, words, goal, one: one.result(), many: many.result(), raw });
}

function rowsOf({ name, words, goal, one, many, raw }) {
  const cpu = (result) => `${round(result.cpuUs)} µs of processor time each`;
  const rate = raw.length === 0 ? undefined : raw.toSorted((a, b) => a - b)[Math.floor(raw.length / 2)];
  const alone = rate === undefined ? '' : ', beside one row a transaction in a bare table';
  return [
    {
      id: `ledger-append-${name}-1`,
      what: `${words}: appends by one client${alone}; ${cpu(one)}`,
      ours: round(one.perSecond),
      peer: null,
      limit: rate === undefined ? null : round(rate),
      ratio: rate === undefined ? null : round(one.perSecond / rate / GOALS.share),
      unit: '1/s',
    },
    {
      id: `ledger-append-${name}-128`,
      what: `${words}: appends by ${CLIENTS} clients at once; ${cpu(many)}`,
      ours: round(many.perSecond),
      peer: null,
      limit: goal,
      ratio: round(many.perSecond / goal),
      unit: '1/s',
    },
    {
      id: `ledger-append-${name}-128-p99`,
      what: `${words}: the slowest hundredth of them`,
      ours: round(many.p99),
      peer: null,
      limit: GOALS.p99,
      ratio: round(GOALS.p99 / many.p99),
      unit: 'ms',
    },
  ];
}

/** Statements that nobody has logged yet, signed before the clock runs. */
function clientOf({ encodeStatement, INTOTO_PAYLOAD_TYPE, makeEnvelope, pae }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  let number = 0;
  const statement = () => {
    number += 1;
    const payload = encodeStatement({
      subject: [{ name: 'artifact', digest: { sha256: String(number % 1000).padStart(64, '0') } }],
      predicateType: 'https://example.com/scan/v1',
      predicate: { scanner: { uri: 'https://scanner.example', version: '1.4.2' }, findings: [], number, by: spki.length },
    });
    return {
      envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), privateKey))),
      spki,
    };
  };
  return (count) => Array.from({ length: count }, statement);
}

/** Rounds of appends: of each its rate and processor time, of all the time that each append took. */
function startRounds() {
  const [rates, cpus, times] = [[], [], []];
  const round = async (ledger, entries, clients) => {
    let next = 0;
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    const client = async () => {
      while (next < entries.length) {
        const entry = entries[next++];
        const from = performance.now();
        await ledger.append([entry]);
        times.push(performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    const { user, system } = process.cpuUsage(cpu);
    rates.push((entries.length * 1000) / (performance.now() - began));
    cpus.push((user + system) / entries.length);
  };
  const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
  return { round, result: () => ({ perSecond: middle(rates), cpuUs: middle(cpus), p99: percentile(times, 0.99) }) };
}

/** Transactions a second of one row in a bare table, flushed each time. */
function flushesIn(dir) {
  const database = new Database(path.join(dir, 'raw.sqlite'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO row(body) VALUES (?)');
  const body = Buffer.alloc(1000, 7);
  return {
    round: () => {
      const began = performance.now();
      for (let at = 0; at < ONE; at += 1) insert.run(body);
      return (ONE * 1000) / (performance.now() - began);
    },
    close: () => database.close(),
  };
}
