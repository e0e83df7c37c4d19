// A plan on a home with ten thousand sites that reported, and tests on five hundred kinds of machine: as the command, a whole process; and asked of the service.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { base64, digestHex, INTOTO_PAYLOAD_TYPE, keyIdOf, makeEnvelope, pae, sha256, utf8 } from '@sealane/core';
import { ed25519NoteSigner, openLedger } from '@sealane/ledger';
import { readReport, receiptStatement, siteRecordStatement, testResultPredicate, testResultStatement } from '@sealane/trust';
import { makeLane, prepare, release } from './lane.mjs';
import { median, ROOT, round, timed } from './measure.mjs';
import { ask, startService } from './service.mjs';

const RUNS = 5;
const SITES = 10_000;
const CLASSES = 500;
const LIMIT_MS = 300;
const AT = '2026-11-24T10:00:00Z';
/** Entries of one commit. */
const BATCH = 2000;

export async function measurePlanCommand() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const lane = await makeLane(dir);
  try {
    const { id } = await release(lane, '1.0.0', Buffer.from('data'));
    await logFleet(lane, id);
    prepare(lane, id);
    const words = ['plan', id, '--to', 'prod', '--home', lane.home, '--json'];
    const [plans, bare] = [[], []];
    for (let run = 0; run < RUNS; run += 1) {
      const { ms, stdout } = timed(process.execPath, [path.join(ROOT, 'bin', 'sealane.mjs'), ...words]);
      expectCovered(JSON.parse(stdout));
      plans.push(ms);
      bare.push(timed(process.execPath, ['-e', '0']).ms);
    }
    const ours = median(plans);
    const what = `\`plan\` over ${SITES} sites × ${CLASSES} classes: the whole process (\`node -e 0\` takes ${round(median(bare))} ms of it)`;
    const row = { peer: null, limit: LIMIT_MS, unit: 'ms' };
    return [
      { ...row, id: 'plan-command', what, ours: round(ours), ratio: round(ours / LIMIT_MS) },
      ...(await askService(dir, lane, id)).map((each) => ({ ...row, ...each })),
    ];
  } finally {
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The same of a service that has just been started, which verifies all of it, and of one that has verified it. */
async function askService(dir, lane, id) {
  const service = await startService(dir, lane, ['prod']);
  try {
    const token = await service.newToken();
    const times = [];
    for (let asked = 0; asked <= RUNS; asked += 1) {
      const { ms, text } = await ask(service.url, token, ['GET', `/api/v1/releases/${id}/plan?to=prod`]);
      expectCovered(JSON.parse(text));
      times.push(ms);
    }
    const [first, ...again] = times;
    const rowOf = (which, when, ms) => ({
      id: `plan-service-${which}`,
      what: `the same asked of the service, ${when} time`,
      ours: round(ms),
      ratio: round(ms / LIMIT_MS),
    });
    return [rowOf('first', 'the first', first), rowOf('later', 'every later', median(again))];
  } finally {
    await service.stop();
  }
}

function expectCovered({ decision, checks }) {
  const { actual } = checks.find(({ id }) => id === 'hardware') ?? {};
  if (decision === 'passed' && actual?.startsWith(`${SITES} of ${SITES} sites covered`)) return;
  throw new Error(`plan: ${JSON.stringify(checks)}`);
}

/** Records, receipts and test results, as sites, registrar and lab would have sent them. */
async function logFleet({ home }, id) {
  const [registrar, lab] = ['registrar', 'lab'].map((name) => keyOf(readFileSync(path.join(ROOT, 'keys-example', `${name}.pem`))));
  const site = keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const logKey = createPrivateKey(readFileSync(path.join(home, 'keys', 'log.pem')));
  const origin = 'lane.example';
  const ledger = await openLedger({
    file: path.join(home, 'ledger', 'ledger.sqlite'),
    origin,
    logSigner: ed25519NoteSigner(origin, logKey),
    now: () => AT,
  });
  const entries = [];
  for (let kind = 0; kind < CLASSES; kind += 1) entries.push(lab.sign(testOn(home, id, kind)));
  for (let at = 0; at < SITES; at += 1) entries.push(registrar.sign(recordOf(at, site)), site.sign(receiptOf(at, site, id)));
  for (let begin = 0; begin < entries.length; begin += BATCH) await ledger.append(entries.slice(begin, begin + BATCH));
  await ledger.close();
}

function keyOf(pem) {
  const key = createPrivateKey(pem);
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  const signed = (payload) => ({
    envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, new Uint8Array(sign('sha256', pae(INTOTO_PAYLOAD_TYPE, payload), key))),
    spki,
  });
  return { spki, id: keyIdOf(spki), sign: signed };
}

const TEMPLATE = JSON.stringify(
  withArch(JSON.parse(readFileSync(path.join(ROOT, 'test', 'vectors', 'hbom', 'edge-server-a.cdx.json'), 'utf8'))),
);
const inventory = (kind, serial) => TEMPLATE.replaceAll('2.14.1', `2.14.${kind}`).replaceAll('NR0001', serial);

/** The pipeline of the quickstart asks for it. */
function withArch(hbom) {
  hbom.metadata.component.properties.push({ name: 'sealane:arch', value: 'x86_64' });
  return hbom;
}

const salt = (at) => createHash('md5').update(`salt ${at}`).digest('hex');

function testOn(home, id, kind) {
  const report = utf8(`<testsuite name="readings">${[1, 2, 3, 4, 5].map((number) => `<testcase name="${number}"/>`).join('')}</testsuite>`);
  const [hardware] = [utf8(inventory(kind, `LAB${kind}`)), report].map((bytes) => keep(home, bytes));
  const parsed = readReport('junit', report);
  return testResultStatement([{ digest: id }], testResultPredicate({ report, format: 'junit', parsed, hardware, salt: salt(kind) }));
}

function keep(home, bytes) {
  const digest = sha256(bytes);
  const folder = path.join(home, 'lane', 'content', 'blobs', 'sha256');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, digestHex(digest)), bytes);
  return digest;
}

function recordOf(at, site) {
  const key = { id: site.id, spki: base64(site.spki) };
  return siteRecordStatement({ site: `site-${at}`, key, stage: 'prod', labels: { region: `r${at % 40}` }, nonce: salt(at), issuedAt: AT });
}

function receiptOf(at, site, release) {
  return receiptStatement({
    site: `site-${at}`,
    keyId: site.id,
    seq: 0,
    prev: null,
    event: 'installed',
    release,
    waybill: null,
    previous: null,
    reason: null,
    checks: [],
    at: AT,
    hardware: JSON.parse(inventory(at % CLASSES, `S${at}`)),
    checkpoint: null,
    salt: salt(at),
  });
}
