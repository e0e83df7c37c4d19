/** A proposal as an owner reads it, held against the root that the owner keeps. */
import path from 'node:path';
import type { CommandCall, OptionSpec } from '@sealane/core/command-line';
import { rootFile } from '../client/root-file-shell.js';
import { readOptional } from '../disk-shell.js';
import { homeOf, optionalText } from '../promoter.js';
import { expectStandsOn, readProposal } from './described-changes.js';
import { nothingOpen, type Proposal } from './proposal.js';

/** The owner's own root. */
export const KEPT_ROOT: OptionSpec = {
  flags: '--root <file>',
  description: 'the root that was published last, as you keep it yourself: the proposal must stand on that one',
};

/**
 * Reads the proposal that a command names, or the open one of its home. `held`: it stands on the root that was given.
 *
 * @throws PromoterError as `readProposal`, `nothingOpen`; `TRUST_MISMATCH` it stands on another root
 */
export function readHeldProposal(call: CommandCall): {
  readonly file: string;
  readonly proposal: Proposal;
  readonly held: 'root' | undefined;
} {
  const [given] = call.args;
  const open = homeOf(call).proposal;
  if (typeof given !== 'string' && readOptional(open) === undefined) throw nothingOpen(open);
  const file = typeof given === 'string' ? path.resolve(call.io.cwd, given) : open;
  const proposal = readProposal(file);
  const kept = optionalText(call, 'root');
  if (kept === undefined) return { file, proposal, held: undefined };
  expectStandsOn(proposal, rootFile(path.resolve(call.io.cwd, kept)), { file, root: kept });
  return { file, proposal, held: 'root' };
}
