// The updater over the update pair of `site-fixture.mjs`, beside other updaters: an empty site, an update, a return. Each is measured beside `sha256sum` of the
// whole tree as one tar, a moment before. All lies in TMPDIR: give it a file system of its own, with a journal, or other writers are flushed too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLane, prepare, releaseOf, serve, site } from './lane.mjs';
import { find, median, ROOT, round, timed } from './measure.mjs';
import { fixtureLayers } from './site-fixture.mjs';
import { sitePeers } from './site-peers.mjs';

const RUNS = Number(process.env.SEALANE_BENCH_RUNS ?? 5);
const VERSIONS = ['old', 'new', 'patch'];

export async function measureSite() {
  if (find('time') === undefined) throw new Error('measure the site: expected GNU time on PATH, got none');
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const lane = await makeLane(dir);
  const server = await serve(['serve', '--listen', '127.0.0.1:0', '--home', lane.home]);
  const peers = [];
  try {
    const place = site(lane, server.url);
    const scenes = scenesOf(place);
    scenes.keep('empty');
    const [trees, images] = [{}, {}];
    for (const version of VERSIONS) {
      const { id, image } = await releaseOf(lane, version, fixtureLayers(version));
      prepare(lane, id);
      lane.sealane('promote', id, '--to', 'prod');
      place.run('update');
      place.run('stop');
      if (version !== 'patch') scenes.keep(version);
      images[version] = image;
      trees[version] = path.join(dir, `tree-${version}`);
      timed('cp', ['-a', path.join(place.state, 'current', 'app'), trees[version]]);
    }
    const tar = path.join(dir, 'new.tar');
    timed('tar', ['-cf', tar, '-C', trees.new, '.']);
    const linking = { name: 'sealane-link', yaml: 'unpack: { unchanged: link }\n' };
    peers.push(...sitePeers({ dir, trees, images }));
    const subjects = [ourselves(place, scenes), ourselves(place, scenes, linking), limit(dir, images.new), ...peers];
    const rows = subjects.flatMap((subject) => measureSubject(subject, dir, tar));
    if (find('strace') !== undefined) rows.push(...(await flushRows(place, scenes, dir)));
    return rows;
  } finally {
    // what an engine has mounted would be in the way
    for (const { wipe } of peers) wipe();
    await server.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** States of the site that are gone back to. */
function scenesOf(place) {
  const at = (name) => `${place.folder}.${name}`;
  const copy = (from, to) => {
    rmSync(to, { recursive: true, force: true });
    timed('cp', ['-a', from, to]);
  };
  return { keep: (name) => copy(place.folder, at(name)), back: (name) => copy(at(name), place.folder) };
}

/** Sealane in the words of a peer: whole processes, over HTTP, everything verified. `yaml` is added to its site.yaml. */
function ourselves(place, scenes, { name = 'sealane', yaml = '' } = {}) {
  const back = (scene) => {
    scenes.back(scene);
    appendFileSync(path.join(place.folder, 'site.yaml'), yaml);
  };
  const line = (verb) => [process.execPath, path.join(ROOT, 'bin', 'sealane-site.mjs'), verb, ...place.words].join(' ');
  return {
    name,
    checks: 'signatures, log, digests',
    wipe: () => back('empty'),
    /** What runs before is left running, as at a site. */
    old: () => {
      back('old');
      place.run('start');
    },
    install: () => line('update'),
    rollback: line('rollback'),
    after: () => place.run('stop'),
  };
}

/** The least that anybody does with the layers. */
function limit(dir, image) {
  const at = path.join(dir, 'limit');
  const { manifests } = JSON.parse(readFileSync(path.join(image, 'index.json'), 'utf8'));
  const blob = (digest) => path.join(image, 'blobs', 'sha256', digest.slice('sha256:'.length));
  const { layers } = JSON.parse(readFileSync(blob(manifests[0].digest), 'utf8'));
  return {
    name: 'gzip+tar',
    checks: 'CRC',
    wipe: () => rmSync(at, { recursive: true, force: true }),
    install: () =>
      `mkdir -p ${at} && for blob in ${layers.map(({ digest }) => blob(digest)).join(' ')}; do gzip -dc $blob | tar -x -C ${at}; done`,
  };
}

function measureSubject(subject, dir, tar) {
  const runs = { cold: [], update: [], rollback: [] };
  for (let run = 0; run < RUNS; run += 1) {
    subject.wipe();
    runs.cold.push(measured(subject.install('new'), dir, tar));
    subject.after?.();
    if (subject.rollback === undefined) continue;
    if (subject.old === undefined) {
      subject.wipe();
      timed('/bin/sh', ['-c', subject.install('old')]);
    } else subject.old();
    runs.update.push(measured(subject.install('new'), dir, tar));
    runs.rollback.push(measured(subject.rollback, dir, tar));
    subject.after?.();
  }
  subject.wipe();
  return Object.entries(runs).flatMap(([phase, all]) => (all.length === 0 ? [] : rowsOf(subject, phase, all)));
}

/** One line under GNU time: the control before it, what it left to flush after it. */
function measured(line, dir, tar) {
  timed('sync', ['-f', dir]);
  const facts = path.join(dir, 'time');
  const format = ['-q', '-f', '%U %S %M %O', '-o', facts];
  const cost = () => readFileSync(facts, 'utf8').trim().split(' ').map(Number);
  const control = timed(find('time'), [...format, 'sha256sum', tar]).ms;
  const [controlUser, controlSystem] = cost();
  const { ms } = timed(find('time'), [...format, '/bin/sh', '-c', line]);
  const [user, system, kib, blocks] = cost();
  const flush = timed('sync', ['-f', dir]).ms;
  return {
    done: ms + flush,
    wall: (ms + flush) / control,
    cpu: (user + system) / (controlUser + controlSystem),
    rss: kib / 1024,
    written: (blocks * 512) / 1e6,
  };
}

function rowsOf({ name, checks }, phase, runs) {
  const of = (fact) => round(median(runs.map((run) => run[fact])));
  const id = `site-${phase}-${name}`;
  const row = (what, ours, unit, ratio = null) => ({
    id,
    what: `${what} (${name} checks ${checks})`,
    ours,
    peer: null,
    limit: null,
    ratio,
    unit,
  });
  if (phase === 'rollback') return [row('back to the release before, flushed', of('done'), 'ms')];
  return [
    row('done and flushed; ratio to sha256sum of the tree', of('done'), 'ms', of('wall')),
    row('processor time, as a ratio to that of sha256sum', of('cpu'), '×'),
    row('memory of the largest process', of('rss'), 'MiB'),
    row('bytes written', of('written'), 'MB'),
  ];
}

/** Calls that flush, of one update each. */
async function flushRows(place, scenes, dir) {
  const log = path.join(dir, 'strace');
  const { wipe, old, install } = ourselves(place, scenes);
  const rows = [];
  for (const [phase, before] of Object.entries({ cold: wipe, update: old })) {
    before();
    const traced = spawn(
      'strace',
      ['-f', '-qq', '-o', log, '-e', 'trace=fsync,fdatasync,sync,syncfs,msync', '/bin/sh', '-c', `exec ${install()}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    // the workload is traced too, and goes on
    traced.stdout.once('data', () => place.run('stop'));
    await once(traced, 'exit');
    const flushes = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => /sync(fs)?\(/.test(line)).length;
    rows.push({ id: `site-${phase}-sealane`, what: 'flushes', ours: flushes, peer: null, limit: null, ratio: null, unit: 'calls' });
  }
  return rows;
}
