/**
 * The owners' ceremony: a proposal with unsigned metadata and targets is made here, signed by each owner on any machine, and published here
 * when every threshold is met. Nothing of it is current before that.
 */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Digest, PromoterError, type Signer } from '@sealane/core';
import {
  type Authority,
  countSignatures,
  describeRole,
  encodePolicy,
  encodeTrustedRoot,
  mergeSignatures,
  type Policy,
  policyDigest,
  publishedMetadataPath,
  rootAuthority,
  rootMetadata,
  signMetadata,
  summarizeMetadata,
  targetsMetadata,
  tufExpiryAt,
  EXAMPLE_MARK,
} from '@sealane/trust';
import { durableWrite, PUBLIC_FILE, readNamed, readOptional } from '../disk-shell.js';
import { reached } from '../crash-point.js';
import { type Promoter, stageSigner } from '../promoter.js';
import { readPublicHalf } from '../signers/key-file.js';
import { policyFor } from './policies.js';
import { nextVersion, publishStage, publishTop, writeTarget } from './publish-lane.js';

/** What is proposed, by file name in the proposal folder: unsigned (then signed) metadata, and the targets' bytes. */
export interface Proposal {
  readonly folder: string;
  readonly files: readonly { readonly file: string; readonly type: string; readonly version: number; readonly signedBy: readonly string[]; readonly missing: number }[];
}

/** Changes beside those of pipeline.yaml. */
export interface ProposalWish {
  /** New root keys (names under owners/), for a rotation of the root. */
  readonly rootKeys?: readonly string[];
  /** A key that counts only below a log index from now on. */
  readonly revoke?: { readonly keyId: string; readonly untilIndex: number; readonly reason: string };
}

const ROOT_THRESHOLD = 2;

/**
 * Writes a proposal for the pipeline as it stands in pipeline.yaml. An older proposal is replaced.
 *
 * A changed policy accepts what was decided under the one before it up to now, so that no waybill loses its worth by it; owners may strike that.
 */
export async function propose(promoter: Promoter, wish: ProposalWish): Promise<Proposal> {
  const { home, pipeline, lane, logVkey } = promoter;
  rmSync(home.proposal, { recursive: true, force: true });
  const findKey = (name: string): Uint8Array => readPublicHalf(home.keys, name);
  const size = await promoter.ledger.size();
  const policies = pipeline.stages.map(({ name }) => {
    const before = lane.stages.get(name);
    const accepts = before === undefined ? [] : [...before.policy.accepts, { digest: before.digest, belowIndex: size }];
    const fresh = policyFor(pipeline, name, findKey, logVkey, before === undefined ? undefined : { ...before.policy, accepts });
    return { name, policy: bounded(fresh, wish.revoke) };
  });
  const targets = policies.map(({ name, policy }) => stageFile(home.proposal, `policy/${name}.json`, encodePolicy(policy)));
  const last = policies.at(-1)?.policy;
  if (last !== undefined) targets.push(stageFile(home.proposal, 'trusted_root.json', encodeTrustedRoot(last)));
  const delegations = pipeline.stages.map(({ name, key }) => ({ stage: name, keys: [findKey(key ?? name)], threshold: 1 }));
  const version = nextVersion(home, 'targets');
  durableWrite(path.join(home.proposal, 'targets.json'), targetsMetadata({ version, expiresAt: tufExpiryAt('targets', promoter.now()), targets, stages: delegations }), PUBLIC_FILE);
  if (wish.rootKeys !== undefined) proposeRoot(promoter, wish.rootKeys);
  return showProposal(promoter);
}

function bounded(policy: Policy, revoke: ProposalWish['revoke']): Policy {
  const key = revoke === undefined ? undefined : policy.keys[revoke.keyId];
  if (revoke === undefined || key === undefined) return policy;
  return { ...policy, keys: { ...policy.keys, [revoke.keyId]: { ...key, untilIndex: revoke.untilIndex, reason: revoke.reason } } };
}

function stageFile(folder: string, name: string, bytes: Uint8Array): ReturnType<typeof writeTarget> {
  return writeTarget({ trust: path.join(folder, 'trust') }, name, bytes);
}

function proposeRoot({ home, lane, now }: Promoter, names: readonly string[]): void {
  const owner = (name: string): Uint8Array => readPublicHalf(home.owners, name);
  const online = (name: string): { keys: readonly Uint8Array[]; threshold: number } => ({ keys: [readPublicHalf(home.keys, name)], threshold: 1 });
  const root = rootMetadata({
    version: lane.metadata.root.version + 1,
    expiresAt: tufExpiryAt('root', now()),
    roles: {
      root: { keys: names.map(owner), threshold: ROOT_THRESHOLD },
      targets: { keys: ['targets-1', 'targets-2'].map(owner), threshold: ROOT_THRESHOLD },
      snapshot: online('snapshot'),
      timestamp: online('timestamp'),
    },
    ...(lane.isExample ? { marks: { [EXAMPLE_MARK]: true } } : {}),
  });
  durableWrite(path.join(home.proposal, 'root.json'), root, PUBLIC_FILE);
}

/** The proposal with its signatures counted. @throws PromoterError `PROPOSAL_NONE` */
export function showProposal(promoter: Promoter): Proposal {
  const { proposal } = promoter.home;
  const files = ['root.json', 'targets.json'].flatMap((file) => {
    const bytes = readOptional(path.join(proposal, file));
    if (bytes === undefined) return [];
    const { type, version } = summarizeMetadata(bytes);
    const counts = authoritiesOf(promoter, type).map((authority) => countSignatures(bytes, authority));
    return [{ file: path.join(proposal, file), type, version, signedBy: [...new Set(counts.flatMap(({ signedBy }) => signedBy))], missing: Math.max(...counts.map(({ missing }) => missing)) }];
  });
  if (files.length === 0) throw new PromoterError('PROPOSAL_NONE', `read the proposal ${proposal}: there is none`);
  return { folder: proposal, files };
}

/** Who must sign: a root needs a threshold of the root before it and of itself; targets those that the root in force (or the proposed one) names. */
function authoritiesOf({ home, lane }: Promoter, type: string): readonly Authority[] {
  const current = readNamed(path.join(home.trust, publishedMetadataPath('root', lane.metadata.root.version)), 'root');
  const proposed = readOptional(path.join(home.proposal, 'root.json'));
  if (type === 'root' && proposed !== undefined) return [rootAuthority(current, 'root'), rootAuthority(proposed, 'root')];
  return [rootAuthority(proposed ?? current, 'targets')];
}

/** Adds one owner's signature to a metadata file, wherever that file is. Returns how the file reads afterwards. */
export async function signProposal(file: string, signer: Signer): Promise<{ readonly file: string; readonly type: string; readonly version: number }> {
  const bytes = readNamed(file, 'proposal');
  const signed = await signMetadata(bytes, [signer]);
  durableWrite(file, signed, PUBLIC_FILE);
  const { type, version } = summarizeMetadata(signed);
  return { file, type, version };
}

/** Joins signatures that owners made on copies elsewhere. */
export function joinSignatures(promoter: Promoter, copy: string): void {
  const theirs = readNamed(copy, 'signed proposal');
  const { type } = summarizeMetadata(theirs);
  const file = path.join(promoter.home.proposal, `${type}.json`);
  durableWrite(file, mergeSignatures(readNamed(file, 'proposal'), theirs), PUBLIC_FILE);
}

/**
 * Publishes a proposal whose thresholds are met: root, targets and their files, stages that are new or changed keys, snapshot, timestamp.
 *
 * @throws PromoterError `TRUST_UNSIGNED` signatures are missing; `PROPOSAL_NONE`
 */
export async function publishProposal(promoter: Promoter): Promise<Proposal> {
  const shown = showProposal(promoter);
  const open = shown.files.find(({ missing }) => missing > 0);
  if (open !== undefined) {
    throw new PromoterError('TRUST_UNSIGNED', `publish ${open.type} version ${open.version}: expected every threshold met, ${open.missing} signatures are missing`, { missing: open.missing }, { hint: `have another owner run: sealane trust sign --key KEY ${open.file}` });
  }
  const { home } = promoter;
  const root = readOptional(path.join(home.proposal, 'root.json'));
  if (root !== undefined) durableWrite(path.join(home.trust, publishedMetadataPath('root', summarizeMetadata(root).version)), root, PUBLIC_FILE);
  for (const name of filesBelow(path.join(home.proposal, 'trust'))) durableWrite(path.join(home.trust, name), readNamed(path.join(home.proposal, 'trust', name), 'target'), PUBLIC_FILE);
  const targets = readNamed(path.join(home.proposal, 'targets.json'), 'proposal');
  durableWrite(path.join(home.trust, publishedMetadataPath('targets', summarizeMetadata(targets).version)), targets, PUBLIC_FILE);
  reached('trust:targets-written');
  const roles = [describeRole('targets', targets)];
  // every stage role is signed anew: its key may have been replaced, its policy changed
  for (const { name } of promoter.pipeline.stages) {
    const channel = promoter.lane.stages.get(name)?.channel ?? { apiVersion: 'sealane/v1' as const, kind: 'Channel' as const, lane: promoter.pipeline.lane, stage: name, issuedAt: promoter.now(), groups: [], rollback: [], held: [], fenced: [], revoked: [], floor: null };
    roles.push(await publishStage(promoter, name, channel, stageSigner(promoter, name)));
  }
  await publishTop(promoter, roles);
  rmSync(home.proposal, { recursive: true, force: true });
  return shown;
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** The digest of each policy as proposed or in force, by stage. */
export function policyDigests({ lane }: Promoter): Readonly<Record<string, Digest>> {
  return Object.fromEntries([...lane.stages].map(([stage, { policyBytes }]) => [stage, policyDigest(policyBytes)]));
}
