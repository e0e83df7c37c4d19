/**
 * The client as a conversation: a generator asks for files and says what it trusts; whoever drives it has the disk or the network.
 *
 * One workflow so serves a site's mirror (synchronous reads) and a network client (promises), and neither is in it.
 */
import type { TufState } from './state.js';

/**
 * What the workflow asks of its driver:
 * - `fetch`: the file `name` below the repository (`metadata/2.root.json`, `targets/channel/HASH.prod.json`), at most `maxBytes`; undefined = absent
 * - `cached`: the copy of a role that was kept before, if any; it is verified again
 * - `keep`: a role that is trusted from now on, its exact bytes, and the state with it (TUF "persist"); the answer is ignored
 */
export type TufRequest =
  | { readonly ask: 'fetch'; readonly name: string; readonly maxBytes: number }
  | { readonly ask: 'cached'; readonly role: string }
  | { readonly ask: 'keep'; readonly role: string; readonly bytes: Uint8Array; readonly state: TufState };

/** A running workflow that ends in `T`. */
export type TufFlow<T> = Generator<TufRequest, T, Uint8Array | undefined>;

/** Drives a workflow with synchronous answers. What `answer` throws is thrown at the workflow's place. */
export function driveTuf<T>(flow: TufFlow<T>, answer: (request: TufRequest) => Uint8Array | undefined): T {
  let step = flow.next();
  while (!step.done) step = answered(flow, attempt(answer, step.value));
  return step.value;
}

/** Drives a workflow with answers that take time. */
export async function driveTufAsync<T>(flow: TufFlow<T>, answer: (request: TufRequest) => Promise<Uint8Array | undefined>): Promise<T> {
  let step = flow.next();
  while (!step.done) {
    const request = step.value;
    const outcome: Outcome = await answer(request).then(
      (bytes) => ({ bytes }),
      (error: unknown) => ({ error }),
    );
    step = answered(flow, outcome);
  }
  return step.value;
}

type Outcome = { readonly bytes: Uint8Array | undefined } | { readonly error: unknown };

function attempt(answer: (request: TufRequest) => Uint8Array | undefined, request: TufRequest): Outcome {
  try {
    return { bytes: answer(request) };
  } catch (error) {
    return { error };
  }
}

function answered<T>(flow: TufFlow<T>, outcome: Outcome): IteratorResult<TufRequest, T> {
  return 'error' in outcome ? flow.throw(outcome.error) : flow.next(outcome.bytes);
}
