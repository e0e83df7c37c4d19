// Logs beside each other: the same kind of records is sent over HTTP by one caller and by 128 at once. Ours is the write door of Rekor v2 in `sealane serve`;
// beside it Rekor v2 itself (POSIX), and Tessera's own server, which checks no signature and answers before a checkpoint holds the entry.
//
// The peers are built by hand, as docs/performance.md says; one that is not on PATH is named and left out.
import { spawn } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keyIdOf } from '../../dist/core.mjs';
import { makeLane } from './lane.mjs';
import { find, percentile, ROOT, round } from './measure.mjs';
import { ended, startNode } from './service.mjs';

const CALLERS = 128;
/** Records that one caller sends, and all of them. */
const [ONE, MANY] = [20, 640];
/** The least that Rekor takes; its own setting is 10 s. */
const REKOR_CHECKPOINTS = '1s';
const READY_MS = 20_000;

const PEERS = [
  { name: 'Rekor v2', program: 'rekor-server-posix', start: startRekor },
  { name: 'Tessera', program: 'tessera-posix', start: startTessera },
];

export async function measureLogs() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const key = createPrivateKey(readFileSync(path.join(ROOT, 'keys-example', 'lab.pem')));
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const record = () => hashedRekord(key, spki);
  try {
    const ours = await measured(await startOurs(dir, spki), record);
    const rows = [];
    for (const { name, program, start } of PEERS) {
      const file = find(program);
      if (file === undefined) console.error(`${program} is not on PATH: its figures are left out`);
      rows.push(...rowsOf(name, ours, file === undefined ? undefined : await measured(await start(dir, file), record)));
    }
    return rows;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A hashedRekordRequestV002 over bytes of chance. */
function hashedRekord(key, spki) {
  const data = randomBytes(32);
  return JSON.stringify({
    hashedRekordRequestV002: {
      digest: createHash('sha256').update(data).digest('base64'),
      signature: {
        content: sign('sha256', data, key).toString('base64'),
        verifier: { publicKey: { rawBytes: spki.toString('base64') }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
      },
    },
  });
}

/** Rates, times of the middle and the slowest hundredth, and the server's processor time, by one caller and by all. */
async function measured({ url, pid, stop }, record) {
  try {
    await send(url, [record()], 1);
    const [alone, crowd] = [ONE, MANY].map((count) => Array.from({ length: count }, record));
    const one = await send(url, alone, 1);
    const before = processorMs(pid);
    const all = await send(url, crowd, CALLERS);
    return { one, all, cpuMs: (processorMs(pid) - before) / MANY };
  } finally {
    await stop();
  }
}

/** What a process has used of the processor, in the kernel's hundredths of a second. */
function processorMs(pid) {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

async function send(url, records, callers) {
  const waiting = [...records];
  const times = [];
  const began = performance.now();
  const caller = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      const from = performance.now();
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`log a record at ${url}: expected 200 or 201, got ${answer.status}\n${text}`);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const perSecond = times.length / ((performance.now() - began) / 1000);
  return { perSecond, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

function rowsOf(peer, ours, theirs) {
  const id = peer.split(' ')[0].toLowerCase();
  const row = (name, what, of, unit) => ({
    id: `logs-${id}-${name}`,
    what,
    ours: round(of(ours)),
    peer: theirs === undefined ? null : round(of(theirs)),
    limit: null,
    ratio: theirs === undefined ? null : round(unit === 'ms' ? of(ours) / of(theirs) : of(theirs) / of(ours)),
    unit,
  });
  return [
    row('1', `records by one caller, beside ${peer}`, ({ one }) => one.perSecond, '1/s'),
    row('1-p50', 'how long one takes', ({ one }) => one.p50, 'ms'),
    row('128', `records by ${CALLERS} callers at once, beside ${peer}`, ({ all }) => all.perSecond, '1/s'),
    row('128-cpu', 'processor time of the server for each of them', ({ cpuMs }) => cpuMs, 'ms'),
    row('128-p99', 'the slowest hundredth of them', ({ all }) => all.p99, 'ms'),
  ];
}

async function startOurs(dir, spki) {
  const lane = await makeLane(path.join(dir, 'lane'));
  lane.sealane('records', 'init', '--url', 'http://127.0.0.1:1');
  const signers = [{ name: 'lab', key: keyIdOf(new Uint8Array(spki)) }];
  const service = { apiVersion: 'sealane/v1', kind: 'Service', records: { signers }, limits: { requestsPerMinute: 1_000_000 } };
  writeFileSync(path.join(lane.home, 'service.yaml'), JSON.stringify(service));
  const { url, pid, stop } = await startNode([
    ...(process.env.SEALANE_BENCH_NODE ?? '').split(' ').filter(Boolean),
    path.join(ROOT, 'bin', 'sealane.mjs'),
    ...['serve', '--listen', '127.0.0.1:0', '--home', lane.home],
  ]);
  return { pid, url: `${url}/api/v2/log/entries`, stop: async () => void (await Promise.all([stop(), lane.stop()])) };
}

async function startRekor(dir, file) {
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const key = path.join(dir, 'rekor.pem');
  writeFileSync(key, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const words = [
    ...['serve', '--hostname', 'log.example', '--signer-filepath', key, '--storage-dir', path.join(dir, 'rekor')],
    ...['--http-port', `${http}`, '--grpc-port', `${grpc}`, '--http-metrics-port', `${metrics}`],
    ...['--checkpoint-interval', REKOR_CHECKPOINTS, '--log-level', 'error'],
  ];
  return await startPeer(file, words, `http://127.0.0.1:${http}`, '/api/v2/log/entries', '/healthz');
}

async function startTessera(dir, file) {
  const port = await freePort();
  const storage = path.join(dir, 'tessera');
  mkdirSync(storage);
  const env = { ...process.env, LOG_PRIVATE_KEY: noteKey('log.example') };
  return await startPeer(
    file,
    ['--storage_dir', storage, '--listen', `127.0.0.1:${port}`],
    `http://127.0.0.1:${port}`,
    '/add',
    '/checkpoint',
    env,
  );
}

/** A private key as golang.org/x/mod/sumdb/note writes it. */
function noteKey(name) {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const withType = (bytes) => Buffer.concat([Buffer.of(1), Buffer.from(bytes, 'base64url')]);
  const hash = createHash('sha256').update(`${name}\n`).update(withType(x)).digest('hex').slice(0, 8);
  return `PRIVATE+KEY+${name}+${hash}+${withType(d).toString('base64')}`;
}

async function startPeer(file, words, base, write, ready, env = process.env) {
  const child = spawn(file, words, { env, stdio: 'ignore' });
  const stop = () => ended(child, 'SIGKILL');
  for (let waited = 0; waited < READY_MS && child.exitCode === null; waited += 100) {
    const isUp = await fetch(base + ready).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { url: base + write, pid: child.pid, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`start ${file}: expected it to answer ${ready} within ${READY_MS / 1000} s`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
