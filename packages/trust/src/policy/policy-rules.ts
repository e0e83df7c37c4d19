/** What a policy's shape cannot say: references that resolve, keys that are what their ids claim, an order that is one. */
import { CoreError, digestHex, fromBase64, identityIdOf, parseVkey, sha256, TrustError } from '@sealane/core';
import { checkAuthorities } from './authorities.js';
import type { Policy, PolicyWindow } from './policy-types.js';
import { signerWindow } from './signer-window.js';
import { scopeName } from './scope.js';

/**
 * Checks what ties the parts of a policy together.
 *
 * @throws TrustError `TRUST_MALFORMED` the first contradiction found
 */
export function checkPolicy(policy: Policy): void {
  checkChain(policy);
  checkKeys(policy);
  checkIdentities(policy);
  checkPeople(policy);
  checkExceptions(policy);
  checkScopes(policy);
  checkLogs(policy);
  checkUnique(
    'groups',
    policy.groups.map((group) => group.name),
  );
}

/** The chain is in order (each stage after those it names) and ends with the policy's own stage. */
function checkChain({ chain, stage }: Policy): void {
  const seen = new Set<string>();
  for (const link of chain) {
    if (seen.has(link.stage)) fail(`expected each stage once in the chain, got ${link.stage} again`);
    const unknown = link.from.find((name) => !seen.has(name));
    if (unknown !== undefined) fail(`expected stage ${link.stage} after the stages it takes from, got ${unknown} later or nowhere`);
    seen.add(link.stage);
  }
  const last = chain[chain.length - 1]?.stage;
  if (last !== stage) fail(`expected the chain to end with stage ${stage}, got ${String(last)}`);
}

/** Every id is the hash of its key, every named id has a key, and a window is not upside down. */
function checkKeys(policy: Policy): void {
  for (const [keyId, key] of Object.entries(policy.keys)) {
    const actual = digestHex(sha256(base64Bytes(`keys.${keyId}.spki`, key.spki)));
    if (actual !== keyId) fail(`expected key ${keyId} to be the SHA-256 of its SPKI, got ${actual}`);
    checkWindow(`key ${keyId}`, key);
  }
  // a stage's and a registrar's word is taken where no authority can be asked: they have keys
  for (const keyId of [...policy.chain.flatMap(({ keys }) => keys), ...policy.registrar]) {
    if (!Object.hasOwn(policy.keys, keyId)) fail(`expected every key of a stage or registrar under keys, got none for ${keyId}`);
  }
  for (const id of [...policy.people.flatMap(({ keys }) => keys), ...Object.values(policy.signers).flat()]) {
    if (signerWindow(policy, id) === undefined) fail(`expected every named signer under keys or identities, got none for ${id}`);
  }
}

/** Every id is the hash of its identity, and there are authorities that can vouch for it, and for the time. */
function checkIdentities({ identities = {}, authorities }: Policy): void {
  for (const [id, entry] of Object.entries(identities)) {
    const actual = identityIdOf(entry);
    if (actual !== id) fail(`expected identity ${id} to be the hash of its identity and issuer, got ${actual}`);
    checkWindow(`identity ${entry.identity}`, entry);
  }
  if (authorities !== undefined) checkAuthorities(authorities, fail);
  const isVouched = authorities !== undefined && authorities.certificates.length > 0 && authorities.timestamps.length > 0;
  if (Object.keys(identities).length > 0 && !isVouched)
    fail('expected authorities of certificates and timestamps beside identities, got none');
}

function checkWindow(what: string, { fromIndex, untilIndex }: PolicyWindow): void {
  if (untilIndex !== null && untilIndex < fromIndex) fail(`expected ${what} to end after it begins, got ${untilIndex} before ${fromIndex}`);
}

/** Quorums count people: one key belongs to one person, and one id to one entry. */
function checkPeople({ people }: Policy): void {
  checkUnique(
    'people',
    people.map((person) => person.id),
  );
  checkUnique(
    'the keys of people',
    people.flatMap((person) => person.keys),
  );
}

/** A scope names keys and people that there are; a team has one scope for each class of workload. */
function checkScopes({ scopes = [], people, keys, identities = {}, registrar }: Policy): void {
  for (const scope of scopes) {
    const stranger = scope.people.find((id) => !people.some((person) => person.id === id));
    if (stranger !== undefined) fail(`expected the people of scope ${scope.team} under people, got ${stranger}`);
    const unknown = scope.signers.find((id) => signerWindow({ keys, identities }, id) === undefined);
    if (unknown !== undefined) fail(`expected the signers of scope ${scope.team} under keys or identities, got ${unknown}`);
    // what a registrar recalls is recalled for every team
    const bound = scope.signers.find((id) => registrar.includes(id));
    if (bound !== undefined) fail(`expected no registrar's key in scope ${scope.team}, got ${bound}`);
  }
  checkUnique('scopes, by team and classes', scopes.map(scopeName));
}

/** Exceptions are granted by people that the policy knows, and enough of them. */
function checkExceptions({ exceptions = [], people }: Policy): void {
  checkUnique(
    'the kinds of exceptions',
    exceptions.map(({ kind }) => kind),
  );
  for (const { kind, people: named, need } of exceptions) {
    checkUnique(`the people of exceptions of kind ${kind}`, named);
    const unknown = named.find((id) => !people.some((person) => person.id === id));
    if (unknown !== undefined) fail(`expected exceptions of kind ${kind} to name people, got ${unknown}`);
    if (need > named.length) fail(`expected exceptions of kind ${kind} to need at most ${named.length} people, got ${need}`);
  }
}

/** Log keys are Ed25519 keys of the log's own name, witnesses are cosignature keys, and there are enough of them. */
function checkLogs(policy: Policy): void {
  for (const log of policy.logs) {
    const keys = [log.vkey, ...(log.past ?? []).map(({ vkey }) => vkey)].map((text) => ({ text, vkey: readVkey(text) }));
    for (const { text, vkey } of keys)
      if (vkey.type !== 1 || vkey.name !== log.origin) fail(`expected an Ed25519 log key named ${log.origin}, got ${text}`);
    // a key of today that is also one of before would be bounded and not
    checkUnique(
      `the keys of log ${log.origin}`,
      keys.map(({ vkey }) => hexOf(vkey)),
    );
    if (hostOf(log.baseUrl) !== log.origin) fail(`expected the log's baseUrl at host ${log.origin}, got ${log.baseUrl}`);
  }
  checkUnique(
    'logs',
    policy.logs.map((log) => log.origin),
  );
  if (!policy.logs.some((log) => log.origin === policy.lane)) fail(`expected the lane's own log ${policy.lane} under logs, got none`);
  const past = (policy.pastWitnesses ?? []).map(({ vkey }) => vkey);
  const witnesses = [...policy.witnesses, ...past].map((text) => ({ text, vkey: readVkey(text) }));
  for (const { text, vkey } of witnesses) if (vkey.type !== 4) fail(`expected a cosignature key (type 0x04), got ${text}`);
  // a witness with a new key keeps its name
  checkUnique(
    'witness names',
    witnesses.slice(0, policy.witnesses.length).map(({ vkey }) => vkey.name),
  );
  // One key under two names would let one witness count twice.
  checkUnique(
    'witness keys',
    witnesses.map(({ vkey }) => hexOf(vkey)),
  );
  // a log that cosigns itself could show two histories
  const ofLogs = policy.logs.flatMap(({ vkey, past = [] }) => [vkey, ...past.map((old) => old.vkey)]).map((text) => hexOf(readVkey(text)));
  const own = witnesses.find(({ vkey }) => ofLogs.includes(hexOf(vkey)));
  if (own !== undefined) fail(`expected witnesses with other keys than logs have, got ${own.text}`);
  if (policy.quorum > policy.witnesses.length) {
    fail(`expected a quorum that the witnesses can reach, got ${String(policy.quorum)} of ${String(policy.witnesses.length)}`);
  }
}

function readVkey(text: string): ReturnType<typeof parseVkey> {
  try {
    return parseVkey(text);
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return fail(error.message, error);
  }
}

function hexOf({ publicKey }: ReturnType<typeof parseVkey>): string {
  return Buffer.from(publicKey).toString('hex');
}

function base64Bytes(place: string, text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return fail(`${place}: ${error.message}`, error);
  }
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function checkUnique(what: string, values: readonly string[]): void {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) fail(`expected each of ${what} once, got ${value} again`);
    seen.add(value);
  }
}

function fail(why: string, cause?: unknown): never {
  throw new TrustError('TRUST_MALFORMED', `parse policy: ${why}`, {}, cause === undefined ? {} : { cause });
}
