/**
 * Is every root of the published lane in the log, and the only one of its version (THREATS T16)? The roots' own signatures were checked when the lane was opened;
 * what is looked for here is what owners signed, or a thief with their keys, and did not show to everybody.
 */
import { AuditorError, type Digest } from '@sealane/core';
import type { LedgerProblem } from '@sealane/ledger';
import { type DescribedRoot, describeRoot, followsRoot } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { type LoggedRoot, loggedRoots, rivalsOf } from './logged-roots.js';

/** What is needed of a context: the lane's roots, ascending without a gap, and the log. */
export type RootContext = Pick<AuditContext, 'ledger' | 'readBlob' | 'roots'>;

/**
 * A problem for each published root that no entry names though an earlier one says that it must, and for each version that has another root in the log.
 *
 * The lane's first root is what everything is measured by: nobody has to have logged it. Nor those of before roots were logged.
 */
export async function rootProblems({ ledger, readBlob, roots }: RootContext): Promise<readonly LedgerProblem[]> {
  const logged = await loggedRoots(ledger);
  const chain = roots.map((bytes, at) => describeRoot(bytes, roots[at - 1]));
  const published = chain.flatMap((root, at) => {
    const before = roots[at - 1];
    const rivals = before === undefined ? [] : rivalsOf(root, before, logged, readBlob);
    if (rivals.length > 0) return rivals.map((rival) => fork(root, rival, entryOf(root, logged)));
    const isDue = chain.slice(0, at).some(({ saysLogged }) => saysLogged);
    return isDue && entryOf(root, logged) === undefined ? [beside(root)] : [];
  });
  return [...published, ...unpublishedForks(chain.at(-1), roots.at(-1), logged, readBlob)];
}

/** Owners signed two roots of the version after the newest: the log alone says so, whichever will be published. */
function unpublishedForks(
  newest: DescribedRoot | undefined,
  bytes: Uint8Array | undefined,
  logged: readonly LoggedRoot[],
  readBlob: RootContext['readBlob'],
): readonly LedgerProblem[] {
  if (newest === undefined || bytes === undefined) return [];
  // none of that version is published: all that are logged are rivals of any other
  const [first, ...others] = rivalsOf({ version: newest.version + 1, signed: newest.signed }, bytes, logged, readBlob);
  return first === undefined ? [] : others.map((other) => fork(first, other, first.entry.index));
}

/**
 * The problem with a root that somebody was shown: none when the log names it, or the lane began with it.
 *
 * @throws AuditorError `STATEMENT_SIGNATURE` it is no successor of a root of this lane, which proves nothing
 */
export async function rootSeen({ ledger, roots }: RootContext, bytes: Uint8Array, file: string): Promise<readonly LedgerProblem[]> {
  const seen = describeRoot(bytes);
  const chain = roots.map((root, at) => describeRoot(root, roots[at - 1]));
  const same = chain.find(({ version }) => version === seen.version);
  if (same?.signed === seen.signed) return [];
  const before = roots[chain.findIndex(({ version }) => version === seen.version - 1)];
  if (before === undefined || !followsRoot(bytes, before))
    throw new AuditorError(
      'STATEMENT_SIGNATURE',
      `read ${file}: expected a root signed by the owners whom root ${seen.version - 1} of this lane names, got version ${seen.version} by others`,
      { file },
    );
  const logged = await loggedRoots(ledger);
  if (same !== undefined) return [fork(same, seen, entryOf(same, logged), 'as it was brought')];
  return entryOf(seen, logged) === undefined ? [beside(seen)] : [];
}

function entryOf({ version, signed }: Pick<DescribedRoot, 'version' | 'signed'>, logged: readonly LoggedRoot[]): number | undefined {
  return logged.find((each) => each.version === version && each.signed === signed)?.entry.index;
}

function beside({ version, signed }: DescribedRoot): LedgerProblem {
  return problem(version, `an entry of the log that names what its owners signed, ${signed}`, 'none: this root was made beside the log');
}

type Signed = { readonly version: number; readonly signed: Digest };

/** Two roots of one version. `entry` is that of the first, if it is in the log. */
function fork(
  one: Signed,
  other: Signed & { readonly entry?: { readonly index: number } },
  entry: number | undefined,
  how?: string,
): LedgerProblem {
  const [first, second] = [
    placed(one.signed, entry),
    how === undefined ? placed(other.signed, other.entry?.index) : `${other.signed}, ${how}`,
  ];
  return problem(one.version, 'one root of this version', `two that owners signed, which is a fork: ${first}, and ${second}`);
}

function placed(signed: Digest, entry: number | undefined): string {
  return entry === undefined ? `${signed}, in no entry` : `${signed} in entry ${entry}`;
}

function problem(version: number, expected: string, actual: string): LedgerProblem {
  return { where: 'root', key: String(version), expected, actual };
}
