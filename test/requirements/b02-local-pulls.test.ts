/** Row B2: engines on the site pull by digest from its mirror, in a namespace without any link. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { canIsolate, isolate, type Isolated } from '../support/netns.js';
import { requireProgram } from '../support/require-program.js';
import { commandWords, type Ended, runProgram, type Server, startListening, startServer } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const skopeo = requireProgram('skopeo');
const podman = requireProgram('podman');
const [containerd, ctr] = ['containerd', 'ctr'].map(requireProgram);
const isolated = canIsolate();

/** Registries of images as manifests name them; nothing of them can be reached here. */
const NAME = 'registry.example/edge/readings';

describe('B2 pulls from the mirror of a site', () => {
  let dir: string;
  let lane: TestLane;
  let site: TestSite;
  let image: string;
  let unwanted: string;

  const served = (words: readonly string[]): readonly string[] => [...words, '--config', site.config, '--state', site.state];

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b02-'));
    lane = await makeLane(dir);
    site = await enrolSite(lane, path.join(dir, 'site'), { driver: { health: [] } });
    const release = await lane.release('1.0.0');
    await lane.promote(release);
    expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
    image = (await lane.sealane(['release', 'show', release])).components[0].digest;
    // in the lane, for another stage: this site never asked for it
    unwanted = (await lane.sealane(['release', 'show', await lane.release('2.0.0')])).components[0].digest;
  });

  afterAll(async () => {
    await site.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  describe.skipIf(!isolated)('without any link (skipped where no network namespace can be made)', () => {
    let inside: Isolated;
    let mirror: Server;
    let host: string;

    beforeAll(async () => {
      inside = await isolate();
      const [enter, ...words] = inside.enter;
      const serve = commandWords('sealane-site', served(['mirror', 'serve', '--listen', '127.0.0.1:0']));
      mirror = await startListening(enter, [...words, process.execPath, ...serve]);
      host = mirror.url.replace('http://', '');
      // an engine's own configuration: the registry that manifests name is the mirror, and nothing else
      writeFileSync(
        path.join(dir, 'registries.conf'),
        `[[registry]]\nprefix = "registry.example"\nlocation = "${host}"\ninsecure = true\n`,
      );
    });

    afterAll(async () => {
      await mirror.stop();
      inside.stop();
    });

    const run = (program: string, words: readonly string[]): Promise<Ended> => {
      const [enter, ...before] = inside.enter;
      return runProgram(enter, [...before, program, ...words], { env: { CONTAINERS_REGISTRIES_CONF: path.join(dir, 'registries.conf') } });
    };

    const copy = (from: string, to: string): Promise<Ended> =>
      run(skopeo ?? '', ['--insecure-policy', 'copy', '--src-tls-verify=false', `docker://${from}`, `oci:${to}:copy`]);

    test.skipIf(skopeo === undefined)(
      'B2 skopeo copies an image by its digest, the same to the byte (skipped without skopeo)',
      async () => {
        const out = path.join(dir, 'skopeo');
        const ended = await copy(`${host}/edge/readings@${image}`, out);
        expect(ended.exit, ended.stderr).toBe(0);
        const { manifests } = JSON.parse(readFileSync(path.join(out, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
        expect(manifests[0]?.digest).toBe(image);
      },
    );

    test.skipIf(podman === undefined)('B2 podman pulls an image by its digest (skipped without podman)', async () => {
      const store = path.join(dir, 'podman');
      mkdirSync(store);
      const words = ['--root', `${store}/root`, '--runroot', `${store}/run`, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs'];
      const ended = await run(podman ?? '', [...words, 'pull', '--quiet', `${NAME}@${image}`]);
      expect(ended.exit, ended.stderr).toBe(0);
      const seen = await run(podman ?? '', [...words, 'image', 'inspect', '--format', '{{.Digest}}', `${NAME}@${image}`]);
      expect(seen.stdout.trim()).toBe(image);
    });

    test.skipIf(containerd === undefined || ctr === undefined)(
      'B2 containerd pulls an image by its digest (skipped without containerd and ctr)',
      async () => {
        const own = path.join(dir, 'containerd');
        const socket = path.join(own, 'socket');
        mkdirSync(path.join(own, 'hosts', 'registry.example'), { recursive: true });
        writeFileSync(path.join(own, 'hosts', 'registry.example', 'hosts.toml'), `server = "http://${host}"\n[host."http://${host}"]\n`);
        const folders = `root = "${own}/root"\nstate = "${own}/state"`;
        writeFileSync(
          path.join(own, 'config.toml'),
          `version = 2\n${folders}\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${socket}"\n`,
        );
        const [enter, ...before] = inside.enter;
        const engine = spawn(enter, [...before, containerd ?? '', '--config', path.join(own, 'config.toml')], { stdio: 'ignore' });
        try {
          const ask = (...words: readonly string[]): Promise<Ended> => run(ctr ?? '', ['--address', socket, ...words]);
          await expect.poll(async () => (await ask('version')).exit).toBe(0);
          const pull = ['images', 'pull', '--hosts-dir', path.join(own, 'hosts'), '--snapshotter', 'native'];
          const ended = await ask(...pull, `${NAME}@${image}`);
          expect(ended.exit, ended.stderr).toBe(0);
          expect((await ask('images', 'list')).stdout).toContain(`${NAME}@${image}`);
          const not = await ask(...pull, `${NAME}@${unwanted}`);
          expect({ isDone: not.exit === 0, said: not.stderr }).toMatchObject({ isDone: false, said: expect.stringContaining('not found') });
        } finally {
          engine.kill();
          await once(engine, 'exit');
        }
      },
    );

    test.skipIf(skopeo === undefined)(
      'B2 what this site did not ask for, and what has only a tag, is not served (skipped without skopeo)',
      async () => {
        for (const reference of [`@${unwanted}`, ':latest']) {
          const ended = await copy(`${host}/edge/readings${reference}`, path.join(dir, 'not'));
          expect(ended.exit).not.toBe(0);
          expect(ended.stderr).toContain('manifest unknown');
        }
      },
    );
  });

  test('B2 a range is a part of the blob; a blob that rotted in the store is missing, not wrong, whole or in part', async () => {
    const mirror = await startServer('sealane-site', served(['mirror', 'serve', '--listen', '127.0.0.1:0']));
    try {
      const manifest = JSON.parse((await get(`${mirror.url}/v2/any/manifests/${image}`)).text) as {
        layers: { digest: string; size: number }[];
      };
      const [layer] = manifest.layers;
      const url = `${mirror.url}/v2/any/blobs/${layer?.digest ?? ''}`;
      const whole = await get(url);
      expect(whole).toMatchObject({ status: 200, bytes: { length: layer?.size } });
      const part = await get(url, { range: 'bytes=10-19' });
      expect(part).toMatchObject({ status: 206, range: `bytes 10-19/${layer?.size ?? 0}` });
      expect(part.bytes).toEqual(whole.bytes.subarray(10, 20));
      expect(await get(url, { range: `bytes=${layer?.size ?? 0}-` })).toMatchObject({ status: 416 });

      const file = path.join(site.state, 'store', 'blobs', 'sha256', (layer?.digest ?? '').slice('sha256:'.length));
      const good = readFileSync(file);
      const bad = Buffer.from(good);
      bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
      writeFileSync(file, bad);
      expect(await get(url)).toMatchObject({ status: 404 });
      // the byte that rotted is not among those that are asked for
      expect(await get(url, { range: 'bytes=0-9' })).toMatchObject({ status: 404 });
      await expect.poll(() => mirror.stderr()).toContain(layer?.digest);
      writeFileSync(file, good);
      expect(await get(url)).toMatchObject({ status: 200 });
    } finally {
      await mirror.stop();
    }
  });

  test('B2 nobody writes to it, and who sends a request a byte at a time is let go', async () => {
    const mirror = await startServer('sealane-site', served(['mirror', 'serve', '--listen', '127.0.0.1:0']));
    try {
      const before = readdirSync(path.join(site.state, 'store', 'blobs', 'sha256')).sort();
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        expect(await get(`${mirror.url}/v2/any/blobs/uploads/`, {}, method)).toMatchObject({ status: 405 });
      expect(readdirSync(path.join(site.state, 'store', 'blobs', 'sha256')).sort()).toEqual(before);
      expect(await slowlyTo(mirror.url)).toMatch(/408|ECONNRESET|EPIPE/);
    } finally {
      await mirror.stop();
    }
  });

  test.each(['0.0.0.0:0', '10.0.0.1:5080', 'registry.example:5080'])('B2 it does not listen on a network: %s', async (address) => {
    expect((await site.must(['mirror', 'serve', '--listen', address], 2)).error).toMatchObject({ code: 'USAGE' });
  });
});

interface Got {
  readonly status: number;
  readonly range: string | undefined;
  readonly bytes: Buffer;
  readonly text: string;
}

function get(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(pieces);
        resolve({ status: response.statusCode ?? 0, range: response.headers['content-range'], bytes, text: bytes.toString() });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** A client whose headers never end; resolves with what the server had to say when it hung up, or with how it did: what was sent meanwhile resets. */
function slowlyTo(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(Number(port), hostname, () => socket.write('GET /v2/ HTTP/1.1\r\nHost: site\r\n'));
    const drip = setInterval(() => socket.write('x-more: 1\r\n'), 500);
    socket.on('data', (bytes) => (said += bytes.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') said += error.code;
      else reject(error);
    });
    socket.on('close', () => {
      clearInterval(drip);
      resolve(said);
    });
  });
}
