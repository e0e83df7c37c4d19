// The main job, told step by step: a release goes from CI through three stages to a site that checks everything by itself.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease, RELEASES, testRelease, writeProvenance } from './build-releases.mjs';
import { done, heading, note, refused, working } from './narrate.mjs';
import { runCommand, runProcess, startServer } from './run-command.mjs';
import { editOneRow, flipOneByte } from './tamper.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '..', '..');
const stages = ['dev', 'edge-preprod', 'prod'];

/** Walks the whole lane, keeping everything in `dir`; returns the exit code. Servers and workloads are stopped at its end, also on failure. */
export async function walk(dir) {
  const startedMs = performance.now();
  const stops = [];
  try {
    await rm(dir, { recursive: true, force: true });
    const place = places(dir);
    const lane = await makeLane(place, stops);
    const releases = await buildReleases(place);
    await promoteFirst(place, releases[0]);
    const site = await enrolSite(place, lane, stops);
    await installFirstTwo(place, site, releases);
    await rollBackThird(place, site, releases);
    await carryFourth(place, site, lane, releases);
    await answerAuditor(place, lane, site, releases[3]);
    farewell(dir, place, releases[3], (performance.now() - startedMs) / 1000);
    return 0;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function places(dir) {
  return {
    dir,
    home: path.join(dir, 'home'),
    witness: path.join(dir, 'witness'),
    site: path.join(dir, 'site'),
    config: path.join(dir, 'site', 'site.yaml'),
    state: path.join(dir, 'site', 'state'),
    build: path.join(dir, 'build'),
  };
}

const sealane = (place, words, options) => runCommand('sealane', [...words, '--home', place.home], options);
const sealaneSite = (place, words, options) =>
  runCommand('sealane-site', [...words, '--config', place.config, '--state', place.state], options);

async function makeLane(place, stops) {
  heading(1, 'A lane: keys, three stages, a policy, a witness');
  await mkdir(place.witness, { recursive: true });
  const made = await runCommand('sealane', ['init', place.home, '--pipeline', path.join(here, 'pipeline.yaml'), '--example-keys']);
  done(`a lane for ${made.origin} in ${place.home}: owners sign 2 of 3, each stage has a key of its own`);
  note('the keys are the example keys that everybody has: never use them for a real lane');
  await cp(path.join(root, 'keys-example', 'witness.pem'), path.join(place.witness, 'witness.pem'));
  const witness = await startServer('sealane', [
    'witness',
    'serve',
    '--state',
    place.witness,
    '--log',
    made.log.vkey,
    '--listen',
    '127.0.0.1:0',
  ]);
  stops.push(witness.stop);
  const pipeline = path.join(place.home, 'pipeline.yaml');
  await writeFile(pipeline, (await readFile(pipeline, 'utf8')).replace('http://127.0.0.1:8791', witness.url));
  done(`a witness at ${witness.url}, a process with its own key: nothing counts before it has cosigned the log`);
  const server = await startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', place.home]);
  stops.push(server.stop);
  done(`the lane as static files at ${server.url}`);
  return { ...made, server };
}

async function buildReleases(place) {
  heading(2, 'Four releases of a small HTTP service, as OCI images');
  const commit = await commitHere();
  const hardware = path.join(place.dir, 'lab-hardware.cdx.json');
  const releases = [];
  for (const release of RELEASES) {
    const folder = path.join(place.build, release.version);
    const image = await buildRelease(release, path.join(folder, 'image'));
    const provenance = path.join(folder, 'provenance.json');
    await writeProvenance(release, commit, provenance);
    releases.push({ ...release, ...image, folder, provenance, hardware });
    done(`readings ${release.version}  ${image.digest.slice(0, 19)}…`);
  }
  note('building again gives the same digests; 1.2.0 will fail at its first real request, which no test of its own notices');
  return releases;
}

/** The commit of this checkout; zeros where there is none, or no git: the quickstart needs Node and npm alone. */
async function commitHere() {
  const commit = await runProcess('git', ['rev-parse', 'HEAD'], { cwd: root }).then(
    ({ stdout }) => stdout.trim(),
    (error) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    },
  );
  return /^[0-9a-f]{40}$/.test(commit) ? commit : '0'.repeat(40);
}

/** Creates a release and takes in its provenance; returns its digest. */
async function createRelease(place, release) {
  const words = [
    'release',
    'create',
    '--name',
    'readings',
    '--version',
    release.version,
    '--image',
    `app=${release.reference}`,
    '--key',
    'author',
  ];
  const made = await sealane(place, words);
  await sealane(place, ['evidence', 'add', made.release, '--provenance', release.provenance, '--key', 'builder']);
  return made.release;
}

async function promoteFirst(place, release) {
  heading(3, 'Evidence: the service’s own tests, on hardware that is written down');
  const junit = await testRelease(path.join(release.folder, 'image'), release.digest, path.join(release.folder, 'test'));
  const inventory = await runCommand('sealane-site', ['inventory', '--out', release.hardware]);
  release.id = await createRelease(place, release);
  await sealane(place, ['evidence', 'add', release.id, '--tests', junit, '--key', 'lab']);
  done('the tests ran against the bytes of 1.0.0; provenance and report are signed and in the log');
  note(
    `this machine: ${describeHardware(inventory)}; what it does not tell is left out, and the quickstart’s policy asks for arch and cpu only`,
  );

  heading(4, 'Promotion: dev → edge-preprod → prod, and two refusals on the way');
  await sealane(place, ['promote', release.id, '--to', 'dev']);
  done('1.0.0 is in dev');
  const noHardware = await sealane(place, ['promote', release.id, '--to', 'edge-preprod'], { exit: 3 });
  showRefusal('edge-preprod says no (exit 3)', 'hardware', noHardware.checks);
  await sealane(place, ['evidence', 'add', release.id, '--tests', junit, '--hardware', release.hardware, '--key', 'lab']);
  await sealane(place, ['promote', release.id, '--to', 'edge-preprod']);
  done('with the hardware named in the evidence, 1.0.0 is in edge-preprod');
  const noApproval = await sealane(place, ['promote', release.id, '--to', 'prod'], { exit: 5 });
  showRefusal('prod waits (exit 5)', 'approvals', noApproval.checks);
  await approveAndPromote(place, release.id);
  done('alice and bob have signed what they saw: 1.0.0 is in prod');
}

function describeHardware(inventory) {
  const facts = [inventory.facts?.arch, inventory.facts?.cpu, inventory.facts?.vendor, inventory.facts?.model];
  return facts.filter((fact) => fact !== undefined).join(', ') || 'unknown';
}

function showRefusal(text, wanted, checks) {
  const open = checks.filter(({ verdict }) => verdict !== 'pass');
  const check = open.find(({ id }) => id === wanted) ?? open[0];
  refused(`${text}: ${check.id}: expected ${check.expected}; got ${check.actual}`);
  note(`what to do: ${check.remedy}`);
}

async function approveAndPromote(place, id) {
  for (const person of ['alice', 'bob']) await sealane(place, ['approve', id, '--to', 'prod', '--key', person]);
  await waitForSoak(place, id);
  await sealane(place, ['promote', id, '--to', 'prod']);
}

/** Prod asks for a soak of one second since edge-preprod; `plan` says when it is over. */
async function waitForSoak(place, id) {
  const words = ['plan', id, '--to', 'prod', '--home', place.home, '--json'];
  const { code, stdout } = await runProcess(process.execPath, [path.join(root, 'bin', 'sealane.mjs'), ...words]);
  if (code !== 5) return;
  const waitMs = Date.parse(JSON.parse(stdout).earliest) - Date.now();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)));
}

/** The same way for a later release, without stops. */
async function promoteThrough(place, release) {
  const junit = await testRelease(path.join(release.folder, 'image'), release.digest, path.join(release.folder, 'test'));
  release.id = await createRelease(place, release);
  await sealane(place, ['evidence', 'add', release.id, '--tests', junit, '--hardware', release.hardware, '--key', 'lab']);
  for (const stage of stages.slice(0, 2)) await sealane(place, ['promote', release.id, '--to', stage]);
  await approveAndPromote(place, release.id);
}

async function enrolSite(place, lane, stops) {
  heading(5, 'A site: enrolled, it mirrors, verifies offline, installs');
  const port = await freePort();
  await mkdir(place.site, { recursive: true });
  await writeFile(place.config, siteConfig(lane.server.url, port));
  const request = path.join(place.site, 'request.json');
  const record = path.join(place.site, 'record.json');
  await sealaneSite(place, ['enroll', '--name', 'harbour-7', '--out', request]);
  const words = ['site', 'add', request, '--stage', 'prod', '--label', 'region=north', '--key', 'registrar', '--out', record];
  await sealane(place, words);
  await sealaneSite(place, ['enroll', '--record', record, '--root', path.join(place.home, 'lane', 'trust', 'metadata', '1.root.json')]);
  done('harbour-7 made its own key; the registrar signed a record for it; it trusts one root, given by hand');
  stops.push(() => stopWorkload(place));
  return { port, url: `http://127.0.0.1:${port}` };
}

function siteConfig(laneUrl, port) {
  return `# The site of the quickstart. Commands come from here, never from a release.
apiVersion: sealane/v1
kind: Site
name: harbour-7
stage: prod
allowExampleKeys: true
upstreams: ['${laneUrl}']
receiptsTo: '${laneUrl}'
driver:
  use: files
  start: ['${process.execPath}', app/srv/main.mjs]
  env: { PORT: '${port}' }
  health:
    - http: http://127.0.0.1:${port}/healthz
  healthIntervalMs: 200
  startSeconds: 4
  probationSeconds: 1
`;
}

async function installFirstTwo(place, site, releases) {
  const first = await working('the site updates to 1.0.0', () => sealaneSite(place, ['update']));
  done(`1.0.0 is ${first.outcome}: ${first.checks.length} checks passed offline; ${await whatAnswers(site)} answers at ${site.url}`);
  await working('1.1.0 goes the same way, from its tests to the site', async () => {
    await promoteThrough(place, releases[1]);
    await sealaneSite(place, ['update']);
  });
  done(`1.1.0 arrived the same way; ${await whatAnswers(site)} answers`);
}

async function rollBackThird(place, site, releases) {
  heading(6, 'A release that passed every test, and fails here');
  const failed = await working('1.2.0 is promoted and installed', async () => {
    await promoteThrough(place, releases[2]);
    return await sealaneSite(place, ['update'], { exit: 7 });
  });
  refused(`1.2.0 started and failed its health: ${failed.outcome} (${failed.reason})`);
  done(`rolled back by itself: ${await whatAnswers(site)} answers again`);
  const again = await sealaneSite(place, ['update']);
  done(`asked again, the site says ${again.outcome} (${again.reason}): 1.2.0 is not tried twice; a receipt says why`);
}

async function carryFourth(place, site, lane, releases) {
  heading(7, 'The WAN is cut: the next release comes on a medium');
  await working('1.2.1 is promoted', () => promoteThrough(place, releases[3]));
  const stick = path.join(place.dir, 'medium');
  const exported = await sealane(place, ['media', 'export', '--stage', 'prod', '--out', stick]);
  done(`1.2.1 is in prod and exported to a medium: ${exported.files} files, ${Math.ceil(exported.bytes / 1024)} KiB`);
  await lane.server.stop();
  const cut = await sealaneSite(place, ['update'], { exit: 6 });
  refused(`the upstream is gone: ${cut.outcome} (${cut.reason}); what runs goes on: ${await whatAnswers(site)} answers`);
  const forged = path.join(place.dir, 'medium-flipped');
  await cp(stick, forged, { recursive: true });
  const flipped = await flipOneByte(forged, releases[3].digest);
  const refusal = await sealaneSite(place, ['media', 'import', forged], { exit: 4 });
  refused(`a copy of the medium with one byte flipped in ${flipped}: ${refusal.error.code}`);
  note(refusal.error.message);
  await sealaneSite(place, ['media', 'import', stick]);
  const updated = await sealaneSite(place, ['update']);
  done(`the true medium: ${updated.outcome}; ${await whatAnswers(site)} answers`);
}

async function answerAuditor(place, lane, site, release) {
  heading(8, 'The auditor asks');
  const receipts = path.join(place.dir, 'receipts');
  await sealaneSite(place, ['receipt', 'export', receipts]);
  const { readdir } = await import('node:fs/promises');
  const files = (await readdir(receipts)).sort().map((name) => path.join(receipts, name));
  await sealane(place, ['statement', 'add', ...files]);
  const at = await sealane(place, ['audit', 'at', 'harbour-7']);
  done(`what runs at harbour-7? readings ${at.answer.version}, since ${at.answer.since}`);
  const trace = await sealane(place, ['audit', 'trace', release.id]);
  for (const line of describeTrace(trace.answer)) done(line);
  done(`${trace.statements.length} statements, each with an inclusion proof verified under a cosigned checkpoint`);
  const copy = path.join(place.dir, 'ledger-edited');
  await cp(place.home, copy, { recursive: true });
  const row = await editOneRow(path.join(copy, 'ledger', 'ledger.sqlite'));
  const verdict = await runCommand('sealane', ['audit', 'verify', '--home', copy], { exit: 4 });
  const problem = verdict.answer.problems[0];
  refused(`in a copy of the ledger ${row} was edited: audit verify names ${problem.where} ${problem.key}`);
  await sealane(place, ['audit', 'verify']);
  done('the ledger itself verifies');
}

function describeTrace(answer) {
  return [
    `tested on: ${answer.testedOn.map((hardware) => hardware.label).join('; ')}`,
    `approved by: ${answer.approvals.map((approval) => approval.person).join(' and ')}`,
    `decided: ${answer.decisions.map((decision) => `${decision.stage} ${decision.result}`).join(', ')}`,
    `runs at: ${answer.sites.map((place) => `${place.site} (${place.event})`).join(', ')}`,
  ];
}

async function whatAnswers(site) {
  const response = await fetch(`${site.url}/version`);
  const { name, version } = await response.json();
  return `${name} ${version}`;
}

async function stopWorkload(place) {
  await runProcess(process.execPath, [
    path.join(root, 'bin', 'sealane-site.mjs'),
    'stop',
    '--config',
    place.config,
    '--state',
    place.state,
  ]);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function farewell(dir, place, release, seconds) {
  const [home, config, state] = [place.home, place.config, place.state].map((file) => shellWord(path.relative(process.cwd(), file)));
  console.log(`
Done in ${seconds.toFixed(0)} s. Everything is in ${dir}: home/ (the promoter), witness/, site/ (site.yaml, state/).
Servers and the service are stopped. Try next:

  node bin/sealane.mjs release list --home ${home}
  node bin/sealane.mjs channel show prod --home ${home}
  node bin/sealane.mjs audit trace ${release.id.slice(0, 71)} --home ${home}
  node bin/sealane-site.mjs status --config ${config} --state ${state}
  node bin/sealane.mjs audit verify --home ${home}
`);
}

/** A path as a shell takes it for one word. */
function shellWord(file) {
  return /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
