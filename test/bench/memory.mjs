// The memory of a service that has answered very many requests, beside what it had after a warm-up. Takes eight minutes and more: run by name only.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { round } from './measure.mjs';
import { load, startBench } from './service.mjs';

const REQUESTS = Number(process.env.SEALANE_BENCH_REQUESTS ?? '100000');
/** Until caches are full and the heap has its size. */
const WARM_UP = REQUESTS / 10;
const RELEASES = 50;
/** Requests with one token: none may come to its end before they do. */
const WITH_ONE_TOKEN = 1000;

export async function measureMemory() {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-bench-'));
  const bench = await startBench(dir, undefined, RELEASES);
  const plans = async (count) => {
    for (let sent = 0; sent < count; sent += WITH_ONE_TOKEN)
      await load(
        bench,
        Array.from({ length: Math.min(WITH_ONE_TOKEN, count - sent) }, (_, n) => bench.releases[n % RELEASES]),
        (release) => ['GET', `/api/v1/releases/${release}/plan?to=dev`],
        '0',
      );
  };
  try {
    await plans(WARM_UP);
    const before = rssOf(bench.pid);
    await plans(REQUESTS);
    const after = rssOf(bench.pid);
    const what = `resident memory of the service after ${REQUESTS} more plans, beside after the first ${WARM_UP} (limit: 5 % more)`;
    return [
      {
        id: 'memory',
        what,
        ours: round(after),
        peer: null,
        limit: round(before * 1.05),
        ratio: round(after / (before * 1.05)),
        unit: 'MiB',
      },
    ];
  } finally {
    await bench.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function rssOf(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}
