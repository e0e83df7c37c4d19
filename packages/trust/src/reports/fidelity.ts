/** Fidelity: how real each dependency of a release was in a test run, and how real the data. */
import { TrustError } from '@sealane/core';
import { z } from 'zod';
import { parseDocument } from '../policy/document.js';
import { nameShape } from '../policy/shapes.js';

/** What stood in for the dependency, least real first. */
export const RUNGS = ['mock', 'partial', 'hardware'] as const;
export type Rung = (typeof RUNGS)[number];

/** Whose data it was fed, least real first. */
export const DATA_KINDS = ['synthetic', 'real'] as const;
export type DataKind = (typeof DATA_KINDS)[number];

/** One dependency in one run. */
export type DependencyFidelity = {
  readonly name: string;
  readonly rung: Rung;
  readonly data: DataKind;
};

/** What one run says of every dependency that it met. */
export type Fidelity = {
  readonly apiVersion: 'sealane/v1';
  readonly kind: 'Fidelity';
  readonly dependencies: readonly DependencyFidelity[];
};

/** A page of names; releases declare at most 256 dependencies. */
const MAX_FIDELITY_BYTES = 256 * 1024;

/** Zod's shape. */
export const fidelityShape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Fidelity'),
  dependencies: z.array(z.strictObject({ name: nameShape, rung: z.enum(RUNGS), data: z.enum(DATA_KINDS) })).max(256),
});

/** Checks that each dependency is there once: twice, and which rung it had is not known. @throws TrustError `TRUST_MALFORMED` */
export function checkFidelity({ dependencies }: Fidelity): void {
  const names = dependencies.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TrustError('TRUST_MALFORMED', `parse fidelity: expected each dependency once, got ${twice} again`);
}

/**
 * Reads the fidelity of a run.
 *
 * @throws TrustError `TRUST_TOO_LARGE`; `TRUST_MALFORMED` another shape, not canonical, or a dependency twice
 */
export function parseFidelity(bytes: Uint8Array): Fidelity {
  const fidelity: Fidelity = parseDocument('fidelity', fidelityShape, bytes, MAX_FIDELITY_BYTES);
  checkFidelity(fidelity);
  return fidelity;
}
