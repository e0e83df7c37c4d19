// Statements as a lane logs them in years, told one after another: the same for the same number of entries, but for their signatures.
//
// Of ten million: ten thousand releases and as many sites, a million test runs on five hundred kinds of machine, half a million receipts, and what others say
// of fifty thousand artifacts.
import { createHash } from 'node:crypto';

/** Entries for each release, and what of them is not what others say. */
const CYCLE = 1000;
const RUNS = 100;
const RECEIPTS = 50;
const CLASSES = 500;
const AT = Date.parse('2026-01-01T00:00:00Z');

/** How many releases, sites, runs and artifacts so many entries have. */
export function countsOf(entries) {
  const releases = Math.max(1, Math.floor(entries / CYCLE));
  return { releases, sites: releases, artifacts: releases * 5, classes: Math.min(CLASSES, releases * RUNS) };
}

const digits = (text) => createHash('sha256').update(text).digest('hex');
const digest = (text) => `sha256:${digits(text)}`;
const salt = (text) => digits(text).slice(0, 32);

export const names = {
  release: (at) => digest(`release ${at}`),
  component: (at) => digest(`component ${at}`),
  artifact: (at) => digest(`artifact ${at}`),
  site: (at) => `site-${at}`,
};

/** A second for each entry. */
const timeAt = (index) => `${new Date(AT + index * 1000).toISOString().slice(0, 19)}Z`;

/** Yields `{signer, payload}`. `hardware(kind)`: digest of the inventory of a kind of machine; `inventory(kind, serial)`: the inventory. */
export function* statements(parts, { entries, keys, hardware, inventory, report }) {
  const { releases, sites, artifacts, classes } = countsOf(entries);
  const chains = Array.from({ length: sites }, () => ({ seq: 0, prev: null, running: null }));
  let index = 0;
  const told = (signer, payload) => {
    index += 1;
    return { signer, payload };
  };
  for (let at = 0; at < sites; at += 1) yield told('registrar', recordOf(parts, at, keys));
  for (let at = 0; index < entries; at += 1) {
    const release = names.release(at % releases);
    // what is left of the last thousand is what others say
    if (at < releases && index + CYCLE - 1 <= entries) {
      yield told('author', releaseOf(parts, at, release));
      yield told('builder', provenanceOf(parts, at, release));
      for (let run = 0; run < RUNS; run += 1) {
        const kind = (at * RUNS + run) % classes;
        yield told('lab', runOf(parts, { at, run, release, hardware: hardware(kind), report, finishedAt: timeAt(index) }));
      }
      for (const person of ['alice', 'bob']) yield told(person, approvalOf(parts, person, release, timeAt(index)));
      for (const [stage, from] of [
        ['dev', null],
        ['edge-preprod', 'dev'],
        ['prod', 'edge-preprod'],
      ])
        yield told(stage, decisionOf(parts, { at, stage, from, release, time: timeAt(index) }));
      for (let each = 0; each < RECEIPTS; each += 1) {
        const site = (at * RECEIPTS + each) % sites;
        const chain = chains[site];
        const payload = receiptOf(parts, {
          site,
          chain,
          keys,
          release,
          at: timeAt(index),
          hardware: inventory(site % classes, `S${site}`),
        });
        chain.seq += 1;
        chain.prev = parts.sha256(payload);
        chain.running = release;
        yield told('site', payload);
      }
    }
    const others = Math.min(CYCLE - RUNS - RECEIPTS - 8, entries - index);
    for (let each = 0; each < others; each += 1) yield told('builder', otherOf(parts, index, names.artifact(index % artifacts)));
  }
}

function recordOf({ siteRecordStatement, base64 }, at, { site }) {
  const key = { id: site.id, spki: base64(site.spki) };
  return siteRecordStatement({
    site: names.site(at),
    key,
    stage: 'prod',
    labels: { region: `r${at % 40}` },
    nonce: salt(`site ${at}`),
    issuedAt: timeAt(0),
  });
}

function releaseOf({ releaseStatement }, at, release) {
  const component = {
    name: 'readings',
    kind: 'image',
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: names.component(at),
    size: 1000,
  };
  return releaseStatement(release, { name: 'readings', version: `1.${at}.0`, components: [component] });
}

function provenanceOf({ encodeStatement }, at, release) {
  return encodeStatement({
    subject: [{ name: 'readings', digest: { sha256: release.slice('sha256:'.length) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://git.example/readings/build@v1',
        externalParameters: { source: 'https://git.example/readings', ref: 'refs/heads/main' },
        resolvedDependencies: [{ uri: 'git+https://git.example/readings', digest: { gitCommit: digits(`commit ${at}`).slice(0, 40) } }],
      },
      runDetails: { builder: { id: 'https://ci.example/builder' } },
    },
  });
}

function runOf({ testResultStatement, testResultPredicate }, { at, run, release, hardware, report, finishedAt }) {
  const predicate = testResultPredicate({ ...report, hardware, finishedAt, salt: salt(`run ${at} ${run}`) });
  return testResultStatement([{ digest: release }], predicate);
}

function approvalOf({ approvalStatement, base64 }, person, release, issuedAt) {
  return approvalStatement({
    release,
    stage: 'prod',
    rollout: ['all'],
    policy: digest('policy'),
    seen: [],
    checkpoint: { origin: 'lane.example', size: 0, root: base64(new Uint8Array(32)) },
    verdict: 'approve',
    nonce: salt(`approval ${person} ${release}`),
    issuedAt,
    expiresAt: '2027-06-01T00:00:00Z',
  });
}

function decisionOf({ decisionStatement }, { at, stage, from, release, time }) {
  const check = { id: 'tests', verdict: 'pass', expected: 'passed', actual: 'passed', remedy: '', evidence: [] };
  return decisionStatement({
    origin: 'lane.example',
    stage,
    timeVerified: time,
    policy: digest('policy'),
    inputs: [],
    result: 'PASSED',
    promotion: {
      counter: at + 1,
      from,
      to: stage,
      rollout: ['all'],
      approvals: [],
      checks: [check],
      release,
      salt: salt(`${stage} ${at}`),
    },
  });
}

function receiptOf({ receiptStatement }, { site, chain, keys, release, at, hardware }) {
  return receiptStatement({
    site: names.site(site),
    keyId: keys.site.id,
    seq: chain.seq + 1,
    prev: chain.prev,
    event: 'installed',
    release,
    waybill: null,
    previous: chain.running,
    reason: null,
    checks: [],
    at,
    hardware,
    checkpoint: null,
    salt: salt(`receipt ${site} ${chain.seq}`),
  });
}

function otherOf({ encodeStatement }, index, artifact) {
  return encodeStatement({
    subject: [{ name: 'artifact', digest: { sha256: artifact.slice('sha256:'.length) } }],
    predicateType: 'https://example.com/scan/v1',
    predicate: { scanner: { uri: 'https://scanner.example', version: '1.4.2' }, findings: [], number: index },
  });
}
