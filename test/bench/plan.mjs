// The hardware gate of one plan over a large fleet: ten thousand sites of five hundred classes, each class tested on one unit.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { foundHardware, parseStatement, PREDICATE, sha256, utf8 } from '@sealane/core';
import { evaluateGates, readReport, testResultPredicate, testResultStatement } from '@sealane/trust';
import { median, ROOT, round } from './measure.mjs';

const RUNS = 7;
const SITES = 10_000;
const CLASSES = 500;
const LIMIT_MS = 300;
const AT = '2026-11-24T10:00:00Z';
const LAB = 'a'.repeat(64);
const RELEASE = sha256(utf8('release'));

export function measurePlan() {
  const covered = measure(CLASSES);
  // every tenth class was never tested: each is compared with what is nearest to it
  const uncovered = measure(CLASSES - CLASSES / 10);
  return [
    ['plan-fleet', `hardware gate, ${SITES} sites × ${CLASSES} classes, all covered`, covered],
    ['plan-fleet-uncovered', `the same, ${CLASSES / 10} of the classes never tested`, uncovered],
  ].map(([id, what, ours]) => ({ id, what, ours: round(ours), peer: null, limit: LIMIT_MS, ratio: round(ours / LIMIT_MS), unit: 'ms' }));
}

function measure(testedClasses) {
  const input = question(testedClasses);
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    const began = performance.now();
    const check = evaluateGates(input).find(({ id }) => id === 'hardware');
    times.push(performance.now() - began);
    const sites = (SITES / CLASSES) * testedClasses;
    if (!check.actual.startsWith(`${sites} of ${SITES} sites covered`)) throw new Error(`measure the gate: ${JSON.stringify(check)}`);
  }
  return median(times);
}

function question(testedClasses) {
  const text = readFileSync(path.join(ROOT, 'test', 'vectors', 'hbom', 'edge-server-a.cdx.json'), 'utf8');
  const inventory = (kind, serial) => text.replaceAll('2.14.1', `2.14.${kind}`).replaceAll('NR0001', serial);
  const blobs = new Map();
  const keep = (bytes) => blobs.set(sha256(bytes), bytes) && sha256(bytes);
  const report = utf8('<testsuites name="fleet"><testsuite name="unit"><testcase name="p"/></testsuite></testsuites>');
  keep(report);
  const statements = Array.from({ length: testedClasses }, (_, kind) => {
    const hardware = keep(utf8(inventory(kind, `LAB${kind}`)));
    const predicate = testResultPredicate({
      report,
      format: 'junit',
      parsed: readReport('junit', report),
      hardware,
      salt: kind.toString(16).padStart(32, '0'),
    });
    const payload = testResultStatement([{ digest: RELEASE }], predicate);
    const witnessed = { lowest: AT, highest: AT };
    return { digest: sha256(payload), keyId: LAB, logIndex: kind, statement: parseStatement(payload), checkpoint: null, witnessed };
  });
  if (statements[0].statement.predicateType !== PREDICATE.testResult) throw new Error('make a test result: got another statement');
  // as the ledger hands them out: one object for each kind of machine
  const kinds = Array.from({ length: CLASSES }, (_, kind) => foundHardware(JSON.parse(inventory(kind, 'S'))));
  const fleet = Array.from({ length: SITES }, (_, at) => ({
    site: `site-${at}`,
    hardware: kinds[at % CLASSES],
    reportedAt: AT,
  }));
  return {
    release: RELEASE,
    releaseDoc: { name: 'readings', version: '1.0.0', components: [] },
    stage: 'prod',
    policy: policy(),
    policyDigest: sha256(utf8('policy')),
    rollout: ['all'],
    statements,
    blob: (digest) => blobs.get(digest),
    fleet,
    time: { lowest: AT, highest: AT },
  };
}

function policy() {
  return {
    stage: 'prod',
    chain: [{ stage: 'prod', from: [], keys: [] }],
    keys: { [LAB]: { spki: 'AAAA', origin: 'lane.example', fromIndex: 0, untilIndex: null, reason: null } },
    people: [],
    signers: { release: [], provenance: [], tests: [], hardware: [LAB] },
    gates: [{ use: 'hardware', with: {} }],
    groups: [{ name: 'all', match: {} }],
    hardware: { require: [], equivalences: [] },
    accepts: [],
  };
}
