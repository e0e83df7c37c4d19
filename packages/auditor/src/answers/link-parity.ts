/** The links of a site beside those that runs were made over. What a site says of its own is the word of its `fetch` process: it is shown, and nobody vouches for it. */
import type { Digest } from '@sealane/core';
import type { Conditions, LinkConditions, LinkKind, MeasuredLink } from '@sealane/trust';
import type { ReceiptTold } from './receipts.js';

export interface LinkParity {
  /** The receipt that tells it, and the release that came over these links. */
  readonly receipt: Digest;
  readonly release: Digest | null;
  readonly at: string;
  /** As the fetch process measured, over the syncs that brought that release. */
  readonly measured: readonly MeasuredLink[];
  /** Beside the profile that is most like it; null: no passing run measured any, or nothing came over a network. */
  readonly beside: LinkComparison | null;
}

export interface LinkComparison {
  readonly run: Digest;
  readonly profile: string;
  /** What is worse at the site than it was in the run. */
  readonly differences: readonly LinkDifference[];
  /** What one of the two did not measure. */
  readonly unknown: readonly string[];
}

/** `latency`: median times, those of the site to the first byte of small answers. `loss`: percent of packets, and of the site's requests without a whole answer. */
export interface LinkDifference {
  readonly over: LinkKind;
  readonly what: 'latency' | 'loss';
  readonly tested: string;
  readonly site: string;
}

/** What is said of the link over which `release` came; where nothing is, of the last one that was measured. */
export function linkOf(
  receipts: readonly ReceiptTold[],
  release: Digest,
  conditions: readonly { readonly run: Digest; readonly document: Conditions }[],
): LinkParity | null {
  const measuring = receipts.filter(({ link }) => link !== undefined);
  const told = measuring.findLast((receipt) => receipt.release === release) ?? measuring.at(-1);
  if (told?.link === undefined) return null;
  const { link: measured, statementDigest: receipt, release: came, at } = told;
  return { receipt, release: came, at, measured, beside: nearestProfile(measured, conditions) };
}

function nearestProfile(
  measured: readonly MeasuredLink[],
  conditions: readonly { readonly run: Digest; readonly document: Conditions }[],
): LinkComparison | null {
  // a folder is no link that a run could be made over
  const links = measured.filter(({ over }) => over !== 'folder');
  if (links.length === 0) return null;
  const all = conditions.flatMap(({ run, document }) => document.profiles.map((profile) => ({ run, ...compare(links, profile) })));
  return all.sort((left, right) => weight(left) - weight(right))[0] ?? null;
}

function weight({ differences, unknown }: LinkComparison): number {
  return differences.length + unknown.length;
}

function compare(links: readonly MeasuredLink[], tested: LinkConditions): Omit<LinkComparison, 'run'> {
  const differences = links.flatMap(({ over, firstByteMs, requests, unanswered }): readonly LinkDifference[] => {
    const { p50 } = tested.latencyMs;
    const percent = Math.round((unanswered / requests) * 10_000) / 100;
    return [
      ...(firstByteMs !== undefined && firstByteMs > p50
        ? [{ over, what: 'latency' as const, tested: `${p50} ms`, site: `${firstByteMs} ms` }]
        : []),
      ...(percent > tested.lossPercent ? [{ over, what: 'loss' as const, tested: `${tested.lossPercent} %`, site: `${percent} %` }] : []),
    ];
  });
  // conditions tell no rate
  const unknown = links.flatMap(({ over, firstByteMs }) => [`${over} rate`, ...(firstByteMs === undefined ? [`${over} latency`] : [])]);
  return { profile: tested.profile, differences, unknown };
}
