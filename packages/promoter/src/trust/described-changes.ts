/**
 * What a proposal changes, made of what is to be signed and of what is published, both in the file: on the owner's machine again, so that what an owner reads
 * is what is signed, and not what the host that proposes says of it.
 */
import { canonicalJson, equalBytes, type JsonObject, type JsonValue, LIMITS, parseStrictJson, PromoterError } from '@sealane/core';
import { describeTarget, meetsThreshold, parsePolicy, rootAuthority, summarizeMetadata, type TargetDescription } from '@sealane/trust';
import { readNamed } from '../disk-shell.js';
import { delegationsIn, listedTargets, signedPart } from './metadata-json.js';
import { policyChanges } from './policy-changes.js';
import { parseProposal, type Proposal } from './proposal.js';
import { valueChanges } from './value-changes.js';

/** What decides what a proposal changes. */
export type ProposalParts = Pick<Proposal, 'currentRoot' | 'currentTargets' | 'currentFiles' | 'root' | 'targets' | 'files'>;

/** What the promoter alone can say: how releases would fare, by the ledger that it has. */
const EFFECT = /^policy\/[a-z0-9._-]+\.json: would (?:let in|refuse) /;

/** Fields of metadata that are told in words of their own, or say nothing. */
const TOLD = ['_type', 'spec_version', 'version', 'expires', 'keys', 'roles', 'targets', 'delegations'];

/** The changes, one a line. */
export function describedChanges(parts: ProposalParts): readonly string[] {
  return [...rootChanges(parts), ...targetsChanges(parts)];
}

/** What of the lines is the promoter's own word. */
export function effectsIn(changes: readonly string[]): readonly string[] {
  return changes.filter((line) => EFFECT.test(line));
}

/**
 * Reads a proposal that owners are to judge: it must say what it changes, on top of what they published.
 *
 * @throws PromoterError `CONFIG_INVALID` it says something else, stands on nothing that owners signed, or does not bring all that differs
 */
export function readProposal(file: string): Proposal {
  const proposal = parseProposal(readNamed(file, 'proposal'), file);
  const problem = problemOf(proposal);
  if (problem === undefined) return proposal;
  throw new PromoterError(
    'CONFIG_INVALID',
    `read proposal ${file}: expected ${problem}`,
    { source: file },
    { hint: 'sign nothing of it; have it made anew: sealane trust propose' },
  );
}

/**
 * That a proposal stands on a root which somebody keeps: a proposal brings what is published itself, and whoever makes it up can make that up too, with keys of his own.
 *
 * @throws PromoterError `TRUST_MISMATCH` it stands on another; `TRUST_MALFORMED` what is kept is no root
 */
export function expectStandsOn({ currentRoot }: Proposal, kept: Uint8Array, names: { readonly file: string; readonly root: string }): void {
  // signatures may be others: the keys and versions that they are for are the same
  if (currentRoot !== null && equalBytes(canonicalJson(signedPart(currentRoot)), canonicalJson(signedPart(kept)))) return;
  const got = currentRoot === null ? 'none' : `another, version ${versionOf(currentRoot)}`;
  throw new PromoterError(
    'TRUST_MISMATCH',
    `read proposal ${names.file}: expected it to stand on root version ${versionOf(kept)} of ${names.root}, got ${got}`,
    { source: names.file },
    { hint: 'sign nothing of it, unless a newer root was published: then take that one, N.root.json, from somebody who signed it' },
  );
}

function problemOf(proposal: Proposal): string | undefined {
  const { currentRoot, currentTargets, root, targets, changes, basedOn } = proposal;
  if (currentRoot === null || currentTargets === null) return 'the published root and targets in it, got none';
  const isOwners =
    meetsThreshold(currentRoot, [rootAuthority(currentRoot, 'root')]) &&
    meetsThreshold(currentTargets, [rootAuthority(currentRoot, 'targets')]);
  if (!isOwners) return 'published root and targets that their owners signed, got others';
  const follows = (next: Uint8Array | null, now: Uint8Array, based: number): boolean =>
    versionOf(now) === based && (next === null || versionOf(next) === based + 1);
  if (!follows(root, currentRoot, basedOn.root) || !follows(targets, currentTargets, basedOn.targets))
    return `versions that follow root ${basedOn.root} and targets ${basedOn.targets}, got others`;
  const hidden = hiddenTarget(proposal, currentTargets);
  if (hidden !== undefined) return `${hidden} in it, as it was and as it is to be, got less`;
  const lines = changes.filter((line) => !EFFECT.test(line));
  return lines.join('\n') === describedChanges(proposal).join('\n') ? undefined : 'changes that say what is to be signed, got other words';
}

/** A target that would change, with bytes that are not shown, or with others in the place of what was published. */
function hiddenTarget({ targets, files, currentFiles }: ProposalParts, currentTargets: Uint8Array): string | undefined {
  if (targets === null) return undefined;
  const before = new Map(listedTargets(currentTargets).map((target) => [target.path, target]));
  const isHidden = (target: TargetDescription): boolean => {
    const old = before.get(target.path);
    if (old !== undefined && isSame(old, target)) return false;
    const shown = currentFiles.get(target.path);
    const isOldShown = old === undefined ? shown === undefined : shown !== undefined && isSame(old, describeTarget(target.path, shown));
    return !files.has(target.path) || !isOldShown;
  };
  return listedTargets(targets).find(isHidden)?.path;
}

function isSame(a: TargetDescription, b: TargetDescription): boolean {
  return a.sha256Hex === b.sha256Hex && a.lengthBytes === b.lengthBytes;
}

function versionOf(metadata: Uint8Array): number {
  return summarizeMetadata(metadata).version;
}

function rootChanges({ currentRoot, root }: ProposalParts): readonly string[] {
  if (root === null) return [];
  const { version, expiresAt } = summarizeMetadata(root);
  const before = currentRoot === null ? undefined : rolesOf(currentRoot);
  return [
    ...valueChanges('root', before, rolesOf(root)),
    ...valueChanges('root', currentRoot === null ? undefined : otherFields(currentRoot), otherFields(root)),
    `root: version ${version}, until ${expiresAt}`,
  ];
}

/** The roles of a root, with keys by the ids that are used everywhere else. */
function rolesOf(root: Uint8Array): JsonObject {
  return Object.fromEntries(
    (['root', 'targets', 'snapshot', 'timestamp'] as const).map((role) => {
      const { keys, keyIds, threshold } = rootAuthority(root, role);
      return [role, { keys: keyIds.map((id) => keys.get(id)?.spkiId ?? id), threshold }];
    }),
  );
}

function targetsChanges({ currentTargets, targets, files, currentFiles }: ProposalParts): readonly string[] {
  if (targets === null) return [];
  const { version, expiresAt } = summarizeMetadata(targets);
  const listed = new Set(listedTargets(targets).map(({ path }) => path));
  const dropped = currentTargets === null ? [] : listedTargets(currentTargets).filter(({ path }) => !listed.has(path));
  const before = currentTargets === null ? undefined : otherFields(currentTargets);
  return [
    ...[...files].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, bytes]) => fileChanges(path, bytes, currentFiles.get(path))),
    ...valueChanges('delegations', currentTargets === null ? undefined : delegationsIn(currentTargets), delegationsIn(targets)),
    ...valueChanges('targets', before, otherFields(targets)),
    ...dropped.map(({ path }) => `${path}: dropped`),
    `targets: version ${version}, until ${expiresAt}`,
  ];
}

function fileChanges(path: string, bytes: Uint8Array, before: Uint8Array | undefined): readonly string[] {
  if (before !== undefined && equalBytes(before, bytes)) return [];
  if (!path.startsWith('policy/')) return valueChanges(path, before === undefined ? undefined : jsonIn(before), jsonIn(bytes));
  const policy = parsePolicy(bytes);
  const lines = policyChanges(policy, before === undefined ? undefined : parsePolicy(before));
  return path === `policy/${policy.stage}.json` ? lines : [`${path}: is the policy of ${policy.stage}`, ...lines];
}

function otherFields(metadata: Uint8Array): JsonObject {
  return Object.fromEntries(Object.entries(signedPart(metadata)).filter(([name]) => !TOLD.includes(name)));
}

function jsonIn(bytes: Uint8Array): JsonValue {
  return parseStrictJson(bytes, { maxBytes: LIMITS.policyBytes, maxDepth: LIMITS.jsonDepth });
}
