/** What the driver asks of its program outside of the sandbox, on standard input, and what that answers, as one line. */
import { LIMITS, parseStrictJson, utf8 } from '@sealane/core';
import type { Stray } from '../driver.js';
import type { KubeconfigPlace } from './kubeconfig.js';
import type { KubeObject, ObjectKey } from './objects.js';
import type { Rollout } from './rollout.js';

/** `try`: could it be applied? `apply`: do, then remove `keys`. `permit`: apply the site's own objects, exactly. `look`: how are they? `remove`: take them away. `strays`: what is beside them? */
export type ClusterRequest = {
  readonly do: 'try' | 'apply' | 'permit' | 'look' | 'remove' | 'strays';
  readonly kubeconfig: KubeconfigPlace;
  readonly namespace: string;
  readonly site: string;
  /** What objects of a release may reach. */
  readonly fence: Fence;
  readonly objects: readonly KubeObject[];
  readonly keys: readonly ObjectKey[];
  /** Jobs that have done their work, as texts of their keys: it is fine that they are gone. */
  readonly done?: readonly string[];
  /** Names of the values in the release's Secret: they lie where `CREDENTIALS_DIRECTORY` says, but for a try, which has none. */
  readonly secrets: readonly string[];
  readonly strays?: StrayQuestion;
};

/** Beside the namespace of site.yaml: namespaces of others, and kinds of the whole cluster. */
export interface Fence {
  readonly namespaces: readonly string[];
  readonly kinds: readonly string[];
}

/** Which images may run, in which namespaces it is looked (null: all) but `except`, and what is done with what is found. */
export interface StrayQuestion {
  readonly approved: readonly string[];
  readonly namespaces: readonly string[] | null;
  readonly except: readonly string[];
  readonly does: 'report' | 'stop';
}

/** `refused`: the cluster can never take it; `failed`: it did not, for now. `done` are the jobs that a look has seen complete. */
export type ClusterAnswer =
  | (Rollout & { readonly done?: readonly string[] })
  | { readonly is: 'refused'; readonly how: string }
  | { readonly is: 'found'; readonly strays: readonly Stray[] };

/** Longest answer. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** What the program said; anything else than an answer is undefined. */
export function parseAnswer(line: string): ClusterAnswer | undefined {
  try {
    const value = parseStrictJson(utf8(line), { maxBytes: MAX_ANSWER_BYTES, maxDepth: LIMITS.jsonDepth });
    if (typeof value !== 'object' || value === null || !('is' in value)) return undefined;
    const { is, how } = value;
    const done = 'done' in value && isTexts(value.done) ? { done: value.done } : {};
    if (is === 'found') return 'strays' in value && isStrays(value.strays) ? { is, strays: value.strays } : undefined;
    if (is === 'ready') return { is, ...done };
    if (is === 'refused' && typeof how === 'string') return { is, how };
    return (is === 'waiting' || is === 'failed') && typeof how === 'string' ? { is, how, ...done } : undefined;
  } catch (error) {
    // it was ended in the middle of a word
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isStrays(value: unknown): value is readonly Stray[] {
  const isStray = (each: unknown): boolean => {
    const { what, how, did } = (each ?? {}) as Readonly<Record<string, unknown>>;
    return typeof what === 'string' && typeof how === 'string' && (did === 'reported' || did === 'stopped' || did === 'put back');
  };
  return Array.isArray(value) && value.every(isStray);
}
