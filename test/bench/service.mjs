// The service under load, on SQLite and on PostgreSQL: callers ask for decisions, each a question of its own; each asks again as soon as it has its answer, or
// questions come at the rate of the goal whether the ones before are answered or not.
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { encodeStatement, fromHex, INTOTO_PAYLOAD_TYPE, keyIdOf, pae, PREDICATE } from '../../dist/core.mjs';
import { buildImage, encodeReleaseManifest, openLayout, packedFile } from '../../dist/oci.mjs';
import { makeLane } from './lane.mjs';
import { find, ROOT, round } from './measure.mjs';

const AUDIENCE = 'https://sealane.example';
/** Distinct questions of each kind and load. */
const QUESTIONS = Number(process.env.SEALANE_BENCH_QUESTIONS ?? '600');
const RATE = 200;
/** Callers at once; none: questions come at the rate. A caller of 32 that is answered in 100 ms would ask for 320 a second: only the last is the goal's own load. */
const LOADS = [8, 16, 32, undefined];
/** Questions before the first that counts: modules are loaded, the log is read once, and what is hot is compiled, as in a service that has run for a minute. */
const WARM_UP = 600;
const PIPELINE = `apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
stages:
  - { name: dev, gates: [{ use: provenance }] }
  - { name: edge, from: [dev], gates: [{ use: provenance }, { use: tests }] }
signers: { release: [author], provenance: [builder], tests: [lab], hardware: [lab] }
registrar: registrar
`;
const PROVENANCE = {
  buildDefinition: {
    buildType: 'https://git.example/readings/build@v1',
    externalParameters: { source: 'https://git.example/readings', ref: 'refs/heads/main' },
    resolvedDependencies: [{ uri: 'git+https://git.example/readings', digest: { gitCommit: 'ab'.repeat(20) } }],
  },
  runDetails: { builder: { id: 'https://ci.example/builder' } },
};

export async function measureService() {
  const rows = await measureOn('SQLite', undefined);
  const initdb = find('initdb');
  if (initdb === undefined) {
    console.error('PostgreSQL is not on PATH: its figures are left out');
    return rows;
  }
  const postgres = await startPostgres();
  try {
    return [...rows, ...(await measureOn('PostgreSQL', postgres.json))];
  } finally {
    await postgres.stop();
  }
}

async function measureOn(name, database) {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const bench = await startBench(dir, database, WARM_UP + LOADS.length * QUESTIONS);
  try {
    const rows = [];
    for (const [what, request, exit] of [
      ['plans', (release) => ['GET', `/api/v1/releases/${release}/plan?to=dev`], '0'],
      ['refused decisions', (release) => ['POST', `/api/v1/releases/${release}/promotions`, { to: 'edge' }], '3'],
      ['passed decisions, published', (release) => ['POST', `/api/v1/releases/${release}/promotions`, { to: 'dev' }], '0'],
    ]) {
      await load(bench, bench.releases.slice(0, WARM_UP), request, exit);
      for (const [at, callers] of LOADS.entries()) {
        const from = WARM_UP + at * QUESTIONS;
        const releases = bench.releases.slice(from, from + QUESTIONS);
        const asked = callers === undefined ? offer(bench, releases, request, exit, RATE) : load(bench, releases, request, exit, callers);
        const { perSecond, p99, away = 0 } = await asked;
        const by = callers === undefined ? `offered ${RATE} a second` : `${callers} callers at once`;
        const words = `service on ${name}: ${what}, ${by}${away > 0 ? `, ${away} of them turned away` : ''} (limits: ${RATE} a second, p99 100 ms)`;
        console.error(`${words}: ${round(perSecond)} a second, p99 ${round(p99)} ms`);
        const id = `service-${name.toLowerCase()}-${what.split(' ')[0]}-${callers ?? 'offered'}`;
        rows.push({ id, what: words, ours: round(perSecond), peer: null, limit: RATE, ratio: round(RATE / perSecond), unit: '1/s' });
        rows.push({ id: `${id}-p99`, what: words, ours: round(p99), peer: null, limit: 100, ratio: round(p99 / 100), unit: 'ms' });
      }
    }
    return rows;
  } finally {
    await bench.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A lane with releases that are built and not promoted, its service, and a caller's token. */
export async function startBench(dir, database, count = QUESTIONS) {
  const lane = await makeLane(dir, { pipeline: PIPELINE, database });
  const releases = await makeReleases(lane, count);
  const service = await startService(dir, lane, ['dev', 'edge']);
  return { ...service, lane, releases, stop: async () => void (await Promise.all([service.stop(), lane.stop()])) };
}

/** The service of a lane, and tokens of a caller who may plan and promote into these stages. */
export async function startService(dir, lane, stages) {
  const claims = { sub: 'bench', repository: 'acme/readings' };
  const claimsFile = path.join(dir, 'claims.json');
  writeFileSync(claimsFile, JSON.stringify(claims));
  const issuer = await startNode([path.join(ROOT, 'test', 'support', 'issuer.mjs'), claimsFile]);
  const caller = {
    name: 'bench',
    token: { issuer: issuer.url, claims: { repository: 'acme/readings' } },
    rights: ['plan', 'promote', 'release.list'],
    stages,
  };
  const service = {
    apiVersion: 'sealane/v1',
    kind: 'Service',
    issuers: [{ issuer: issuer.url, audience: AUDIENCE, jwks: `${issuer.url}/jwks` }],
    callers: [caller],
    limits: { requestsPerMinute: 1_000_000 },
  };
  writeFileSync(path.join(lane.home, 'service.yaml'), JSON.stringify(service));
  const started = await startNode([
    ...(process.env.SEALANE_BENCH_NODE ?? '').split(' ').filter(Boolean),
    path.join(ROOT, 'bin', 'sealane.mjs'),
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--home',
    lane.home,
  ]);
  const newToken = async () => {
    const asked = await fetch(`${issuer.url}/runner/token?api-version=2.0&audience=${encodeURIComponent(AUDIENCE)}`, {
      headers: { authorization: 'Bearer runner' },
    });
    return (await asked.json()).value;
  };
  return {
    url: started.url,
    pid: started.pid,
    newToken,
    stop: async () => void (await Promise.all([started.stop(), issuer.stop()])),
  };
}

/** Asks one question after another, from so many callers at once; every answer must have the exit code. */
export async function load({ url, newToken }, releases, request, exit, callers = 32) {
  const times = [];
  let next = 0;
  const token = await newToken();
  const began = performance.now();
  const caller = async () => {
    for (let release = releases[next++]; release !== undefined; release = releases[next++]) {
      const { ms, found, text } = await ask(url, token, request(release));
      times.push(ms);
      if (found !== exit) throw new Error(`ask about ${release}: expected exit ${exit}, got ${found}\n${text}`);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return figures(times, began);
}

/** Asks at a rate, whatever is answered meanwhile. A service that cannot keep up turns some away: they are counted, and nothing else may go wrong. */
async function offer({ url, newToken }, releases, request, exit, rate) {
  const times = [];
  let away = 0;
  const token = await newToken();
  const began = performance.now();
  const asked = releases.map(async (release, at) => {
    await new Promise((resolve) => setTimeout(resolve, (at * 1000) / rate));
    const { ms, found, status, text } = await ask(url, token, request(release));
    if (status === 503) away += 1;
    else if (found !== exit) throw new Error(`ask about ${release}: expected exit ${exit}, got ${found}\n${text}`);
    else times.push(ms);
  });
  await Promise.all(asked);
  return { ...figures(times, began), away };
}

export async function ask(url, token, [method, where, body]) {
  const from = performance.now();
  const answer = await fetch(url + where, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { ms: performance.now() - from, found: answer.headers.get('sealane-exit'), status: answer.status, text };
}

function figures(times, began) {
  const seconds = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  return { perSecond: times.length / seconds, p99: times[Math.min(times.length - 1, Math.ceil(times.length * 0.99) - 1)] };
}

/** Releases of one small file each, logged with their provenance in two commands: the lane's own way would take an hour. */
async function makeReleases({ dir, home, sealane }, count) {
  const layout = await openLayout(path.join(home, 'lane', 'content'), { create: 'if-missing' });
  const [author, builder] = ['author', 'builder'].map((name) => keyOf(path.join(ROOT, 'keys-example', `${name}.pem`)));
  const platform = { os: 'linux', architecture: 'amd64' };
  const image = await buildImage(layout, { platform, layers: [[packedFile('srv/data', Buffer.from('data'))]], config: {} });
  const { mediaType, digest: part, size } = image;
  const [releases, statements] = [[], []];
  for (let n = 0; n < count; n += 1) {
    const components = [{ name: 'readings', kind: 'image', mediaType, digest: part, size }];
    const named = { name: 'readings', version: `1.0.${n}`, components };
    const { digest } = await layout.putBlob(encodeReleaseManifest(named), { maxBytes: 1_000_000 });
    releases.push(digest);
    statements.push(
      bundleOf(author, digest, PREDICATE.release, named),
      bundleOf(builder, digest, 'https://slsa.dev/provenance/v1', PROVENANCE),
    );
  }
  for (let at = 0; at < statements.length; at += 1000) {
    const file = path.join(dir, `statements-${at}.json`);
    writeFileSync(file, JSON.stringify(statements.slice(at, at + 1000)));
    sealane('statement', 'add', file);
  }
  return releases;
}

function keyOf(file) {
  const key = createPrivateKey(readFileSync(file));
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  return { key, hint: Buffer.from(fromHex(keyIdOf(spki))).toString('base64') };
}

function bundleOf({ key, hint }, release, predicateType, predicate) {
  const payload = encodeStatement({
    subject: [{ name: 'release', digest: { sha256: release.slice('sha256:'.length) } }],
    predicateType,
    predicate,
  });
  const sig = sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), key).toString('base64');
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope: { payload: Buffer.from(payload).toString('base64'), payloadType: INTOTO_PAYLOAD_TYPE, signatures: [{ sig, keyid: '' }] },
  };
}

/** A server of its own, with Debian's settings; where this is root, as the account that Debian made for it. */
export async function startPostgres() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-pg-'));
  const [data, socket] = [path.join(dir, 'data'), path.join(dir, 'socket')];
  mkdirSync(socket);
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const account = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
  if (account.uid !== undefined) for (const each of [dir, socket]) chownSync(each, account.uid, account.gid);
  const options = { ...account, cwd: dir, stdio: 'ignore' };
  execFileSync(find('initdb'), ['-D', data, '-U', 'sealane', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8'], options);
  const child = spawn(find('postgres'), ['-D', data, '-k', socket, '-c', 'listen_addresses='], options);
  const isReady = () => {
    try {
      execFileSync(find('pg_isready'), ['-q', '-h', socket]);
      return true;
    } catch {
      return false;
    }
  };
  while (!isReady()) await new Promise((resolve) => setTimeout(resolve, 50));
  const json = JSON.stringify({
    apiVersion: 'sealane/v1',
    kind: 'Database',
    postgres: { host: socket, database: 'postgres', user: 'sealane' },
  });
  return { json, stop: () => ended(child, 'SIGINT').then(() => rmSync(dir, { recursive: true, force: true })) };
}

/** Starts a script that says `{url}` first. */
export async function startNode(words) {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout }))
    return { ...JSON.parse(line), pid: child.pid, stop: () => ended(child, 'SIGTERM') };
  throw new Error(`start ${words.join(' ')}: expected a server`);
}

export async function ended(child, signal) {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}
