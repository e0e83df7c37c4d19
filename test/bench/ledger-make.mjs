// Makes a lane whose ledger has so many entries, each really signed: `node test/bench/ledger-make.mjs --entries N --data DIR` (ten million: a quarter of an hour of processor time, and 13 GB).
//
// The rows of each commit of 2,000 entries are as appending them would have made them (a test compares the two), but nothing is flushed before the end, and no
// signature is checked: whoever measures `verify` does that.
import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { makeLane } from './lane.mjs';
import { ledgerParts } from './ledger-build.mjs';
import { countsOf, statements } from './ledger-statements.mjs';
import { ROOT } from './measure.mjs';
import { pack, unpack } from './packed.mjs';

const ORIGIN = 'lane.example';
const BATCH = 2000;
/** Batches between two cosigned checkpoints, and batches that are being signed. */
const SEAL_EVERY = 5;
const AHEAD = 4;
const WORKERS = 2;
const SIGNERS = ['author', 'builder', 'lab', 'alice', 'bob', 'registrar', 'dev', 'edge-preprod', 'prod'];
const REPORT = `<testsuite name="readings">${[1, 2, 3, 4, 5].map((number) => `<testcase name="${number}"/>`).join('')}</testsuite>`;

/** The lane of so many entries in `dir`; what is there already is taken as it is. */
export async function ledgerOf({ entries, dir }) {
  const done = path.join(dir, 'entries.json');
  if (!existsSync(done)) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    await make({ entries, dir });
    writeFileSync(done, JSON.stringify({ entries }));
  }
  const there = JSON.parse(readFileSync(done, 'utf8')).entries;
  if (there !== entries) throw new Error(`read ${dir}: expected a ledger of ${entries} entries, got one of ${there}`);
  const home = path.join(dir, 'home');
  return { dir, home, entries, file: path.join(home, 'ledger', 'ledger.sqlite'), origin: ORIGIN };
}

/** Runs `work` on such a lane, kept in `data` where that is given. */
export async function withLedger({ entries, data }, work) {
  const dir = data ?? mkdtempSync(path.join(tmpdir(), 'sealane-bench-ledger-'));
  try {
    return await work(await ledgerOf({ entries, dir }));
  } finally {
    if (data === undefined) rmSync(dir, { recursive: true, force: true });
  }
}

async function make({ entries, dir }) {
  const parts = await ledgerParts();
  const lane = await makeLane(dir);
  await lane.stop();
  const pems = pemsOf();
  const ledger = await openFor(parts, lane.home);
  const pool = signers(pems);
  const content = inventories(parts, lane.home, countsOf(entries).classes);
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const source = batches(statements(parts, { entries, keys: { site: publicOf(parts, pems.site) }, ...content }));
  const waiting = [];
  let written = 0;
  for (let at = 0; ; at += 1) {
    while (waiting.length < AHEAD) {
      const { value: batch, done } = source.next();
      if (done) break;
      waiting.push(pool.sign(batch).then((signed) => ({ batch, signed })));
    }
    const next = await waiting.shift();
    if (next === undefined) break;
    written += next.batch.length;
    await ledger.commit(prepared(parts, pems, next), written);
    if (at % SEAL_EVERY === SEAL_EVERY - 1 || written === entries) await ledger.seal(written);
    if (written % 100_000 < BATCH) tell(`${written} entries`);
  }
  pool.stop();
  await ledger.finish();
  tell('done');

  function tell(what) {
    const { user, system } = process.cpuUsage(cpu);
    const [seconds, each] = [(performance.now() - began) / 1000, (user + system) / written];
    console.error(`${what}, ${Math.round(written / seconds)} a second, ${each.toFixed(1)} µs of processor time each`);
  }
}

function pemsOf() {
  const read = (name) => [name, readFileSync(path.join(ROOT, 'keys-example', `${name}.pem`), 'utf8')];
  return { ...Object.fromEntries(SIGNERS.map(read)), site: siteKey().export({ type: 'pkcs8', format: 'pem' }) };
}

/** The key of all sites: the same in each run, since what they say names it. */
function siteKey() {
  const exchange = createECDH('prime256v1');
  exchange.setPrivateKey(createHash('sha256').update('the sites of a measured ledger').digest());
  const point = exchange.getPublicKey();
  const [d, x, y] = [exchange.getPrivateKey(), point.subarray(1, 33), point.subarray(33)].map((each) => each.toString('base64url'));
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' });
}

function publicOf({ keyIdOf }, pem) {
  const spki = new Uint8Array(createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' }));
  return { spki, id: keyIdOf(spki) };
}

/** The ledger of a home: batches of prepared entries go in, and now and then its witness cosigns. */
async function openFor(parts, home) {
  const { cosign, ed25519NoteSigner, openBulk, openLedger, parseCheckpoint } = parts;
  const file = path.join(home, 'ledger', 'ledger.sqlite');
  const signer = ed25519NoteSigner(ORIGIN, createPrivateKey(readFileSync(path.join(home, 'keys', 'log.pem'))));
  const witness = { name: 'witness.example', privateKey: createPrivateKey(readFileSync(path.join(ROOT, 'keys-example', 'witness.pem'))) };
  const timeAt = (size) => `${new Date(Date.parse('2026-01-01T00:00:00Z') + size * 1000).toISOString().slice(0, 19)}Z`;
  const open = () => openLedger({ file, origin: ORIGIN, logSigner: signer, now: () => timeAt(0) });
  const empty = await open();
  const size = await empty.size();
  await empty.close();
  if (size !== 0) throw new Error(`fill ${file}: expected an empty ledger, got ${size} entries`);
  const bulk = openBulk(file, { origin: ORIGIN, signer });
  return {
    commit: (batch, at) => bulk.commit(batch, timeAt(at)),
    seal: (at) => bulk.seal((note) => note + cosign(witness, parseCheckpoint(note).text, Date.parse(timeAt(at)) / 1000), timeAt(at)),
    finish: async () => {
      await bulk.finish();
      // whoever opens it for writing notes in the anchor how far it is
      await (await open()).close();
    },
  };
}

/** Inventories of the kinds of machine, and one report, in the lane's content. */
function inventories({ readReport, sha256, digestHex, utf8 }, home, classes) {
  const folder = path.join(home, 'lane', 'content', 'blobs', 'sha256');
  mkdirSync(folder, { recursive: true });
  const template = JSON.parse(readFileSync(path.join(ROOT, 'test', 'vectors', 'hbom', 'edge-server-a.cdx.json'), 'utf8'));
  template.metadata.component.properties.push({ name: 'sealane:arch', value: 'x86_64' });
  const text = JSON.stringify(template);
  const inventory = (kind, serial) => text.replaceAll('2.14.1', `2.14.${kind}`).replaceAll('NR0001', serial);
  const keep = (bytes) => {
    const digest = sha256(bytes);
    writeFileSync(path.join(folder, digestHex(digest)), bytes);
    return digest;
  };
  const digests = Array.from({ length: classes }, (_, kind) => keep(utf8(inventory(kind, `LAB${kind}`))));
  const bytes = utf8(REPORT);
  keep(bytes);
  return {
    hardware: (kind) => digests[kind],
    inventory: (kind, serial) => JSON.parse(inventory(kind, serial)),
    report: { report: bytes, format: 'junit', parsed: readReport('junit', bytes) },
  };
}

function* batches(source) {
  let batch = [];
  for (const one of source) {
    batch.push(one);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Threads that sign, each batch by the next of them. */
function signers(keys) {
  const waiting = new Map();
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL('ledger-sign-worker.mjs', import.meta.url), { workerData: { keys } }),
  );
  for (const worker of workers)
    worker.on('message', ({ id, ...signed }) => {
      waiting.get(id)(signed);
      waiting.delete(id);
    });
  let next = 0;
  return {
    sign: (batch) =>
      new Promise((resolve) => {
        next += 1;
        waiting.set(next, resolve);
        const payloads = pack(batch.map(({ payload }) => payload));
        const message = { id: next, signers: batch.map(({ signer }) => signer), payloads };
        workers[next % WORKERS].postMessage(message, [payloads.bytes.buffer]);
      }),
    stop: () => {
      for (const worker of workers) void worker.terminate();
    },
  };
}

const publics = new Map();

/** What the ledger would have made of each envelope. */
function prepared(parts, pems, { batch, signed }) {
  const [leaves, hashes] = [unpack(signed.leaves), unpack(signed.hashes)];
  return batch.map(({ signer, payload }, at) => {
    if (!publics.has(signer)) publics.set(signer, publicOf(parts, pems[signer]));
    const { spki, id: keyId } = publics.get(signer);
    const statement = JSON.parse(Buffer.from(payload).toString());
    const [leaf, leafHash, statementDigest] = [leaves[at], hashes[at], signed.digests[at]];
    const packedLeaf = parts.packLeaf(leaf, parts.parseLogLeaf(leaf));
    return { spki, keyId, payload, statement, statementDigest, leaf, packedLeaf, leafHash, projected: parts.projectionOf(statement) };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { entries: { type: 'string', default: '200000' }, data: { type: 'string' } } });
  if (values.data === undefined) throw new Error('make a ledger: expected --data DIR');
  await ledgerOf({ entries: Number(values.entries), dir: values.data });
}
