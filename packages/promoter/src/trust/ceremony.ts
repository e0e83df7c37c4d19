/**
 * The owners' ceremony at the promoter's side: gather what is published, propose, take signatures in, publish. Nothing of a proposal is current
 * before the timestamp that ends its publishing; killed before, the same command publishes it again.
 */
import path from 'node:path';
import { keyIdOf, LIMITS, PromoterError, type Signer } from '@sealane/core';
import type { CommandResult } from '@sealane/core/command-line';
import {
  type Channel,
  describeRole,
  meetsThreshold,
  type Policy,
  publishedMetadataPath,
  publishedTargetPath,
  describeTarget,
  rootAuthority,
  signMetadata,
  summarizeMetadata,
} from '@sealane/trust';
import { reached } from '../crash-point.js';
import { durableWrite, PUBLIC_FILE, readNamed, readOptional, removeFile } from '../disk-shell.js';
import { tryWitness } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { nextPublicHalf, settleKeys, signerById, storedKeys } from '../signers/key-store.js';
import { readProposal } from './described-changes.js';
import { delegatedStages, keyIdsOf, listedTargets, rootRoleKeys, signedPart } from './metadata-json.js';
import {
  encodeProposal,
  keptProposal,
  mergeProposals,
  nothingOpen,
  parseProposal,
  type Proposal,
  proposalState,
  rootAuthorities,
  targetsAuthority,
} from './proposal.js';
import { logKeyId, proposedLogVkey, wantedLogVkey, witnessNextKey, writeLogVkeys } from './log-key.js';
import { nothingProposed, proposalResult } from './proposal-result.js';
import { logRoots } from './log-roots.js';
import type { PolicyEffects } from './policy-effects.js';
import { effectLines, policyEffects } from './published-effects.js';
import { type Published, propose } from './propose.js';
import { emptyChannel, publishLogFiles, publishStage, publishTop } from './publish-lane.js';
import { refuseReturnedKeys } from './returned-keys.js';
import { readRevokedKeys } from './revoked-keys.js';
import { expectProposalApart } from './roles-apart.js';

/** What may be asked of a proposal beside what the files of the home say. */
export interface CeremonyWish {
  readonly accept: 'earlier-policies' | 'none';
  readonly renew: 'when-changed' | 'always';
}

/**
 * Writes the proposal that the home's files ask for; undefined, and no file, when they say what is published.
 *
 * @throws PromoterError `CONFIG_INVALID` a key that the pipeline names is missing; `KEY_RETURNED` a role would have a key again that it let go;
 * `KEY_ROLES_SHARED` one key would have two roles that must be apart
 */
async function makeProposal(
  promoter: Promoter,
  wish: CeremonyWish,
): Promise<{ readonly proposal: Proposal; readonly effects: PolicyEffects } | undefined> {
  const { home, pipeline } = promoter;
  const next = storedKeys(home).filter(({ state }) => state === 'next');
  const nameOf = new Map(
    storedKeys(home)
      .filter(({ state }) => state === 'current')
      .map(({ id, name }) => [id, name]),
  );
  const proposed = propose(readPublished(promoter), {
    ...wish,
    pipeline,
    logVkey: wantedLogVkey(promoter),
    findKey: (name) => nextPublicHalf(home, name),
    replacement: (id) => next.find(({ name }) => name === nameOf.get(id))?.spki,
    revoked: readRevokedKeys(home),
    logSize: await promoter.ledger.size(),
    now: promoter.now(),
  });
  if (proposed === undefined) return undefined;
  refuseReturnedKeys(home, proposed);
  expectProposalApart(proposed, publishedPolicies(promoter));
  const effects = await policyEffects(promoter, proposed);
  const proposal = { ...proposed, changes: [...proposed.changes, ...effectLines(effects)] };
  durableWrite(home.proposal, encodeProposal(proposal), PUBLIC_FILE);
  return { proposal, effects };
}

function publishedPolicies({ lane }: Promoter): readonly Policy[] {
  return [...lane.stages.values()].map(({ policy }) => policy);
}

/** The owners' part of the published lane. */
function readPublished({ home, lane }: Promoter): Published {
  const read = (name: string, what: string): Uint8Array => readNamed(path.join(home.trust, name), what);
  const metadata = (role: string, version: number): Uint8Array => read(publishedMetadataPath(role, version), role);
  const { root, targets } = lane.metadata;
  return {
    root: { version: root.version, bytes: metadata('root', root.version) },
    targets: { version: targets.version, bytes: metadata('targets', targets.version) },
    policies: new Map([...lane.stages].map(([stage, { policy, policyBytes }]) => [stage, { policy, bytes: policyBytes }])),
    file: (target) => read(publishedTargetPath(target), target.path),
    isExample: lane.isExample,
  };
}

/** Makes the proposal and answers for a command: exit 5 with the file to sign, or 0 when nothing differs. */
export async function proposeChanges(
  promoter: Promoter,
  wish: CeremonyWish = { accept: 'earlier-policies', renew: 'when-changed' },
): Promise<CommandResult> {
  const made = await makeProposal(promoter, wish);
  if (made === undefined) return nothingProposed(promoter.lane.origin);
  const result = proposalResult(made.proposal, promoter.home.proposal, 5);
  return { ...result, json: { ...result.json, effects: made.effects } };
}

/**
 * The open proposal with the signatures of copies that owners signed elsewhere; where none is open, that of the copies alone.
 *
 * @throws PromoterError `CONFIG_INVALID` there is none, or one is malformed; TrustError `TRUST_MISMATCH` they are not the same proposal
 */
export function joinCopies({ home }: Pick<Promoter, 'home'>, copies: readonly string[]): Proposal {
  const open = readOptional(home.proposal);
  const [first, ...others] = [...(open === undefined ? [] : [parseProposal(open, home.proposal)]), ...copies.map(readProposal)];
  if (first === undefined) throw nothingOpen(home.proposal);
  return mergeProposals(first, ...others);
}

/**
 * The proposal with the signer's signature on every part that waits for it.
 *
 * @throws PromoterError `KEY_NOT_NAMED` the key is no owner's; `KEY_ROLES_SHARED` one key would have two roles that must be apart
 */
export async function signProposal(proposal: Proposal, signer: Signer): Promise<Proposal> {
  expectProposalApart(proposal);
  const isOwner = (authority: ReturnType<typeof targetsAuthority>): boolean =>
    [...authority.keys.values()].some(({ id, spkiId }) => spkiId === signer.keyId && authority.keyIds.includes(id));
  const { root, targets } = proposal;
  const signsRoot = root !== null && rootAuthorities(proposal, root).some(isOwner);
  const signsTargets = targets !== null && isOwner(targetsAuthority(proposal));
  if (!signsRoot && !signsTargets) {
    throw new PromoterError(
      'KEY_NOT_NAMED',
      `sign the proposal for ${proposal.lane}: expected the key of an owner whose signature it waits for, got key ${signer.keyId}`,
    );
  }
  return {
    ...proposal,
    root: signsRoot ? await signMetadata(root, [signer]) : root,
    targets: signsTargets ? await signMetadata(targets, [signer]) : targets,
  };
}

/**
 * Publishes a proposal: its root in the log, its files, targets, stages whose key it replaces, root, snapshot, timestamp; then gives replaced keys' names to the
 * new ones. Returns the file that it is kept in.
 *
 * @throws PromoterError `TRUST_UNSIGNED` (exit 5) signatures are missing; `PROPOSAL_STALE` it was made for another state of the lane;
 * `KEY_RETURNED` a role would have a key again that it let go; `KEY_ROLES_SHARED` one key would have two roles that must be apart; `LOG_KEY_UNKNOWN` (exit 5) it replaces the log's key, and too few witnesses know the next one
 */
export async function publishProposal(promoter: Promoter, proposal: Proposal): Promise<string> {
  const published = isPublished(promoter, proposal);
  if (!published) expectBase(promoter, proposal);
  if (!published) refuseReturnedKeys(promoter.home, proposal);
  if (!published) expectProposalApart(proposal, publishedPolicies(promoter));
  const root = provenRoot(promoter, proposal);
  const targets = provenTargets(promoter, proposal, root);
  // killed after the timestamp: only what follows it is left to do
  if (!published) await writeProposal(promoter, proposal, root, targets);
  return await finishProposal(promoter, proposal, root, targets);
}

async function writeProposal(promoter: Promoter, proposal: Proposal, root: Uint8Array, targets: Uint8Array): Promise<void> {
  const { home } = promoter;
  const logVkey = proposedLogVkey(proposal) ?? promoter.logVkey;
  // before anything of it is there: under a key that no witness knows nothing would be witnessed any more
  if (logVkey !== promoter.logVkey) await witnessNextKey(promoter, logVkey);
  if (proposal.root !== null) await logRoots(promoter, { root, targets, proposal, file: keptProposal(home, root, targets) });
  for (const [name, bytes] of proposal.files)
    durableWrite(path.join(home.trust, publishedTargetPath(describeTarget(name, bytes))), bytes, PUBLIC_FILE);
  reached('trust:files-written');
  const roles = proposal.targets === null ? [] : [writeRole(promoter, 'targets', targets)];
  reached('trust:targets-written');
  // sites that take the new policy ask for a head under the witnesses that it names
  await tryWitness(promoter, 'when-grown', 'proposed');
  await publishLogFiles(promoter);
  for (const [stage, keys] of delegatedStages(targets)) {
    const ids = keyIdsOf(keys);
    if (promoter.lane.stageKeyIds(stage).join() === ids.join() && promoter.lane.stages.has(stage)) continue;
    roles.push(await publishStage(promoter, stage, channelOf(promoter, stage), await signerById(promoter.keyPlace, ids, `stage ${stage}`)));
  }
  // from here on clients take the new root: snapshot and timestamp by its keys follow at once
  if (proposal.root !== null) writeRole(promoter, 'root', root);
  reached('trust:root-written');
  await publishTop(
    { home, now: promoter.now, signer: (role) => signerById(promoter.keyPlace, keyIdsOf(rootRoleKeys(root, role)), role) },
    roles,
  );
}

/** Hands the log over, gives replaced keys' names to the new ones and sets the proposal aside; returns where it is kept. */
async function finishProposal(promoter: Promoter, proposal: Proposal, root: Uint8Array, targets: Uint8Array): Promise<string> {
  const { home, ledger } = promoter;
  const logVkey = proposedLogVkey(proposal);
  if (logVkey !== undefined && logVkey !== promoter.logVkey) await ledger.replaceKey(logVkey);
  settleKeys(home, publishedKeyIds(root, targets, proposal));
  if (logVkey !== undefined) writeLogVkeys(promoter, [logVkey]);
  const kept = keptProposal(home, root, targets);
  durableWrite(kept, encodeProposal(proposal), PUBLIC_FILE);
  removeFile(home.proposal);
  reached('trust:published');
  return kept;
}

/** Whether every part of the proposal is what the lane's snapshot and timestamp vouch for now. */
function isPublished({ lane, home }: Promoter, { root, targets, lane: name }: Proposal): boolean {
  const isCurrent = (role: 'root' | 'targets', bytes: Uint8Array | null): boolean => {
    const { version } = lane.metadata[role];
    return (
      bytes === null ||
      (summarizeMetadata(bytes).version === version &&
        sameSigned(bytes, readNamed(path.join(home.trust, publishedMetadataPath(role, version)), role)))
    );
  };
  // a root alone is current before the timestamp that follows it: it is published again, which changes nothing
  return name === lane.origin && targets !== null && isCurrent('root', root) && isCurrent('targets', targets);
}

/** A proposal stands on the versions it was made for; what of it is there already, after a kill, is its own. */
function expectBase({ lane, home }: Promoter, { basedOn, root, lane: name }: Proposal): void {
  const { version } = lane.metadata.root;
  const isOwnRoot =
    root !== null &&
    version === basedOn.root + 1 &&
    sameSigned(root, readNamed(path.join(home.trust, publishedMetadataPath('root', version)), 'root'));
  if (name === lane.origin && (version === basedOn.root || isOwnRoot) && lane.metadata.targets.version === basedOn.targets) return;
  throw new PromoterError(
    'PROPOSAL_STALE',
    `publish the proposal: expected it to stand on root ${version} and targets ${lane.metadata.targets.version} of ${lane.origin}, got one for root ${basedOn.root} and targets ${basedOn.targets} of ${name}`,
  );
}

function sameSigned(a: Uint8Array, b: Uint8Array): boolean {
  return JSON.stringify(signedPart(a)) === JSON.stringify(signedPart(b));
}

/** The root that will be in force. What its file is signed against is the published root, not the copy that travelled. */
function provenRoot({ lane, home }: Promoter, proposal: Proposal): Uint8Array {
  const published = readNamed(
    path.join(home.trust, publishedMetadataPath('root', Math.min(lane.metadata.root.version, proposal.basedOn.root))),
    'root',
  );
  if (proposal.root === null) return published;
  if (!meetsThreshold(proposal.root, [rootAuthority(published, 'root'), rootAuthority(proposal.root, 'root')]))
    throw unsigned(proposal, 'root');
  return proposal.root;
}

function provenTargets({ lane, home }: Promoter, proposal: Proposal, root: Uint8Array): Uint8Array {
  const targets =
    proposal.targets ?? readNamed(path.join(home.trust, publishedMetadataPath('targets', lane.metadata.targets.version)), 'targets');
  // a root that replaces the owners of targets needs targets signed by the new ones, or no site could read the lane
  if (!meetsThreshold(targets, [rootAuthority(root, 'targets')])) throw unsigned(proposal, 'targets');
  const missing = listedTargets(targets).find(
    (target) => !proposal.files.has(target.path) && readOptional(path.join(home.trust, publishedTargetPath(target))) === undefined,
  );
  if (missing !== undefined)
    throw new PromoterError(
      'PROPOSAL_STALE',
      `publish the proposal: expected it to bring ${missing.path}, or the lane to have it, got neither`,
    );
  return targets;
}

function unsigned(proposal: Proposal, role: 'root' | 'targets'): PromoterError {
  const missing = proposalState(proposal)[role]?.missing ?? 1;
  return new PromoterError('TRUST_UNSIGNED', `publish the proposal: expected enough owners' signatures on ${role}, ${missing} missing`, {
    role,
    missing,
  });
}

function writeRole({ home }: Promoter, role: 'root' | 'targets', bytes: Uint8Array): ReturnType<typeof describeRole> {
  const described = describeRole(role, bytes);
  durableWrite(path.join(home.trust, publishedMetadataPath(role, described.version)), bytes, PUBLIC_FILE);
  return described;
}

/** A stage whose key is replaced keeps its channel; a new one starts empty. */
function channelOf({ lane, now }: Promoter, stage: string): Channel {
  return lane.stages.get(stage)?.channel ?? emptyChannel(lane.origin, stage, now());
}

/** Every key id that root, targets or a policy names from now on. */
function publishedKeyIds(root: Uint8Array, targets: Uint8Array, proposal: Proposal): ReadonlySet<string> {
  const ofRoot = (['root', 'targets', 'snapshot', 'timestamp'] as const).flatMap((role) => rootRoleKeys(root, role).keys.map(keyIdOf));
  const ofPolicies = [...proposal.files]
    .filter(([name]) => name.startsWith('policy/'))
    .flatMap(([, bytes]) => new TextDecoder().decode(bytes.subarray(0, LIMITS.policyBytes)).match(/[0-9a-f]{64}/g) ?? []);
  const logVkey = proposedLogVkey(proposal);
  const ofLog = logVkey === undefined ? [] : [logKeyId(logVkey)];
  return new Set([...ofRoot, ...[...delegatedStages(targets).values()].flatMap(keyIdsOf), ...ofPolicies, ...ofLog]);
}
