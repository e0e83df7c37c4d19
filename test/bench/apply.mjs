// A cold apply of a 50 MB image, beside the least that anybody has to do with its layer: gzip -d | tar -x, and sync.
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeLane, prepare, release, site } from './lane.mjs';
import { median, round, timed } from './measure.mjs';

const RUNS = 3;
const SIZE_BYTES = 50_000_000;

export async function measureApply() {
  const [ours, limits] = [[], []];
  for (let run = 0; run < RUNS; run += 1) {
    const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
    const lane = await makeLane(dir);
    try {
      const { id, image, digest } = await release(lane, '1.0.0', data());
      prepare(lane, id);
      lane.sealane('promote', id, '--to', 'prod');
      const place = site(lane);
      timed('sync', []);
      ours.push(place.run('update').ms);
      place.run('stop');
      const layer = layerOf(image, digest);
      const out = path.join(dir, 'out');
      mkdirSync(out);
      limits.push(timed('/bin/sh', ['-c', `gzip -dc ${layer} | tar -x -C ${out} && sync -f ${out}`]).ms);
    } finally {
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  }
  const [mine, limit] = [median(ours), median(limits)];
  return [
    {
      id: 'apply-50mb',
      what: 'cold `update` to a 50 MB image: fetch, verify, store, unpack, switch, commit; beside `gzip -d | tar -x` + sync of its layer',
      ours: round(mine),
      peer: null,
      limit: round(limit),
      ratio: round(mine / limit),
      unit: 'ms',
    },
  ];
}

/** Half random, half not: packs to about half, as programs do. */
function data() {
  const bytes = Buffer.alloc(SIZE_BYTES, 'sealane ');
  for (let offset = 0; offset < SIZE_BYTES; offset += 8192) randomFillSync(bytes, offset, Math.min(4096, SIZE_BYTES - offset));
  return bytes;
}

function layerOf(image, digest) {
  const blob = (name) => path.join(image, 'blobs', 'sha256', name.slice('sha256:'.length));
  const { layers } = JSON.parse(readFileSync(blob(digest), 'utf8'));
  return blob(layers[0].digest);
}
