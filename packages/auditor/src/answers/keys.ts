/** Which keys and identities may sign what, from which entry of the log to which; and everything that one of them signed. */
import { AuditorError, type Digest } from '@sealane/core';
import { describeRoot, type Policy, type PolicyWindow } from '@sealane/trust';
import { citeEntry } from './answer.js';
import { type AuditContext, personOf } from './context.js';
import { FACT } from './fact-kinds.js';
import { factsIn, factsOf } from './facts.js';
import { type Answered, type Asked, inquire, type Inquiry, isBy, sizeKnownAt, witnessedAt } from './inquiry.js';
import { loggedRoots } from './logged-roots.js';
import { headsBy } from './signed-by.js';

export interface Keys {
  readonly keys: readonly {
    readonly keyId: string;
    readonly person: string | null;
    readonly identity: string | null;
    /** `stage prod`, `tests`, `registrar`, `site harbour-7`, `delegate harbour-7 until 2027-03-28T10:00:00Z`, `rig bench-1`; none: known from the log alone. */
    readonly roles: readonly string[];
    /** Entries in which its word counts: `fromIndex` ≤ index < `untilIndex`; null where no policy names it. */
    readonly fromIndex: number | null;
    readonly untilIndex: number | null;
    readonly endedBecause: string | null;
    /** Whether its word counted at the time that is asked about. */
    readonly valid: boolean;
  }[];
  /** What the one key signed that is asked about, whether or not it counts. */
  readonly signed: readonly {
    readonly predicateType: string;
    readonly statement: Digest;
    readonly logIndex: number;
    readonly witnessed: string | null;
    readonly counts: boolean;
  }[];
  /** The lane's roots that the log names, each with the owners who signed it; of one key, those that it signed. */
  readonly roots: readonly {
    readonly version: number;
    readonly signedBy: readonly string[];
    readonly statement: Digest;
    readonly logIndex: number;
    readonly witnessed: string | null;
  }[];
}

/** Answers "who could sign what then, and what did this key sign?". @throws AuditorError `USAGE` a malformed key id; `KEY_NOT_NAMED` nobody knows it */
export async function keys(context: AuditContext, keyId: string | undefined, asked: Asked = {}): Promise<Answered<Keys>> {
  if (keyId !== undefined && !/^[0-9a-f]{64}$/.test(keyId))
    throw new AuditorError('USAGE', `read KEY: expected the 64 hex digits of a key’s id, got ${keyId.slice(0, 80)}`);
  return await inquire(context, keyId === undefined ? 'keys' : `keys ${keyId}`, asked, async (inquiry) => {
    const { ledger } = inquiry.context;
    const size = inquiry.asOf === undefined ? await ledger.size() : await sizeKnownAt(inquiry.context, inquiry.asOf);
    const roles = await rolesOf(inquiry, keyId);
    const seen = (await ledger.keysSeen()).map((row) => row.keyId);
    const roots = (await rootsNamed(inquiry)).filter(({ signedBy: owners }) => keyId === undefined || owners.includes(keyId));
    const ids = [...new Set([...roles.keys(), ...seen])].filter((id) => keyId === undefined || id === keyId);
    if (keyId !== undefined && ids.length === 0 && roots.length === 0)
      throw new AuditorError('KEY_NOT_NAMED', `ask for key ${keyId}: no policy names it, and it signed nothing in the log`);
    const all = ids.map((id) => keyOf(inquiry.context, id, roles.get(id) ?? [], size));
    return { keys: all, signed: keyId === undefined ? [] : await signedBy(inquiry, keyId, (roles.get(keyId) ?? []).length > 0), roots };
  });
}

/** What policies give each key to do, and what the registrar enrolled; of site keys only the one that is asked about, if one is. */
async function rolesOf(inquiry: Inquiry, keyId: string | undefined): Promise<ReadonlyMap<string, readonly string[]>> {
  const roles = new Map<string, Set<string>>();
  const give = (role: string, ids: readonly string[]): void => {
    for (const id of ids) roles.set(id, (roles.get(id) ?? new Set<string>()).add(role));
  };
  for (const policy of inquiry.context.policies) {
    give('registrar', policy.registrar);
    for (const { stage, keys: ids } of policy.chain) give(`stage ${stage}`, ids);
    for (const { id, keys: ids } of policy.people) give(`person ${id}`, ids);
    for (const [role, ids] of Object.entries(policy.signers)) give(role, ids);
  }
  const { ledger } = inquiry.context;
  const records = (await ledger.sites()).filter(({ siteKeyId }) => keyId === undefined || siteKeyId === keyId);
  for (const { said } of await factsIn(inquiry, FACT.siteRecord, await ledger.entriesAt(records.map(({ index }) => index))))
    give(`site ${said.site}`, [said.key.id]);
  for (const { said } of await factsOf(inquiry, FACT.delegation))
    give(`delegate ${said.sites.map(({ site }) => site).join(' ')} until ${said.expiresAt}`, [said.delegate.id]);
  for (const { said } of await factsOf(inquiry, FACT.rig)) give(`rig ${said.rig}`, [said.key.id]);
  return new Map([...roles].map(([id, some]) => [id, [...some]]));
}

function keyOf(context: AuditContext, keyId: string, roles: readonly string[], size: number): Keys['keys'][number] {
  const window = windowOf(context.policies, keyId);
  return {
    keyId,
    person: personOf(context, keyId) ?? null,
    identity: context.policies.map(({ identities = {} }) => identities[keyId]?.identity).find((one) => one !== undefined) ?? null,
    roles,
    fromIndex: window?.fromIndex ?? null,
    untilIndex: window?.untilIndex ?? null,
    endedBecause: window?.reason ?? null,
    valid: roles.length > 0 && isWithin(window, size),
  };
}

function windowOf(policies: readonly Policy[], keyId: string): PolicyWindow | undefined {
  return policies.map(({ keys: named, identities = {} }) => named[keyId] ?? identities[keyId]).find((one) => one !== undefined);
}

/** What is logged next lies within its window. A site's or rig's key has none here: it counts from its record on, which is in the log by then. */
function isWithin(window: PolicyWindow | undefined, index: number): boolean {
  return window === undefined || (index >= window.fromIndex && (window.untilIndex === null || index < window.untilIndex));
}

async function signedBy(inquiry: Inquiry, keyId: string, hasRole: boolean): Promise<Keys['signed']> {
  const window = windowOf(inquiry.context.policies, keyId);
  const times = new Map<number, string | null>();
  const heads = await headsBy(inquiry, keyId, async ({ index }) => {
    const witnessed = await witnessedAt(inquiry.context, index);
    times.set(index, witnessed);
    return witnessed === null || isBy(inquiry, witnessed);
  });
  return heads.map(({ index, predicateType, statementDigest: statement }) => {
    return { predicateType, statement, logIndex: index, witnessed: times.get(index) ?? null, counts: hasRole && isWithin(window, index) };
  });
}

/** The entries that name the lane's roots. Who signed one is read out of the root, not out of what is said of it, and whoever said so the log holds it. */
async function rootsNamed({ context, evidence, asOf }: Inquiry): Promise<Keys['roots']> {
  const logged = await loggedRoots(context.ledger);
  const named: Keys['roots'][number][] = [];
  for (const [at, bytes] of context.roots.entries()) {
    const { version, signed, signedBy: owners } = describeRoot(bytes, context.roots[at - 1]);
    const entry = logged.find((each) => each.version === version && each.signed === signed)?.entry;
    if (entry === undefined) continue;
    const witnessed = await witnessedAt(context, entry.index);
    if (witnessed !== null && !isBy({ asOf }, witnessed)) continue;
    citeEntry(evidence, entry);
    named.push({ version, signedBy: owners, statement: entry.statementDigest, logIndex: entry.index, witnessed });
  }
  return named;
}
