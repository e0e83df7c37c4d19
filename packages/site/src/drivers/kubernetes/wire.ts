/** What the driver asks of its program outside of the sandbox, in a file, and what that answers, as one line. */
import { LIMITS, parseStrictJson, utf8 } from '@sealane/core';
import type { KubeObject, ObjectKey } from './objects.js';
import type { Rollout } from './rollout.js';

/** `try`: could it be applied? `apply`: do, then remove `gone`. `look`: how are they? `remove`: take them away. */
export type ClusterRequest = {
  readonly do: 'try' | 'apply' | 'look' | 'remove';
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly site: string;
  readonly objects: readonly KubeObject[];
  readonly keys: readonly ObjectKey[];
};

/** `refused`: the cluster can never take it; `failed`: it did not, for now. */
export type ClusterAnswer = Rollout | { readonly is: 'refused'; readonly how: string };

/** Longest answer. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What the program said; anything else than an answer is undefined. */
export function parseAnswer(line: string): ClusterAnswer | undefined {
  try {
    const value = parseStrictJson(utf8(line), { maxBytes: MAX_ANSWER_BYTES, maxDepth: LIMITS.jsonDepth });
    if (typeof value !== 'object' || value === null || !('is' in value)) return undefined;
    const { is, how } = value;
    if (is === 'ready') return { is };
    return (is === 'waiting' || is === 'failed' || is === 'refused') && typeof how === 'string' ? { is, how } : undefined;
  } catch (error) {
    // it was ended in the middle of a word
    if (error instanceof Error) return undefined;
    throw error;
  }
}
