/** What a new record of a site says otherwise than the one before: a label with a slip in it takes a site out of its group. */
import { canonicalJson, digestHex, sha256, type Statement } from '@sealane/core';
import { readSiteRecord } from '@sealane/trust';

/** One thing that is another; null: it was not said, or is not said any more. */
export interface SiteChange {
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** Each difference between two site records, labels one by one; none when both say the same. A topology stands as the beginning of its hash. */
export function changesBetween(before: Statement, after: Statement): readonly SiteChange[] {
  const [old, next] = [readSiteRecord(before), readSiteRecord(after)];
  const labels = [...new Set([...Object.keys(old.labels), ...Object.keys(next.labels)])].sort();
  const compared: readonly SiteChange[] = [
    { what: 'key', from: old.key.id, to: next.key.id },
    { what: 'key for secrets', from: old.recipient ?? null, to: next.recipient ?? null },
    { what: 'stage', from: old.stage, to: next.stage },
    ...labels.map((name) => ({ what: `label ${name}`, from: old.labels[name] ?? null, to: next.labels[name] ?? null })),
    { what: 'topology', from: topologyOf(before), to: topologyOf(after) },
  ];
  return compared.filter(({ from, to }) => from !== to);
}

/** Lines for people: `label region: north → none`. */
export function changeLines(changes: readonly SiteChange[]): readonly string[] {
  return changes.map(({ what, from, to }) => `  ${what}: ${from ?? 'none'} → ${to ?? 'none'}`);
}

function topologyOf({ predicate }: Statement): string | null {
  const { topology } = predicate;
  return topology === undefined ? null : digestHex(sha256(canonicalJson(topology))).slice(0, 12);
}
