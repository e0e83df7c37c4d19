/** What a new policy changes against the one before it, in words that an owner can judge. */
import { canonicalJson, counted, equalBytes, type JsonValue } from '@sealane/core';
import { type Policy, signerWindow } from '@sealane/trust';

const COMPARED = [
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
/** Longest value shown in a line; the policy itself is in the proposal. */
const MAX_SHOWN = 300;

/** One line for each part that differs; a new policy is one line. */
export function policyChanges(after: Policy, before: Policy | undefined): readonly string[] {
  const name = `policy/${after.stage}.json`;
  if (before === undefined)
    return [`${name}: new, ${counted(after.gates.length, 'gate')}, ${counted(after.people.length, 'person', 'people')}`];
  const parts = COMPARED.filter((part) => differs(after[part] ?? null, before[part] ?? null)).map(
    (part) => `${name}: ${part}: ${shown(before[part] ?? null)} becomes ${shown(after[part] ?? null)}`,
  );
  return [...parts, ...keyChanges(name, after, before)];
}

/** Whether two policies are the same but for their version. */
export function samePolicy(a: Policy, b: Policy): boolean {
  return equalBytes(canonicalJson({ ...a, version: 0 }), canonicalJson({ ...b, version: 0 }));
}

function keyChanges(name: string, after: Policy, before: Policy): readonly string[] {
  const { identities = {} } = after;
  const said = [
    ...Object.entries(after.keys).map(([id, window]) => ({ id, window, what: `key ${id}` })),
    ...Object.entries(identities).map(([id, window]) => ({ id, window, what: `identity ${window.identity} of ${window.issuer}` })),
  ];
  return said.flatMap(({ id, window, what }) => {
    const old = signerWindow(before, id);
    if (old === undefined) return [`${name}: new ${what}`];
    if (old.untilIndex === window.untilIndex) return [];
    return [`${name}: ${what} ends at log index ${String(window.untilIndex)}: ${window.reason ?? 'no reason given'}`];
  });
}

function differs(a: JsonValue, b: JsonValue): boolean {
  return !equalBytes(canonicalJson(a), canonicalJson(b));
}

function shown(value: JsonValue): string {
  const text = new TextDecoder().decode(canonicalJson(value));
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
