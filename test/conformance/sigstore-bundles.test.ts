/**
 * Walks the 70 bundles of sigstore-conformance (SEALANE_FOREIGN_VECTORS) through the command, each by path and by digest: what the public
 * suite accepts is accepted, what it refuses is refused by name, and nothing is a fault.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS, sha256 } from '@sealane/core';
import { runCommandLine } from '@sealane/core/command-line';

import { describe, expect, it } from 'vitest';
import { PROGRAM } from '../../packages/promoter/src/program.js';
import { foreignVectors } from '../support/foreign.js';

interface Case {
  readonly name: string;
  readonly expect: 'accept' | 'reject';
  readonly bundle: string;
  readonly artifact: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly key?: string;
  readonly trustedRoot: string;
  readonly why?: string;
}

const foreign = foreignVectors();
const folder = path.join(foreign ?? '', 'sigstore');
const cases: readonly Case[] = foreign === undefined ? [] : (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { readonly cases: readonly Case[] }).cases;

/** Runs `sealane bundle verify` over a case; without `identity` and `issuer` by its key. */
async function verify(one: Case, artifact: string): Promise<{ exit: number; answer: { ok?: boolean; error?: { code: keyof typeof ERRORS } } }> {
  const signer = one.key === undefined ? ['--certificate-identity', one.identity ?? '', '--certificate-oidc-issuer', one.issuer ?? ''] : ['--key', one.key];
  const argv = ['bundle', 'verify', '--bundle', one.bundle, '--trusted-root', one.trustedRoot, ...signer, artifact, '--json'];
  let out = '';
  const exit = await runCommandLine(PROGRAM, argv, {
    env: {},
    cwd: folder,
    isTerminal: false,
    signal: new AbortController().signal,
    out: (text) => (out += text),
    talk: () => undefined,
  });
  return { exit, answer: JSON.parse(out) as Awaited<ReturnType<typeof verify>>['answer'] };
}

describe.skipIf(foreign === undefined)('the 70 bundles of sigstore-conformance', () => {
  it('are all there, 21 good and 49 bad', () => {
    expect([cases.length, cases.filter((one) => one.expect === 'accept').length]).toEqual([70, 21]);
  });

  describe.each(['path', 'digest'] as const)('by %s', (mode) => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
      const artifact = mode === 'path' ? one.artifact : sha256(readFileSync(path.join(folder, one.artifact)));
      const { exit, answer } = await verify(one, artifact);
      if (one.expect === 'accept') {
        expect([exit, answer.ok, answer.error], one.why).toEqual([0, true, undefined]);
      } else {
        expect([exit, answer.ok], one.why).toEqual([4, undefined]);
        expect(answer.error?.code).toMatch(/^(?:BUNDLE|TRUST)_/);
      }
    });
  });
});
