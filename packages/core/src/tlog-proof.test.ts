import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noteFile } from '../../../test/support/note-vectors.js';
import { refusal } from '../../../test/support/refusal.js';
import { fromHex, utf8 } from './bytes.js';
import { verifyConsistency } from './merkle.js';
import { parseVkey } from './signed-note.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- vectors are read as they are written
const { proofs, consistency }: { proofs: any[]; consistency: any[] } = noteFile('tlog-proofs');
const verify = (v: { proof: string; entry: string; log: string; witnesses: string[]; quorum: number }) =>
  verifyTlogProof({
    proof: parseTlogProof(v.proof),
    entry: utf8(v.entry),
    log: parseVkey(v.log),
    witnesses: v.witnesses.map(parseVkey),
    quorum: v.quorum,
  });

test.each(proofs)('tlog-proof vector $name', (v) => {
  const code = refusal(() => verify(v));
  if (v.expect === 'accept') {
    expect(code).toBeUndefined();
    expect(formatTlogProof(parseTlogProof(v.proof))).toBe(v.proof);
    expect(parseTlogProof(utf8(v.proof))).toEqual(parseTlogProof(v.proof));
  } else expect(code).toMatch(/^(?:PROOF|LOG)_/);
});

test('16 tlog-proofs and 9 consistency proofs are there', () => {
  expect([proofs.length, consistency.length]).toEqual([16, 9]);
});

test('consistency vectors', () => {
  for (const v of consistency) {
    const input = {
      size1: v.size1,
      size2: v.size2,
      root1: fromHex(v.root1Hex),
      root2: fromHex(v.root2Hex),
      proof: v.proofHex.map(fromHex),
    };
    expect([v, refusal(() => verifyConsistency(input))]).toEqual([v, undefined]);
  }
});

test('no change of one character leaves a proof that is not the same and still verifies', () => {
  const v = proofs.find(({ name }: { name: string }) => name === 'leaf-6-of-7');
  const replacements = ['', '\n', '0', 'A'];
  for (let at = 0; at < v.proof.length; at += 1) {
    const replacement = replacements[at % replacements.length]!;
    const proof = v.proof.slice(0, at) + replacement + v.proof.slice(at + 1);
    if (proof === v.proof) continue;
    // only the line of a witness that the quorum does not need could be harmless, and here it needs both
    expect([at, replacement, refusal(() => verify({ ...v, proof }))]).toEqual([at, replacement, expect.stringMatching(/^(?:PROOF|LOG)_/)]);
  }
});

test('arbitrary lines are a refusal, or a proof that formats to the same text', () => {
  const line = fc.oneof(
    fc.constantFrom('index 3', 'index 03', 'extra AA==', 'extra ', ''),
    fc.uint8Array({ minLength: 31, maxLength: 33 }).map((b) => Buffer.from(b).toString('base64')),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), fc.string(), (lines, rest) => {
      const file = ['c2sp.org/tlog-proof@v1', ...lines, '', rest].join('\n');
      const code = refusal(() => parseTlogProof(file));
      if (code === undefined) expect(formatTlogProof(parseTlogProof(file))).toBe(file);
      else expect(code).toBe('PROOF_MALFORMED');
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(refusal(() => parseTlogProof(bytes))).toBe('PROOF_MALFORMED');
    }),
  );
});
