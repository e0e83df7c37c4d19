/** Memory of bodies: who takes most gives way, and nobody takes more than there is. */
import { describe, expect, it, vi } from 'vitest';
import { bodyBudget } from './body-budget.js';

const KIB = 1024;
const none = (): void => undefined;

describe('bodies that share memory', () => {
  it('the largest that is still coming gives way to a smaller one, and takes nothing more', () => {
    const budget = bodyBudget(100 * KIB);
    const [large, larger] = [vi.fn(), vi.fn()];
    const [one, other] = [budget.begin(large), budget.begin(larger)];
    expect([one.take(50 * KIB), other.take(70 * KIB)]).toEqual([true, true]);
    expect(budget.begin(none).take(40 * KIB)).toBe(true);
    expect([large.mock.calls.length, larger.mock.calls.length]).toEqual([0, 1]);
    expect(other.take(1)).toBe(false);
    expect(one.take(1)).toBe(true);
  });

  it('the largest itself is turned away, and nobody for it', () => {
    const budget = bodyBudget(100 * KIB);
    const giveWay = vi.fn();
    const [one, other] = [budget.begin(giveWay), budget.begin(giveWay)];
    expect([one.take(60 * KIB), other.take(60 * KIB), other.take(60 * KIB)]).toEqual([true, true, false]);
    expect(giveWay).not.toHaveBeenCalled();
  });

  it('one that has come keeps what it takes until it is closed', () => {
    const budget = bodyBudget(100 * KIB);
    const giveWay = vi.fn();
    const one = budget.begin(giveWay);
    one.take(110 * KIB);
    one.whole();
    expect(budget.begin(none).take(40 * KIB)).toBe(false);
    one.close();
    one.close();
    expect(giveWay).not.toHaveBeenCalled();
    const next = budget.begin(none);
    expect([next.take(116 * KIB), next.take(1)]).toEqual([true, false]);
  });

  it('a small one needs no room', () => {
    const budget = bodyBudget(100 * KIB);
    const large = budget.begin(none);
    large.take(116 * KIB);
    large.whole();
    const small = budget.begin(none);
    expect([small.take(10 * KIB), small.take(6 * KIB), small.take(1)]).toEqual([true, true, false]);
  });
});
