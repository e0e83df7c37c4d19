// Statements as a lane logs them in years, told one after another: the same for the same number of entries, but for their signatures.
//
// Of ten million: ten thousand releases and as many sites, a million test runs on five hundred kinds of machine, half a million receipts, and what others say
// of fifty thousand artifacts.
import { hash } from 'node:crypto';
import { template } from './template.mjs';

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

const digits = (text) => hash('sha256', text);
const digest = (text) => `sha256:${digits(text)}`;
const bare = (of) => of.slice('sha256:'.length);
const salt = (text) => digits(text).slice(0, 32);

export const names = {
  release: (at) => digest(`release ${at}`),
  component: (at) => digest(`component ${at}`),
  artifact: (at) => digest(`artifact ${at}`),
  site: (at) => `site-${at}`,
};

/** A second for each entry. */
const timeAt = (index) => `${new Date(AT + index * 1000).toISOString().slice(0, 19)}Z`;

/** Texts that stand for others in a template. */
const MARK = {
  digest: digits('mark 1'),
  other: digits('mark 2'),
  before: digits('mark 3'),
  salt: salt('mark'),
  time: '2001-02-03T04:05:06Z',
  number: '987654321',
};

/** Yields `{signer, payload}`. `hardware(kind)`: digest of the inventory of a kind of machine; `inventory(kind, serial)`: the inventory. */
export function* statements(parts, { entries, keys, hardware, inventory, report }) {
  const { releases, sites, artifacts, classes } = countsOf(entries);
  const chains = Array.from({ length: sites }, () => ({ seq: 0, prev: null, running: null }));
  const [run, receipt, other] = [runs(parts, report), receipts(parts, { keys, inventory }), others(parts)];
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
      for (let each = 0; each < RUNS; each += 1) {
        const kind = (at * RUNS + each) % classes;
        yield told('lab', run(bare(release), bare(hardware(kind)), timeAt(index), salt(`run ${at} ${each}`)));
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
        const payload = receipt(site, chain, { release, at: timeAt(index), kind: site % classes });
        chain.seq += 1;
        chain.prev = parts.sha256(payload);
        chain.running = release;
        yield told('site', payload);
      }
    }
    const more = Math.min(CYCLE - RUNS - RECEIPTS - 8, entries - index);
    for (let each = 0; each < more; each += 1) yield told('builder', other(bare(names.artifact(index % artifacts)), index));
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

function runs({ testResultStatement, testResultPredicate }, report) {
  const { digest: release, other: hardware, time, salt: random } = MARK;
  return template([release, hardware, time, random], (...[subject, machine, finishedAt, nonce]) =>
    testResultStatement(
      [{ digest: `sha256:${subject}` }],
      testResultPredicate({ ...report, hardware: `sha256:${machine}`, finishedAt, salt: nonce }),
    ),
  );
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

/** The first of a site has none before it. */
function receipts(parts, { keys, inventory }) {
  const [site, kind, serial] = ['site-of-the-mark', 'kind-of-the-mark', 'serial-of-the-mark'];
  const { digest: release, other: prev, before: previous, time, salt: random, number } = MARK;
  const hardware = inventory(kind, serial);
  const marks = [site, kind, serial, release, time, random, number];
  const of =
    (has) =>
    (...[, , , to, at, nonce, seq, back, from]) =>
      parts.receiptStatement({
        site,
        keyId: keys.site.id,
        seq: Number(seq),
        prev: has ? `sha256:${back}` : null,
        event: 'installed',
        release: `sha256:${to}`,
        waybill: null,
        previous: has ? `sha256:${from}` : null,
        reason: null,
        checks: [],
        at,
        hardware,
        checkpoint: null,
        salt: nonce,
      });
  const [first, next] = [template(marks, of(false)), template([...marks, prev, previous], of(true))];
  return (number, { seq, prev: back, running }, { release: to, at, kind: machine }) => {
    const texts = [names.site(number), machine, `S${number}`, bare(to), at, salt(`receipt ${number} ${seq}`), seq + 1];
    return back === null ? first(...texts) : next(...texts, bare(back), bare(running));
  };
}

function others({ encodeStatement }) {
  return template([MARK.digest, MARK.number], (subject, index) =>
    encodeStatement({
      subject: [{ name: 'artifact', digest: { sha256: subject } }],
      predicateType: 'https://example.com/scan/v1',
      predicate: { scanner: { uri: 'https://scanner.example', version: '1.4.2' }, findings: [], number: Number(index) },
    }),
  );
}
