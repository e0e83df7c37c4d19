import { describe, expect, it } from 'vitest';
import { digestsIn } from './digests-in.js';

const [a, b] = ['ab'.repeat(32), 'c0'.repeat(32)];

describe('digestsIn', () => {
  it('finds digests in JSON, with their algorithm or without', () => {
    expect([...digestsIn(JSON.stringify({ digest: `sha256:${a}`, sha256: b }))]).toEqual([a, b]);
  });

  it('finds them in base64, as the payload of an envelope is', () => {
    const payload = Buffer.from(JSON.stringify({ subject: [{ digest: { sha256: a } }] })).toString('base64');
    expect([...digestsIn(JSON.stringify({ payload }))]).toContain(a);
  });

  it('takes a run that is too long for every digest that it could hold', () => {
    expect([...digestsIn(`f${a}`)]).toContain(a);
  });

  it('finds none in other text', () => {
    expect([...digestsIn('ab'.repeat(31)), ...digestsIn('AB'.repeat(32)), ...digestsIn('')]).toEqual([]);
  });
});
