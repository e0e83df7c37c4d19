/** What a new policy changes against the one before it, in words that an owner can judge. */
import { canonicalJson, counted, equalBytes } from '@sealane/core';
import { type Policy, type PolicyWindow, signerWindow } from '@sealane/trust';
import { valueChanges } from './value-changes.js';

const COMPARED = [
  'lane',
  'stage',
  'chain',
  'people',
  'signers',
  'authorities',
  'registrar',
  'logs',
  'witnesses',
  'pastWitnesses',
  'quorum',
  'gates',
  'groups',
  'hardware',
  'scopes',
  'exceptions',
  'floor',
  'accepts',
] as const;

/** One line for each place that differs. */
export function policyChanges(after: Policy, before: Policy | undefined): readonly string[] {
  const name = `policy/${after.stage}.json`;
  const parts = COMPARED.flatMap((part) => valueChanges(`${name}: ${part}`, before?.[part], after[part]));
  const isNew = `${name}: new, ${counted(after.gates.length, 'gate')}, ${counted(after.people.length, 'person', 'people')}`;
  return [...(before === undefined ? [isNew] : []), ...parts, ...keyChanges(name, after, before)];
}

/** Whether two policies are the same but for their version. */
export function samePolicy(a: Policy, b: Policy): boolean {
  return equalBytes(canonicalJson({ ...a, version: 0 }), canonicalJson({ ...b, version: 0 }));
}

function keyChanges(name: string, after: Policy, before: Policy | undefined): readonly string[] {
  const ids = [before, after].flatMap((policy) => [...Object.keys(policy?.keys ?? {}), ...Object.keys(policy?.identities ?? {})]);
  return [...new Set(ids)].flatMap((id) => {
    const window = signerWindow(after, id);
    const what = `${name}: ${signerNamed([after, ...(before === undefined ? [] : [before])], id)}`;
    if (window === undefined) return [`${what} is gone`];
    return windowChanges(what, window, { lane: after.lane, old: before === undefined ? undefined : signerWindow(before, id) });
  });
}

function windowChanges(
  what: string,
  { origin, fromIndex, untilIndex, reason }: PolicyWindow,
  { lane, old }: { readonly lane: string; readonly old: PolicyWindow | undefined },
): readonly string[] {
  const was = old ?? { origin: lane, fromIndex: 0, untilIndex: null };
  const begins = was.origin === origin && was.fromIndex === fromIndex ? [] : [`${what} counts from log index ${fromIndex} of ${origin}`];
  const ends = was.untilIndex === untilIndex ? [] : [`${what} ends at log index ${untilIndex ?? 'none'}: ${reason ?? 'no reason given'}`];
  return [...(old === undefined ? [`${what} is new`] : []), ...begins, ...ends];
}

function signerNamed(policies: readonly Policy[], id: string): string {
  const [identity] = policies.flatMap(({ identities = {} }) => (Object.hasOwn(identities, id) ? [identities[id]] : []));
  return identity === undefined ? `key ${id}` : `identity ${identity.identity} of ${identity.issuer}`;
}
