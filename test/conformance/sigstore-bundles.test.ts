/**
 * Walks the 70 bundles of sigstore-conformance (SEALANE_FOREIGN_VECTORS) through the command, each by path and by digest: what the public
 * suite accepts is accepted, what it refuses is refused by name, and nothing is a fault.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '@sealane/core';
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
const cases: readonly Case[] =
  foreign === undefined
    ? []
    : (JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as { readonly cases: readonly Case[] }).cases;

interface Outcome {
  readonly exit: number;
  readonly answer: { readonly ok?: boolean; readonly error?: { readonly code: string } };
}

/** Runs `sealane bundle verify` with these words in the folder of the vectors. */
async function run(words: readonly string[]): Promise<Outcome> {
  let out = '';
  const exit = await runCommandLine(PROGRAM, ['bundle', 'verify', ...words, '--json'], {
    env: {},
    cwd: folder,
    isTerminal: false,
    signal: new AbortController().signal,
    out: (text) => (out += text),
    talk: () => undefined,
  });
  return { exit, answer: JSON.parse(out) as Outcome['answer'] };
}

/** Runs it over a case: by its key, else by identity and issuer. */
function verify(one: Case, artifact: string): Promise<Outcome> {
  const signer =
    one.key === undefined
      ? ['--certificate-identity', one.identity ?? '', '--certificate-oidc-issuer', one.issuer ?? '']
      : ['--key', one.key];
  return run(['--bundle', one.bundle, '--trusted-root', one.trustedRoot, ...signer, artifact]);
}

describe.skipIf(foreign === undefined)('the 70 bundles of sigstore-conformance (skipped without SEALANE_FOREIGN_VECTORS)', () => {
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

  describe('who signed is compared letter for letter', () => {
    const one = cases.find(({ name }) => name === 'happy-path-v0.3');
    const { identity = '', issuer = '' } = one ?? {};
    it.each([
      ['a pattern', '.*', issuer],
      ['the beginning of the identity', identity.slice(0, -1), issuer],
      ['its end', identity.slice(1), issuer],
      ['more than it', `${identity}/`, issuer],
      ['other letters', identity.toUpperCase(), issuer],
      ['the beginning of the issuer', identity, issuer.slice(0, -1)],
      ['another issuer', identity, 'https://accounts.google.com'],
    ])('%s is refused', async (_, certificateIdentity, oidcIssuer) => {
      if (one === undefined) throw new RangeError('read the vectors: expected happy-path-v0.3');
      expect((await verify(one, one.artifact)).exit).toBe(0);
      const { exit, answer } = await verify({ ...one, identity: certificateIdentity, issuer: oidcIssuer }, one.artifact);
      expect([exit, answer.error?.code]).toEqual([4, 'BUNDLE_SIGNER']);
    });
  });

  it('asks for one way to name the signer, a trusted root and an artifact: anything else is usage', async () => {
    const [one] = cases;
    if (one === undefined) throw new RangeError('read the vectors: expected cases');
    const both = await run([
      '--bundle',
      one.bundle,
      '--trusted-root',
      one.trustedRoot,
      '--key',
      'x.pub',
      '--certificate-identity',
      'a',
      one.artifact,
    ]);
    const neither = await run(['--bundle', one.bundle, '--trusted-root', one.trustedRoot, one.artifact]);
    const noRoot = await run(['--bundle', one.bundle, '--key', 'x.pub', one.artifact]);
    const noFile = await run([
      '--bundle',
      'absent.json',
      '--trusted-root',
      one.trustedRoot,
      '--certificate-identity',
      'a',
      '--certificate-oidc-issuer',
      'b',
      one.artifact,
    ]);
    expect([both, neither, noRoot, noFile].map(({ exit }) => exit)).toEqual([2, 2, 2, 2]);
  });
});
