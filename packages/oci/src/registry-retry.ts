/** Trying again: what may pass by itself is asked a few times, with growing pauses. */
import { type ExchangeAnswer, isPassing, PASSING_STATUSES } from './registry-http.js';

/** How often and how patiently. */
export interface Retries {
  /** Requests altogether, the first one included. */
  readonly attempts: number;
  /** Before the second one; each pause is twice the one before. */
  readonly firstPauseMs: number;
  /** A registry may ask for this much patience; one that asks for more is unavailable now. */
  readonly longestPauseMs: number;
  readonly pause: (ms: number) => Promise<void>;
}

/** A registry that restarts behind its load balancer is back within these. */
export const DEFAULT_ATTEMPTS = 4;
export const DEFAULT_FIRST_PAUSE_MS = 250;
export const DEFAULT_LONGEST_PAUSE_MS = 30_000;

/** Runs `attempt` until its answer is none of a passing fault, or there were enough; the last answer or error is the caller's. */
export async function withRetries(attempt: () => Promise<ExchangeAnswer>, retries: Retries): Promise<ExchangeAnswer> {
  for (let done = 1; ; done += 1) {
    const isLast = done >= retries.attempts;
    const answer = await attemptOnce(attempt, isLast);
    const pauseMs = answer === undefined ? pauseAfter(done, retries) : pauseAsked(answer, done, retries);
    if (answer !== undefined && (isLast || pauseMs === undefined)) return answer;
    await answer?.dump();
    await retries.pause(pauseMs ?? 0);
  }
}

/** The pause after that many attempts, in milliseconds. */
export function pauseAfter(attempts: number, { firstPauseMs }: Retries): number {
  return firstPauseMs * 2 ** (attempts - 1);
}

async function attemptOnce(attempt: () => Promise<ExchangeAnswer>, isLast: boolean): Promise<ExchangeAnswer | undefined> {
  try {
    return await attempt();
  } catch (error) {
    // a connection that broke is tried again; what else went wrong stays wrong
    if (isLast || !isPassing(error)) throw error;
    return undefined;
  }
}

/** How long to wait before asking again; undefined where the answer stands, or the registry wants more patience than it gets. */
function pauseAsked({ status, headers }: ExchangeAnswer, done: number, retries: Retries): number | undefined {
  if (!PASSING_STATUSES.includes(status)) return undefined;
  const asked = /^\d{1,9}$/.exec(headers['retry-after'] ?? '')?.[0];
  const pauseMs = Math.max(pauseAfter(done, retries), asked === undefined ? 0 : Number(asked) * 1000);
  return pauseMs > retries.longestPauseMs ? undefined : pauseMs;
}
