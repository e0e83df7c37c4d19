import { digestFromHex } from '@sealane/core';
import { type AdmissionNext, NEW_SITE_MEMORY, type TufState } from '@sealane/trust';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { MemoryDisk } from '../testing/memory-disk.js';
import { secondsToTime } from '@sealane/trust';
import { firstTrust, readTrustFile, trustAfter, writeTrustFile } from './trust-file.js';

const FILE = '/state/trust.json';
// trust state is carried here as it is and never looked into
const TUF = { versions: { root: 1 } } as unknown as TufState;
const { floor, revoked, seenCheckpoint } = NEW_SITE_MEMORY;
const nothingNew: AdmissionNext = { trust: TUF, floor, revoked, seenCheckpoint, timeFloor: null, bars: null };
const after = (next: Partial<AdmissionNext>): Parameters<typeof trustAfter>[1] => ({
  next: { ...nothingNew, ...next },
  expiresAt: null,
  rootExpiresAt: null,
});

test('a lane that is refused takes away nothing that bars going back by hand', () => {
  const clock = new FakeClock();
  const bars = { counter: 3, revoked: [digestFromHex('a'.repeat(64))] };
  const knowing = trustAfter(firstTrust(TUF, clock), after({ bars }), clock);
  expect(trustAfter(knowing, after({ bars: null }), clock).bars).toEqual(bars);
});

test('the time floor never sinks: not by what a lane says, not by the wall clock, not by restarts', () => {
  const seconds = fc.integer({ min: 1_700_000_000, max: 2_000_000_000 });
  const events = fc.array(fc.tuple(fc.option(seconds), seconds, fc.boolean(), fc.nat({ max: 5000 })), { maxLength: 20 });
  fc.assert(
    fc.property(events, (list) => {
      const clock = new FakeClock();
      let trust = firstTrust(TUF, clock);
      for (const [witnessed, wall, isRestarted, passed] of list) {
        clock.wall = secondsToTime(wall);
        clock.uptime += passed;
        if (isRestarted) [clock.boot, clock.uptime] = [`${clock.boot}+`, 1];
        const before = trust.time.time;
        trust = trustAfter(trust, after({ timeFloor: witnessed === null ? null : secondsToTime(witnessed) }), clock);
        expect(trust.time.time >= before).toBe(true);
      }
    }),
  );
});

test('a time that has only ticked is saved now and then, one that a quorum vouched for at once', () => {
  const clock = new FakeClock();
  const saved = trustAfter(firstTrust(TUF, clock), after({ timeFloor: '2026-01-01T00:00:00Z' }), clock);
  clock.uptime += 60;
  expect(trustAfter(saved, after({ timeFloor: '2026-01-01T00:01:00Z' }), clock)).toEqual(saved);
  expect(trustAfter(saved, after({ timeFloor: '2026-01-01T00:01:01Z' }), clock).time.time).toBe('2026-01-01T00:01:01Z');
  clock.uptime += 540;
  expect(trustAfter(saved, after({ timeFloor: '2026-01-01T00:10:00Z' }), clock).time.time).toBe('2026-01-01T00:10:00Z');
});

test('is read back as written; a flipped bit anywhere is damage, and no trust at all is not enrolled', () => {
  const disk = new MemoryDisk();
  const trust = firstTrust(TUF, new FakeClock());
  expect(() => readTrustFile(disk, FILE)).toThrow(expect.objectContaining({ code: 'NOT_ENROLLED' }));
  writeTrustFile(disk, FILE, trust);
  expect(readTrustFile(disk, FILE)).toEqual(trust);
  const bytes = disk.bytes(FILE) ?? new Uint8Array();
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    disk.writeQuietly(FILE, damaged);
    expect(() => readTrustFile(disk, FILE)).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
  }
});

test('what is there already is not written again', () => {
  const disk = new MemoryDisk();
  const trust = firstTrust(TUF, new FakeClock());
  writeTrustFile(disk, FILE, trust);
  const before = disk.operations;
  writeTrustFile(disk, FILE, trust);
  expect(disk.operations).toBe(before);
});
