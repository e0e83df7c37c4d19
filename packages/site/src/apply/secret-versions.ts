/** Which values of secrets a site has, gives, and has seen fail: pure, over the state. */
import type { GivenSecret, KnownSecret, SiteState, Slot, Target } from './state.js';

/** The highest version of a secret that was ever taken in here; 0 for none. */
export function highestOf(secrets: readonly GivenSecret[], name: string): number {
  return Math.max(0, ...secrets.filter((secret) => secret.name === name).map(({ version }) => version));
}

/** What a release that needs these secrets is given now: the newest of each that has not failed. Absent for one that needs none. */
export function secretsFor({ secrets, failedSecrets }: SiteState, names: readonly string[]): { readonly secrets?: readonly GivenSecret[] } {
  const good = secrets.filter((secret) => !failedSecrets.some((failed) => isSame(failed, secret)));
  const given = [...names].sort().map((name) => ({ name, version: highestOf(good, name) }));
  return given.length === 0 ? {} : { secrets: given };
}

/** What the running release is to be given anew, where it is not what it has. */
export function rotationDue(state: SiteState): readonly GivenSecret[] | undefined {
  const { secrets: now = [] } = state.current ?? {};
  const { secrets: next = [] } = secretsFor(
    state,
    now.map(({ name }) => name),
  );
  return sameSecrets(now, next) || next.some(({ version }) => version === 0) ? undefined : next;
}

/** Whether two releases were given the same values. */
export function sameSecrets(a: readonly GivenSecret[] = [], b: readonly GivenSecret[] = []): boolean {
  return a.length === b.length && a.every((secret) => b.some((other) => isSame(secret, other)));
}

/** Values of `target` that the release that runs does not have: those that failed with it, where only they were new. */
export function newSecrets({ secrets = [] }: Target, current: Slot | null): readonly GivenSecret[] {
  return secrets.filter((secret) => !(current?.secrets ?? []).some((other) => isSame(secret, other)));
}

/** Values that are kept: the newest of each, the newest that has not failed, and what runs or is on its way in. */
export function keptSecrets(state: SiteState): readonly KnownSecret[] {
  const { secrets, current, phase } = state;
  const names = [...new Set(secrets.map(({ name }) => name))];
  const target = 'target' in phase ? phase.target : null;
  const needed: readonly GivenSecret[] = [
    ...names.map((name) => ({ name, version: highestOf(secrets, name) })),
    ...(secretsFor(state, names).secrets ?? []),
    ...(current?.secrets ?? []),
    ...(target?.secrets ?? []),
  ];
  return secrets.filter((secret) => needed.some((each) => isSame(each, secret)));
}

/** Whether it is the same value. */
export function isSame(a: GivenSecret, b: GivenSecret): boolean {
  return a.name === b.name && a.version === b.version;
}
