/**
 * A proposal: new root or targets metadata with everything the owners need to judge it, in one file that travels to them and back.
 *
 * It is unsigned as a whole: what counts are the signatures in its metadata. Whoever signs reads it with `trust show` first.
 */
import path from 'node:path';
import { canonicalJson, type JsonObject, LIMITS, parseStrictJson, PromoterError, SealaneError } from '@sealane/core';
import {
  type Authority,
  authorityOf,
  countSignatures,
  describeTarget,
  mergeSignatures,
  parsePolicy,
  rootAuthority,
  type SignatureCount,
  summarizeMetadata,
} from '@sealane/trust';
import { z } from 'zod';
import type { Home } from '../home.js';
import { listedTargets } from './metadata-json.js';

/** A proposal is policies, a root and a targets file, as JSON. */
export const MAX_PROPOSAL_BYTES = 16 * LIMITS.policyBytes;

const metadata = z.looseObject({ signatures: z.array(z.unknown()), signed: z.looseObject({}) });
const shape = z.strictObject({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('TrustProposal'),
  lane: z.string().min(1).max(255),
  basedOn: z.strictObject({ root: z.int().min(0), targets: z.int().min(0) }),
  changes: z.array(z.string().max(4000)).max(10_000),
  currentRoot: metadata.nullable(),
  // absent in proposals that were made and published by versions that showed no more than the words of their own host
  currentTargets: metadata.nullable().exactOptional(),
  currentFiles: z.record(z.string().max(255), z.looseObject({})).exactOptional(),
  root: metadata.nullable(),
  targets: metadata.nullable(),
  files: z.record(z.string().max(255), z.looseObject({})),
});

/** Metadata and files as bytes. `currentRoot` is the published root: it says who may sign. `currentTargets` and `currentFiles` are what changes. */
export interface Proposal {
  readonly lane: string;
  /** Versions that were published when it was made; it can be published on top of these only. */
  readonly basedOn: { readonly root: number; readonly targets: number };
  /** What it changes, in words. */
  readonly changes: readonly string[];
  readonly currentRoot: Uint8Array | null;
  readonly currentTargets: Uint8Array | null;
  /** Of the published targets those by path that `files` take the place of. */
  readonly currentFiles: ReadonlyMap<string, Uint8Array>;
  readonly root: Uint8Array | null;
  readonly targets: Uint8Array | null;
  /** New or changed targets by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What is said where the open proposal is asked for and there is none. */
export function nothingOpen(file: string): PromoterError {
  const hint = 'make one with: sealane trust propose';
  return new PromoterError('CONFIG_INVALID', `read ${file}: expected an open proposal, got nothing`, {}, { hint });
}

/** The bytes of a proposal. */
export function encodeProposal({
  lane,
  basedOn,
  changes,
  currentRoot,
  currentTargets,
  currentFiles,
  root,
  targets,
  files,
}: Proposal): Uint8Array {
  return canonicalJson({
    apiVersion: 'sealane/v1',
    kind: 'TrustProposal',
    lane,
    basedOn,
    changes,
    currentRoot: jsonOrNull(currentRoot),
    ...(currentTargets === null ? {} : { currentTargets: jsonOf(currentTargets), currentFiles: filesJson(currentFiles) }),
    root: jsonOrNull(root),
    targets: jsonOrNull(targets),
    files: filesJson(files),
  });
}

function filesJson(files: ReadonlyMap<string, Uint8Array>): JsonObject {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, jsonOf(bytes)]));
}

/**
 * Reads a proposal and checks that it holds together: every policy parses, every file is the one that its targets metadata lists.
 *
 * @throws PromoterError `CONFIG_INVALID`
 */
export function parseProposal(bytes: Uint8Array, source: string): Proposal {
  try {
    const parsed = shape.safeParse(parseStrictJson(bytes, { maxBytes: MAX_PROPOSAL_BYTES, maxDepth: LIMITS.jsonDepth }));
    if (!parsed.success)
      throw invalid(source, `${parsed.error.issues[0]?.path.join('.') ?? ''}: ${parsed.error.issues[0]?.message ?? 'another shape'}`);
    const { lane, basedOn, changes, currentRoot, currentTargets = null, currentFiles = {}, root, targets, files } = parsed.data;
    const asBytes = (value: object | null): Uint8Array | null => (value === null ? null : canonicalJson(value as JsonObject));
    const asFiles = (values: object): ReadonlyMap<string, Uint8Array> =>
      new Map(Object.entries(values).map(([path, value]) => [path, canonicalJson(value as JsonObject)]));
    const proposal: Proposal = {
      lane,
      basedOn,
      changes,
      currentRoot: asBytes(currentRoot),
      currentTargets: asBytes(currentTargets),
      currentFiles: asFiles(currentFiles),
      root: asBytes(root),
      targets: asBytes(targets),
      files: asFiles(files),
    };
    checkFiles(proposal, source);
    return proposal;
  } catch (error) {
    if (!(error instanceof SealaneError) || error.code === 'CONFIG_INVALID') throw error;
    throw new PromoterError('CONFIG_INVALID', `read proposal ${source}: ${error.message}`, {}, { cause: error });
  }
}

/** Signatures that are there and missing, by role; a role that is not changed is left out. */
export interface ProposalState {
  readonly root: SignatureCount | null;
  readonly targets: SignatureCount | null;
}

/** How far the ceremony has come. Root N+1 needs the owners of root N and its own: whoever is missing in either is missing. */
export function proposalState(proposal: Proposal): ProposalState {
  return {
    root: proposal.root === null ? null : worst(proposal.root, rootAuthorities(proposal, proposal.root)),
    targets: proposal.targets === null ? null : countSignatures(proposal.targets, targetsAuthority(proposal)),
  };
}

/** Whose signatures a proposed root needs: those of the published root (TUF 5.3.4) and of itself. */
export function rootAuthorities({ currentRoot }: Pick<Proposal, 'currentRoot'>, root: Uint8Array): readonly Authority[] {
  return [...(currentRoot === null ? [] : [rootAuthority(currentRoot, 'root')]), rootAuthority(root, 'root')];
}

/** Who signs targets: as the newest root says, the proposed one where there is one. */
export function targetsAuthority({ root, currentRoot }: Pick<Proposal, 'root' | 'currentRoot'>): Authority {
  const newest = root ?? currentRoot;
  return newest === null ? authorityOf({ keys: [], threshold: 1 }) : rootAuthority(newest, 'targets');
}

/** Joins copies of one proposal that owners signed apart. @throws TrustError `TRUST_MISMATCH` they are not the same */
export function mergeProposals(first: Proposal, ...others: readonly Proposal[]): Proposal {
  const merge = (ours: Uint8Array | null, theirs: Uint8Array | null): Uint8Array | null =>
    ours === null || theirs === null ? ours : mergeSignatures(ours, theirs);
  return others.reduce((all, other) => ({ ...all, root: merge(all.root, other.root), targets: merge(all.targets, other.targets) }), first);
}

/** Where a proposal is kept once it was published, or its root was logged. */
export function keptProposal({ proposals }: Pick<Home, 'proposals'>, root: Uint8Array, targets: Uint8Array): string {
  return path.join(proposals, `root-${summarizeMetadata(root).version}-targets-${summarizeMetadata(targets).version}.json`);
}

function worst(bytes: Uint8Array, authorities: readonly Authority[]): SignatureCount {
  const counts = authorities.map((authority) => countSignatures(bytes, authority));
  const signedBy = [...new Set(counts.flatMap((count) => count.signedBy))];
  return { signedBy, missing: Math.max(...counts.map(({ missing }) => missing)) };
}

/** An owner signs digests: each file shown beside them must be the file behind its digest. */
function checkFiles({ targets, files, lane }: Proposal, source: string): void {
  const listed = targets === null ? [] : listedTargets(targets);
  for (const [path, bytes] of files) {
    const { sha256Hex } = describeTarget(path, bytes);
    if (!listed.some((target) => target.path === path && target.sha256Hex === sha256Hex && target.lengthBytes === bytes.length)) {
      throw invalid(source, `expected ${path} to be what its targets metadata lists, got other bytes (sha256 ${sha256Hex})`);
    }
    if (path.startsWith('policy/') && parsePolicy(bytes).lane !== lane)
      throw invalid(source, `expected policies of lane ${lane} only, got ${path} of another`);
  }
}

function jsonOrNull(bytes: Uint8Array | null): JsonObject | null {
  return bytes === null ? null : jsonOf(bytes);
}

function jsonOf(bytes: Uint8Array): JsonObject {
  const value = parseStrictJson(bytes, { maxBytes: MAX_PROPOSAL_BYTES, maxDepth: LIMITS.jsonDepth });
  if (typeof value === 'object' && value !== null && !isList(value)) return value;
  throw new PromoterError('INTERNAL', 'write a proposal: expected its parts to be objects');
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function invalid(source: string, problem: string): PromoterError {
  return new PromoterError('CONFIG_INVALID', `read proposal ${source}: ${problem}`, { source });
}
