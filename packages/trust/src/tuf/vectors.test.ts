/**
 * Walks `test/vectors/tuf`: 60 repositories, good ones and ones bent on purpose (`make.py` and `tufkit.py` there rebuild them).
 * `expect` and `alsoAllowed` say what must come out; after a refusal the versions of the step before are kept.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { digestHex, sha256, TrustError } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { readTarget, refreshTrust, type TufRead } from './client.js';
import { trustFromRoot } from './root-chain.js';
import type { TufState } from './state.js';

interface Step {
  readonly repo: string;
  readonly now: string;
  readonly target: string;
  readonly versions?: Readonly<Record<string, number>>;
}

interface Case {
  readonly folder: string;
  readonly why: string;
  readonly expect: string;
  readonly alsoAllowed?: readonly string[];
  readonly never?: { readonly targetSha256?: string; readonly timestampVersion?: number };
  readonly steps: readonly Step[];
}

const SET = join(import.meta.dirname, '../../../../test/vectors/tuf');
const { cases } = JSON.parse(readFileSync(join(SET, 'index.json'), 'utf8')) as { readonly cases: readonly Case[] };

function readerOf(folder: string): TufRead {
  return (name) => {
    const file = join(folder, name);
    if (existsSync(file)) return readFileSync(file);
    return existsSync(`${file}.gz`) ? gunzipSync(readFileSync(`${file}.gz`)) : undefined;
  };
}

/** One visit: the outcome's word, the state to keep, and the bytes that came out. */
function visit(one: Case, step: Step, state: TufState): { outcome: string; state: TufState; targetSha256?: string } {
  const read = readerOf(join(SET, one.folder, step.repo));
  try {
    const trusted = refreshTrust({ state, read, now: step.now, expiry: 'network' });
    const target = readTarget({ trusted, read, path: step.target });
    return { outcome: 'accept', state: trusted.state, targetSha256: digestHex(sha256(target.bytes)) };
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return { outcome: error.code, state: error.data['state'] as TufState };
  }
}

/** The versions as the manifests write them: one flat table. */
function versionsOf(state: TufState): Record<string, number> {
  const { roles, ...top } = state.versions;
  return { ...top, ...roles };
}

describe('the 60 TUF repositories', () => {
  it('are all there', () => {
    expect(cases).toHaveLength(60);
  });

  it.each(cases.map((one) => [one.folder, one] as const))('%s', (_folder, one) => {
    let state = trustFromRoot(readFileSync(join(SET, one.folder, 'trusted-root.json')));
    for (const [index, step] of one.steps.entries()) {
      const before = state;
      const { outcome, state: after, targetSha256 } = visit(one, step, state);
      const allowed = index < one.steps.length - 1 ? ['accept'] : [one.expect, ...(one.alsoAllowed ?? [])];
      expect(allowed, one.why).toContain(outcome);
      if (outcome === 'accept' && step.versions !== undefined) expect(versionsOf(after)).toMatchObject(step.versions);
      if (outcome !== 'accept') {
        const { root: _newest, ...kept } = after.versions;
        const { root: _trusted, ...floors } = before.versions;
        expect(kept).toEqual(floors);
        expect(targetSha256).toBeUndefined();
      }
      if (one.never?.targetSha256 !== undefined) expect(targetSha256).not.toBe(one.never.targetSha256);
      if (one.never?.timestampVersion !== undefined) expect(after.versions.timestamp).not.toBe(one.never.timestampVersion);
      state = after;
    }
  });
});
