/** Which entries an archive takes: by kind, since some are read as long as they stand, and by age. */
import { PREDICATE, PromoterError } from '@sealane/core';
import type { Ledger } from '@sealane/ledger';
import { isTime } from '@sealane/trust';

type Kind = keyof typeof PREDICATE;

/**
 * What is about one release or one site on one day. Who a site or a rig is, what was revoked, called back, excepted, ordered or erased, and what a release is made of
 * stays: every decision looks there, however old it is.
 */
export const ARCHIVED_BY_DEFAULT: readonly Kind[] = [
  'receipt',
  'testResult',
  'provenance',
  'vulnerabilities',
  'cyclonedx',
  'spdx',
  'approval',
  'decision',
];

/** The name of a class that is no kind of statement: reports, inventories and descriptions that test results name. */
export const DOCUMENTS = 'document';

/** Predicate types by their names, or as they are; those of `ARCHIVED_BY_DEFAULT` where none is named. @throws PromoterError `USAGE` */
export function predicateTypesOf(names: readonly string[]): readonly string[] {
  const wanted = names.length === 0 ? ARCHIVED_BY_DEFAULT : names;
  const types = new Set(wanted.map(predicateTypeOf));
  // what says that something was erased has to be at hand wherever that is missed
  if (!types.has(PREDICATE.erasure)) return [...types];
  throw new PromoterError('USAGE', 'read --type: expected a kind that may be archived, got erasure');
}

function predicateTypeOf(name: string): string {
  if (isKind(name)) return PREDICATE[name];
  if (/^[a-z][a-z0-9+.-]*:\S{1,500}$/.test(name)) return name;
  throw new PromoterError(
    'USAGE',
    `read --type: expected ${Object.keys(PREDICATE).join(', ')}, ${DOCUMENTS} or a predicate type, got ${JSON.stringify(name.slice(0, 80))}`,
  );
}

function isKind(name: string): name is Kind {
  return Object.hasOwn(PREDICATE, name);
}

/** An index, or how many entries were logged before a time. @throws PromoterError `USAGE` */
export async function sizeBefore(ledger: Ledger, text: string): Promise<number> {
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  if (!isTime(text))
    throw new PromoterError(
      'USAGE',
      `read --before: expected an index or a time such as 2026-11-24T10:00:00Z, got ${JSON.stringify(text.slice(0, 80))}`,
    );
  return await ledger.sizeAt(text);
}
