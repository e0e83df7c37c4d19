/** `sealane exception create`: one person's signature on an expiring, counted permission; or another person's on the same one. */
import path from 'node:path';
import { parseDigest, PromoterError, type Signer } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { EXCEPTION_KINDS, type ExceptionKind } from '@sealane/trust';
import { KEY, OUT, REASON } from '../command-parts.js';
import { readNamed } from '../disk-shell.js';
import { signedByPerson } from '../exception/signed-by-person.js';
import { meantGate } from '../exception/meant-gate.js';
import { readRequest } from '../exception/request.js';
import { cosignException, type ExceptionWish, signException } from '../exception/sign.js';
import { listOption, optionalText, type Promoter, stageOf, textOption } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'exception create',
  summary: 'let through what does not hold, for one release and stage, for so long and so often, as policy allows',
  options: [
    { flags: '--release <release>', description: 'sha256:… or NAME@VERSION' },
    { flags: '--to <stage>', description: 'the stage' },
    { flags: '--kind <kind>', description: 'gate (default), window, hardware' },
    {
      flags: '--gate <gate>',
      description: 'of kind gate: the gate that is let through; where the stage has several of it, as cel:2 the second',
    },
    { flags: '--site <name>', description: 'of kind hardware: a site whose hardware was not tested', repeat: true },
    { flags: '--request <file>', description: 'instead of all these: what a site asked for (kinds stale, rollback, local-role)' },
    { flags: '--days <days>', description: 'how long it holds (default: 1)' },
    { flags: '--uses <count>', description: 'how many decisions may rest on it (default: 1)' },
    { flags: '--with <statement>', description: 'sign the same exception as this statement: where policy needs more than one person' },
    KEY,
    REASON,
    OUT,
  ],
  example: 'sealane exception create --release readings@1.0.0 --to prod --gate soak --key alice --reason "fixes an outage" --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await signedByPerson(call, async (promoter) => {
    const signer = await promoter.signer(textOption(call, 'key'));
    const same = optionalText(call, 'with');
    const reason = textOption(call, 'reason');
    return same === undefined
      ? await signNew(call, promoter, reason, signer)
      : await cosignException(promoter, parseDigest(same), reason, signer);
  });
}

async function signNew(call: CommandCall, promoter: Promoter, reason: string, signer: Signer): ReturnType<typeof signException> {
  const counts = { days: countOption(call, 'days'), uses: countOption(call, 'uses') };
  const file = optionalText(call, 'request');
  const bound = file === undefined ? await boundByOptions(call, promoter) : await boundByRequest(promoter, path.resolve(call.io.cwd, file));
  return await signException(promoter, { ...bound, ...counts }, reason, signer);
}

type Bound = Omit<ExceptionWish, 'days' | 'uses'>;

async function boundByOptions(call: CommandCall, promoter: Promoter): Promise<Bound> {
  const kind = kindOption(call);
  const { digest: release } = await releaseOf(promoter, textOption(call, 'release'));
  const [stage, sites] = [textOption(call, 'to'), listOption(call, 'site')];
  if (kind === 'hardware' && sites.length === 0)
    throw new PromoterError(
      'USAGE',
      'make an exception of kind hardware: expected --site NAME for each site that it lets through, got none',
    );
  return { kind, release, stage, ...boundToGate(call, promoter, kind, stage), ...(sites.length === 0 ? {} : { sites }) };
}

/** A closed window is one of the gate `windows`, which is named only where the stage has several. */
function boundToGate(call: CommandCall, promoter: Promoter, kind: ExceptionKind, stage: string): Pick<Bound, 'gate' | 'settings'> {
  const { policy } = stageOf(promoter, stage);
  const named = kind === 'gate' ? textOption(call, 'gate') : optionalText(call, 'gate');
  if (named === undefined && kind !== 'window') return {};
  const { gate, settings } = meantGate(policy, named ?? 'windows');
  const isWindow = kind === 'window' && gate === 'windows';
  return { ...(isWindow ? {} : { gate }), ...(settings === undefined ? {} : { settings }) };
}

async function boundByRequest(promoter: Promoter, file: string): Promise<Bound> {
  const { kind, release, stage, site, keyId, role, nonce } = await readRequest(promoter, readNamed(file, 'request for an exception'), file);
  await releaseOf(promoter, release);
  return { kind, release, stage, site: { name: site, keyId }, ...(role === undefined ? {} : { role }), nonce };
}

function kindOption(call: CommandCall): ExceptionKind {
  const text = optionalText(call, 'kind') ?? 'gate';
  const kind = EXCEPTION_KINDS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new PromoterError('USAGE', `read --kind: expected one of ${EXCEPTION_KINDS.join(', ')}, got ${text.slice(0, 40)}`);
}

function countOption(call: CommandCall, name: string): number {
  const text = optionalText(call, name) ?? '1';
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new PromoterError('USAGE', `read --${name}: expected a count from 1 on, got ${JSON.stringify(text)}`);
}
