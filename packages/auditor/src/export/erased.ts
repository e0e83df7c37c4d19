/** What an export says of documents that are not in it. */
import { type Digest, PREDICATE } from '@sealane/core';
import { type Policy, readErasure } from '@sealane/trust';
import type { ExportManifest } from './manifest.js';
import type { StatementRow } from './statement-rows.js';

/** A document that statements name and that is not there; `erased` says by which of the statements, and why. */
export interface AbsentDocument {
  readonly digest: Digest;
  readonly erased: { readonly index: number; readonly reason: string } | undefined;
}

/** The documents that the manifest calls missing. An erasure counts that a registrar of the policies signed. */
export function absentDocuments(
  { missing }: Pick<ExportManifest, 'missing'>,
  rows: readonly StatementRow[],
  policies: readonly Policy[],
): readonly AbsentDocument[] {
  const registrars = new Set(policies.flatMap(({ registrar }) => registrar));
  const erasures = rows
    .filter(({ predicateType, key }) => predicateType === PREDICATE.erasure && key !== null && registrars.has(key.id))
    .map(({ index, bundle }) => ({ index, ...readErasure(bundle.statement) }));
  return missing.map((digest) => ({
    digest,
    erased: erasures.find(
      ({ documents, statements = [] }) => documents.includes(digest) || statements.some(({ statement }) => statement === digest),
    ),
  }));
}

/** A line for people: white space in the reason begins no command of a text around it. */
export function absentText({ digest, erased }: AbsentDocument): string {
  return erased === undefined
    ? digest
    : `${digest}: erased by the registrar in entry ${erased.index}: ${erased.reason.replaceAll(/\s+/g, ' ')}`;
}
