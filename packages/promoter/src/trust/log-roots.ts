/**
 * Names a root in the log before it is published (THREATS T16): a root that is shown to some sites only is then one that no entry names, or the second of its
 * version. Its bytes lie in `content/` by digest, so that whoever finds the entry sees what the owners signed, also where the root was never published.
 */
import path from 'node:path';
import { type LoggedRoot, loggedRoots, rivalsOf } from '@sealane/auditor';
import { PromoterError } from '@sealane/core';
import { type DescribedRoot, describeRoot, publishedMetadataPath, rootStatement } from '@sealane/trust';
import { readBlob } from '../content.js';
import { reached } from '../crash-point.js';
import { writeBlob } from '../decision/waybill.js';
import { durableWrite, listFolder, PUBLIC_FILE, readNamed } from '../disk-shell.js';
import { signAndLog } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { signerById } from '../signers/key-store.js';
import { delegatedStages, keyIdsOf } from './metadata-json.js';
import { encodeProposal, parseProposal, type Proposal } from './proposal.js';

/** A root of the lane, and its bytes. */
type RootFile = DescribedRoot & { readonly bytes: Uint8Array };

/** A root that enough owners have signed, the targets that will be in force with it, and the proposal that brings them, which is kept in `file`. */
export interface SignedRoot {
  readonly root: Uint8Array;
  readonly targets: Uint8Array;
  readonly proposal: Proposal;
  readonly file: string;
}

/**
 * Logs the root, and those before it that nobody had to log: the first of the lane, and those of before roots were logged. What is there already stays the only
 * one. The proposal is kept first: once its root is logged, no other root of this version can take its place.
 *
 * Signed by the key that the last stage will have: the one that it has now may end with this very proposal, before this entry.
 *
 * @throws PromoterError `PROPOSAL_STALE` the log names another root of this version that owners signed; `KEY_NOT_NAMED` the stage's key is not here
 */
export async function logRoots(promoter: Promoter, { root, targets, proposal, file }: SignedRoot): Promise<void> {
  const [stage = '', keys] = [...delegatedStages(targets)].at(-1) ?? [];
  const signer = await signerById(promoter.keyPlace, keys === undefined ? [] : keyIdsOf(keys), `stage ${stage}`);
  const chain = chainTo(promoter, root);
  const logged = await loggedRoots(promoter.ledger);
  expectNoRival(promoter, chain, logged);
  durableWrite(file, encodeProposal(proposal), PUBLIC_FILE);
  for (const each of dueIn(chain)) {
    if (logged.some(({ version, signed }) => version === each.version && signed === each.signed)) continue;
    writeBlob(promoter, each.bytes);
    await signAndLog(promoter.ledger, rootStatement(each), signer);
    reached('trust:root-logged');
  }
}

/** Every root of the lane up to this one. */
function chainTo({ home }: Promoter, root: Uint8Array): readonly RootFile[] {
  const earlier = Array.from({ length: describeRoot(root).version - 1 }, (_, at) =>
    readNamed(path.join(home.trust, publishedMetadataPath('root', at + 1)), `root ${at + 1}`),
  );
  return [...earlier, root].map((bytes, at) => ({ ...describeRoot(bytes, earlier[at - 1]), bytes }));
}

/** The last, and those up to the first that says that all after it are logged: one that had to be and was not stays published beside the log. */
function dueIn(chain: readonly RootFile[]): readonly RootFile[] {
  const first = chain.findIndex(({ saysLogged }) => saysLogged);
  return chain.filter((_, at) => at === chain.length - 1 || first < 0 || at <= first);
}

function expectNoRival(promoter: Promoter, chain: readonly RootFile[], logged: readonly LoggedRoot[]): void {
  const [before, last] = [chain.at(-2), chain.at(-1)];
  if (before === undefined || last === undefined) return;
  const [rival] = rivalsOf(last, before.bytes, logged, (digest) => readBlob(promoter, digest));
  if (rival === undefined) return;
  throw new PromoterError(
    'PROPOSAL_STALE',
    `publish root ${last.version}: expected the one that entry ${rival.entry.index} of the log names, whose owners signed ${rival.signed}, got ${last.signed}`,
    { version: last.version, logIndex: rival.entry.index },
    {
      hint: `two roots of one version are a fork: set proposal.json aside and publish the first one: sealane trust publish ${proposalOf(promoter, rival) ?? 'FILE, as its owners signed it'}`,
    },
  );
}

/** The file of the proposal that brought a root, where it is kept still. */
function proposalOf({ home }: Promoter, { version, signed }: LoggedRoot): string | undefined {
  const files = listFolder(home.proposals).filter((name) => name.startsWith(`root-${version}-`) && name.endsWith('.json'));
  return files
    .map((name) => path.join(home.proposals, name))
    .find((file) => {
      const { root } = parseProposal(readNamed(file, 'proposal'), file);
      return root !== null && describeRoot(root).signed === signed;
    });
}
