/** What the service counts, in the Prometheus text format. No name of a caller, release or site is in it: whoever may scrape learns none. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a cached answer to a witness that is slow. In seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface Metrics {
  /** A request of the API that was answered. */
  answered(route: string, status: number, seconds: number): void;
  /** A request that was turned away before it reached a route, and why. */
  refused(reason: 'stranger' | 'right' | 'limit' | 'draining'): void;
  /** The text, and its media type. */
  text(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Counters of one service. `state` is asked when the text is. */
export function serviceMetrics(state: { readonly waiting: () => number; readonly connections: () => Promise<number> }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'sealane_request_seconds',
    help: 'requests of the API by route and status',
    labelNames: ['route', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const refusals = new Counter({
    name: 'sealane_refused_requests_total',
    help: 'requests that were turned away before they reached a route',
    labelNames: ['reason'],
    registers,
  });
  const waiting = new Gauge({ name: 'sealane_waiting_changes', help: 'changes of the lane that wait for their turn', registers });
  const connections = new Gauge({ name: 'sealane_open_connections', help: 'connections that are open', registers });
  const memory = new Gauge({ name: 'process_resident_memory_bytes', help: 'resident memory of the process', registers });
  return {
    answered: (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds),
    refused: (reason) => refusals.inc({ reason }),
    text: async () => {
      waiting.set(state.waiting());
      connections.set(await state.connections());
      memory.set(process.memoryUsage.rss());
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
