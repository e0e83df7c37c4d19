/** The gate that an exception is wished for: by its name, and where a stage has several of one name by its place among them, as `cel:2`. */
import { type Digest, PromoterError } from '@sealane/core';
import { type Policy, settingsDigest } from '@sealane/trust';

/** A gate as an exception names it: its settings only where its name does not tell it. */
export interface MeantGate {
  readonly gate: string;
  readonly settings?: Digest;
}

/** @throws PromoterError `EXCEPTION_DENIED` the stage has no such gate, or several of the name and the place does not say which */
export function meantGate({ gates, stage }: Policy, text: string): MeantGate {
  const [name = '', place, ...more] = text.split(':');
  const same = gates.filter(({ use }) => use === name);
  const [only] = same;
  const at = place === undefined || !/^[1-9]\d?$/.test(place) || more.length > 0 ? undefined : same[Number(place) - 1];
  if (place === undefined && same.length <= 1) return { gate: name };
  if (at !== undefined) return at === only && same.length === 1 ? { gate: name } : { gate: name, settings: settingsDigest(at) };
  throw new PromoterError(
    'EXCEPTION_DENIED',
    `grant an exception for ${stage}: expected ${same.map((_, index) => `${name}:${index + 1}`).join(' or ') || 'a gate of the stage'}, as pipeline.yaml lists them, got ${text.slice(0, 80)}`,
  );
}
