// A poll that finds nothing new: bytes on the wire in both directions, counted by a proxy in between, and time.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { makeLane, prepare, release, serve, site } from './lane.mjs';
import { median, ROOT, round } from './measure.mjs';

const RUNS = 7;

export async function measurePoll() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const lane = await makeLane(dir);
  const server = await serve(['serve', '--listen', '127.0.0.1:0', '--home', lane.home]);
  const wire = await countingProxy(new URL(server.url).port);
  try {
    const { id } = await release(lane, '1.0.0', Buffer.from('data'));
    prepare(lane, id);
    lane.sealane('promote', id, '--to', 'prod');
    const place = site(lane, wire.url);
    const update = ['update', '--json', '--config', path.join(place.folder, 'site.yaml'), '--state', place.state];
    await run(update);
    const [times, bytes] = [[], []];
    for (let count = 0; count < RUNS; count += 1) {
      wire.reset();
      times.push(await run(update));
      bytes.push(wire.bytes());
    }
    await run(['stop', ...update.slice(2)]);
    // 1,155 bytes: python-tuf 7.0.1's refresh of an unchanged repository, measured once on the wire
    return [
      {
        id: 'poll-bytes',
        what: 'a poll that finds nothing new, both directions, HTTP headers included',
        ours: median(bytes),
        peer: null,
        limit: 1200,
        ratio: round(median(bytes) / 1200),
        unit: 'bytes',
      },
      { id: 'poll-ms', what: 'the same as a whole process', ours: round(median(times)), peer: null, limit: null, ratio: null, unit: 'ms' },
    ];
  } finally {
    wire.close();
    await server.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs `sealane-site` while this process goes on serving the proxy; its time in ms. */
function run(words) {
  const began = performance.now();
  const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'sealane-site.mjs'), ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0
        ? resolve(performance.now() - began)
        : reject(new Error(`run sealane-site ${words.join(' ')}: expected exit 0, got ${code}`)),
    );
  });
}

async function countingProxy(port) {
  let bytes = 0;
  const count = (chunk) => (bytes += chunk.length);
  const proxy = createServer((client) => {
    const upstream = connect(Number(port), '127.0.0.1');
    client.on('data', count).pipe(upstream);
    upstream.on('data', count).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${proxy.address().port}`, bytes: () => bytes, reset: () => (bytes = 0), close: () => proxy.close() };
}
