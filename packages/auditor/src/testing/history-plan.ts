/** What a history at random is made of, and what each thing that was told says. */
import { type Digest, sha256, utf8 } from '@sealane/core';
import fc from 'fast-check';

export const SITES = ['plant-1', 'plant-2', 'plant-3'] as const;
export const RELEASES = [1, 2, 3].map((n) => sha256(utf8(`release ${n}`)));
export const PARTS = [1, 2, 3].map((n) => sha256(utf8(`part ${n}`)));
export const BIOSES = ['1.0', '1.1', '2.0'] as const;
/** Kinds of link: the i-th site has the i-th. */
export const LINKS = ['lte', 'fibre', 'dsl'] as const;
/** What every second release declares, with its default. */
export const VARIABLE = { name: 'RATE', type: 'integer', min: 0, max: 9, default: 5 } as const;
const EVENTS = ['installed', 'refused', 'rolled-back', 'rollback'] as const;
export const STAGES = ['dev', 'edge-preprod', 'prod'] as const;

/** One statement as it was told; `at`: by its own word; `witnessed`: when witnesses saw it. `isOwn`: signed by who may say it. */
export type Told = { readonly index: number; readonly witnessed: string; readonly at: string; readonly isOwn: boolean } & (
  | { readonly kind: 'release'; readonly release: Digest; readonly part: Digest; readonly declares: boolean }
  | {
      readonly kind: 'decision';
      readonly release: Digest;
      readonly stage: string;
      readonly result: 'PASSED' | 'FAILED';
      /** The exception that it rests on. */
      readonly names: Digest | null;
    }
  | { readonly kind: 'approval'; readonly release: Digest; readonly sawThisLog: boolean }
  | { readonly kind: 'order'; readonly release: Digest }
  | { readonly kind: 'scan'; readonly release: Digest; readonly found: boolean }
  | { readonly kind: 'exception'; readonly release: Digest; readonly digest: Digest }
  /** Alice grants exceptions, and bob reviews them; `isGranters`: she did it herself. */
  | { readonly kind: 'review'; readonly exception: Digest; readonly isGranters: boolean }
  | { readonly kind: 'site'; readonly site: string; readonly link: string }
  | { readonly kind: 'revocation'; readonly release: Digest }
  | {
      readonly kind: 'test';
      readonly release: Digest;
      readonly passed: boolean;
      readonly bios: string;
      /** Of the topology under test. */
      readonly link: string;
      readonly digest: Digest;
    }
  | {
      readonly kind: 'receipt';
      readonly site: string;
      readonly seq: number;
      readonly event: (typeof EVENTS)[number];
      readonly release: Digest;
      readonly previous: Digest | null;
      readonly bios: string;
      /** What the site sets of `VARIABLE`; null: nothing. */
      readonly rate: number | null;
      /** Entries of the log that the site had seen. */
      readonly size: number;
    }
);

const place = fc.nat(1000);
const pick = fc.nat(2);
const run = fc.record({ act: fc.constant('test' as const), pick, bios: pick, passed: fc.boolean(), own: fc.nat(9), place });
const decision = fc.record({
  act: fc.constant('decision' as const),
  pick,
  stage: pick,
  passed: fc.boolean(),
  minute: fc.nat(59),
  rests: fc.boolean(),
  own: fc.nat(9),
  place,
});
const act = fc.oneof(
  decision,
  fc.record({ act: fc.constant('revocation' as const), pick, own: fc.nat(9), place }),
  fc.record({
    act: fc.constantFrom('approval', 'order', 'scan', 'exception', 'review'),
    pick,
    found: fc.boolean(),
    minute: fc.nat(59),
    own: fc.nat(9),
    place,
  }),
  run,
);
/** What comes to pass one after the other: an exception that is used and reviewed, a scan after one that found something. */
const sequel = fc.oneof(
  decision.map((one) => ({ ...one, rests: true })),
  fc.record({ act: fc.constantFrom('scan', 'exception', 'review'), pick, found: fc.boolean(), minute: fc.nat(59), own: fc.nat(9), place }),
);
const step = fc.record({
  site: pick,
  event: fc.constantFrom(...EVENTS),
  pick,
  bios: pick,
  twin: fc.nat(9),
  own: fc.nat(9),
  size: fc.nat(20),
  place,
});

/** What `tellHistory` makes a history of. */
export const historyPlan = fc.record({
  acts: fc.array(act, { minLength: 10, maxLength: 24 }),
  sequels: fc.array(sequel, { minLength: 10, maxLength: 20 }),
  // more of these: to say which run is the nearest there must be several
  runs: fc.array(run, { minLength: 6, maxLength: 12 }),
  steps: fc.array(step, { minLength: 4, maxLength: 14 }),
  parts: fc.array(pick, { minLength: 3, maxLength: 3 }),
  seals: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
});

/** One of them. */
export type Plan = typeof historyPlan extends fc.Arbitrary<infer T> ? T : never;

/** The minute of a day as a time. */
export function timeAt(minute: number): string {
  return `2026-11-24T${String(10 + Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:00Z`;
}
