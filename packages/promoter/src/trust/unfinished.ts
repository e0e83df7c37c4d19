/**
 * A lane whose publisher was killed between a new root and the timestamp that follows it: where the root replaces the key of one of them, nobody can read the lane.
 * The promoter that publishes the same proposal again reads it as it was before that root.
 */
import path from 'node:path';
import { SealaneError } from '@sealane/core';
import { describeRoot, publishedMetadataPath, type TufRead } from '@sealane/trust';
import { listFolder, readNamed, readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { readBelow, readLaneTrust } from './lane-trust.js';
import { parseProposal } from './proposal.js';

/** Reads the lane's trust, but for the root that an unfinished proposal brought while the lane does not verify under it. @throws PromoterError `CONFIG_INVALID` a proposal is malformed */
export function readUnfinished(home: Home): TufRead {
  const read = readBelow(home.trust);
  try {
    readLaneTrust(home, [], { read });
    return read;
  } catch (error) {
    // whatever is wrong with it, it is read again
    if (!(error instanceof SealaneError)) throw error;
    const hidden = new Set(proposedRoots(home));
    return (name, maxBytes) => (hidden.has(name) ? undefined : read(name, maxBytes));
  }
}

/** The published files of roots that proposals brought, when they are the newest that lie there. */
function proposedRoots(home: Home): readonly string[] {
  const kept = listFolder(home.proposals).map((name) => path.join(home.proposals, name));
  return [home.proposal, ...kept.filter((file) => file.endsWith('.json'))].flatMap((file) => {
    if (readOptional(file) === undefined) return [];
    const { root } = parseProposal(readNamed(file, 'proposal'), file);
    if (root === null) return [];
    const { version, signed } = describeRoot(root);
    const name = publishedMetadataPath('root', version);
    const [published, next] = [name, publishedMetadataPath('root', version + 1)].map((each) => readOptional(path.join(home.trust, each)));
    return published !== undefined && next === undefined && describeRoot(published).signed === signed ? [name] : [];
  });
}
