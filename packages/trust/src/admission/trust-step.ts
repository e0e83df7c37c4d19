/** Step 1: trust. TUF metadata, then the three documents that it vouches for: the stage's policy, the trusted root, the channel. */
import { type Digest, EXAMPLE_KEY_IDS, keyIdOf, LIMITS, parseVkey, TrustError } from '@sealane/core';
import { checkTrustedRoot, logKeySpki } from '../evidence/trusted-root.js';
import { type Channel, parseChannel } from '../policy/channel.js';
import type { Policy } from '../policy/policy-types.js';
import { parsePolicy, policyDigest } from '../policy/policy.js';
import { secondsToTime } from '../time.js';
import { readTarget, refreshTrust } from '../tuf/client.js';
import { channelPath, EXAMPLE_MARK } from '../tuf/publisher.js';
import type { TufState } from '../tuf/state.js';
import type { TrustedMetadata } from '../tuf/workflow.js';
import type { LaneReader } from './lane-reader.js';
import type { AdmitInput } from './types.js';

/** What the owners and the stage say. `roleKeys` = ids of the keys that may sign the channel, sorted. */
export interface TrustedLane {
  readonly state: TufState;
  /** What to keep when something further on is refused: the state before, with roots proven on the way. */
  readonly keptOnRefusal: TufState;
  readonly policy: Policy;
  readonly policyDigest: Digest;
  readonly channel: Channel;
  readonly roleKeys: readonly string[];
  readonly expiresAt: string;
  readonly rootExpiresAt: string;
}

/**
 * Refreshes trust and reads what it vouches for.
 *
 * @throws TrustError `TRUST_*`; `data.state` is the state to keep: the same, with roots proven on the way
 */
export function openTrust(input: AdmitInput, reader: LaneReader): TrustedLane {
  const read = (name: string, maxBytes: number): Uint8Array | undefined => reader.file(`trust/${name}`, maxBytes);
  const metadata = refreshTrust({ state: input.trust, read, now: input.now, expiry: input.freshness });
  try {
    const stage = input.site.localStage;
    const target = (path: string, role: string, maxBytes: number): ReturnType<typeof readTarget> =>
      readTarget({ trusted: metadata, read, path, role, maxBytes });
    const policyFile = target(`policy/${stage}.json`, 'targets', LIMITS.policyBytes);
    const policy = parsePolicy(policyFile.bytes);
    checkTrustedRoot(target('trusted_root.json', 'targets', LIMITS.trustedRootBytes).bytes, policy);
    const channelFile = target(channelPath(stage), stage, LIMITS.channelBytes);
    const channel = parseChannel(channelFile.bytes);
    checkStage(stage, policy, channel);
    const roleKeys = channelKeys(metadata, stage);
    checkExampleKeys(metadata, policy, roleKeys, input.site.allowExampleKeys);
    return {
      state: metadata.state,
      keptOnRefusal: metadata.keptOnRefusal,
      policy,
      policyDigest: policyDigest(policyFile.bytes),
      channel,
      roleKeys,
      expiresAt: channelFile.expiresAt,
      rootExpiresAt: secondsToTime(Math.max(0, Math.floor(metadata.root.expiresMs / 1000))),
    };
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    throw new TrustError(error.code, error.message, { ...error.data, state: metadata.keptOnRefusal }, { cause: error });
  }
}

/** The documents say themselves what they are: a signer who mixes them up must not make one stage's count as another's. */
function checkStage(stage: string, policy: Policy, channel: Channel): void {
  if (policy.stage !== stage)
    throw new TrustError('TRUST_WRONG_ROLE', `read policy/${stage}.json: expected the policy of ${stage}, got that of ${policy.stage}`);
  if (channel.stage !== stage)
    throw new TrustError('TRUST_WRONG_ROLE', `read ${channelPath(stage)}: expected the channel of ${stage}, got that of ${channel.stage}`);
  if (channel.lane !== policy.lane)
    throw new TrustError(
      'TRUST_MISMATCH',
      `read ${channelPath(stage)}: expected a channel of lane ${policy.lane}, got one of ${channel.lane}`,
    );
}

function channelKeys({ targets }: TrustedMetadata, stage: string): readonly string[] {
  const delegation = targets.delegations?.forPath(channelPath(stage)).find(({ name }) => name === stage);
  const keys = delegation?.keyIds.flatMap((keyId) => delegation.keys.get(keyId)?.spkiId ?? []) ?? [];
  return [...new Set(keys)].sort();
}

/**
 * Everybody has the example keys: a lane of them says so in its root, and counts only where the site says it may. A lane that does not say so must
 * have none of them in it.
 */
function checkExampleKeys({ root }: TrustedMetadata, policy: Policy, roleKeys: readonly string[], allowed: boolean): void {
  const isMarked = root.extra[EXAMPLE_MARK] === true;
  if (isMarked && allowed) return;
  if (isMarked) throw exampleKeys('a lane with keys of its own', 'one of the example keys, which everybody has');
  const logKeys = policy.logs.flatMap(({ vkey, past = [] }) => [vkey, ...past.map((key) => key.vkey)]);
  const vkeys = [...logKeys, ...policy.witnesses].map((text) => keyIdOf(logKeySpki(parseVkey(text))));
  const rootKeys = [...root.keys.values()].map(({ spkiId }) => spkiId);
  const found = [...rootKeys, ...roleKeys, ...Object.keys(policy.keys), ...vkeys].find((keyId) => EXAMPLE_KEY_IDS.has(keyId));
  if (found !== undefined) throw exampleKeys('no example key in a lane that is not marked as made of them', `key ${found}`);
}

function exampleKeys(expected: string, got: string): TrustError {
  return new TrustError('TRUST_EXAMPLE_KEYS', `check the keys of the lane: expected ${expected}, got ${got}`);
}
