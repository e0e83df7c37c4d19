/** An open home: pipeline, ledger, lane, and the outside world. Every command of the promoter works on one. */
import path from 'node:path';
import { fromUtf8, isPlainText, MAX_PLAIN_TEXT, PromoterError, refuseService, sha256, type Signer } from '@sealane/core';
import type { CommandCall, CommandIo } from '@sealane/core/command-line';
import { ed25519NoteSigner, type Ledger, ledgerAt, openLedger, type Post, type PublishLock, withPublishLock } from '@sealane/ledger';
import type { TufRead } from '@sealane/trust';
import { nowText, randomHex } from './clock.js';
import type { KeptBlobs } from './content.js';
import { readNamed, readOptional } from './disk-shell.js';
import { type Home, homeAt } from './home.js';
import { filesStamp, laneStamp, ledgerStamp } from './home-stamps.js';
import { keptFor, type KeptHome } from './kept-home.js';
import { type Pipeline, readPipeline } from './pipeline/pipeline.js';
import { postText } from './post-shell.js';
import { readPrivateKey } from './signers/key-file.js';
import type { KeyPlace } from './signers/key-place.js';
import { signerAt } from './signers/key-ref.js';
import { signerById } from './signers/key-store.js';
import { passphraseFrom } from './signers/passphrase.js';
import { type LaneTrust, readLaneTrust, type StageTrust } from './trust/lane-trust.js';

export interface Promoter {
  readonly home: Home;
  /** Blobs that are kept while one batch is decided. */
  readonly blobs?: KeptBlobs;
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly logVkey: string;
  /** The lane's trust as published, read once. */
  readonly lane: LaneTrust;
  /** The publish lock, while it is held for this promoter. */
  readonly lock?: PublishLock;
  readonly now: () => string;
  readonly randomHex: () => string;
  readonly post: Post;
  readonly signal: AbortSignal;
  readonly talk: (text: string) => void;
  /** The signer that a KEYREF names. */
  readonly signer: (keyRef: string) => Promise<Signer>;
  /** Where keys are looked up. */
  readonly keyPlace: KeyPlace;
}

/** The options that say where home and lane are. @throws PromoterError `USAGE` a service was named, and this command works on a home only */
export function homeOf(call: CommandCall): Home {
  refuseService(call);
  const { options, io } = call;
  const folder = path.resolve(io.cwd, typeof options['home'] === 'string' ? options['home'] : '.');
  const lane = typeof options['lane'] === 'string' ? path.resolve(io.cwd, options['lane']) : undefined;
  return homeAt(folder, lane);
}

/**
 * Opens the home of a command, runs `work`, closes it.
 *
 * @throws PromoterError `CONFIG_INVALID` no home there
 */
export async function withPromoter<T>(call: CommandCall, work: (promoter: Promoter) => Promise<T>): Promise<T> {
  return await withOpenPromoter(homeOf(call), call.io, { lock: undefined, kept: keptFor(call.io) }, work);
}

async function withOpenPromoter<T>(home: Home, io: CommandIo, opening: Opening, work: (promoter: Promoter) => Promise<T>): Promise<T> {
  const promoter = await openPromoter(home, io, opening);
  try {
    return await work(promoter);
  } finally {
    // what is kept is closed by whoever keeps it
    if (opening.kept === undefined) await promoter.ledger.close();
  }
}

/** As `withPromoter`, holding the publish lock: for everything that logs or publishes. `readLane` reads the lane in place of its files as they lie there. */
export async function withLockedPromoter<T>(
  call: CommandCall,
  work: (promoter: Promoter) => Promise<T>,
  readLane?: (home: Home) => TufRead,
): Promise<T> {
  const home = homeOf(call);
  requireHome(home);
  return await withLockedHome(home, call.io, work, readLane);
}

/** As `withLockedPromoter`, for a home that is known to be one. */
export async function withLockedHome<T>(
  home: Home,
  io: CommandIo,
  work: (promoter: Promoter) => Promise<T>,
  readLane?: (home: Home) => TufRead,
): Promise<T> {
  const kept = keptFor(io);
  const locked = (lock: PublishLock): Promise<T> => {
    const opening = { lock, kept, ...(readLane === undefined ? {} : { readLane }) };
    return withOpenPromoter(home, io, opening, async (promoter) => {
      await expectToExtendPublished(promoter, kept);
      return await work(promoter);
    });
  };
  return kept === undefined ? await withPublishLock({ ...ledgerAt(home.ledger), file: home.lock }, locked) : await kept.locked(locked);
}

/**
 * Holds the ledger against the checkpoint that the lane shows: one that was restored from before it must log and publish nothing more.
 *
 * @throws LedgerError `LOG_RESTORED`, `LOG_FORK`
 */
async function expectToExtendPublished({ home, ledger }: Pick<Promoter, 'home' | 'ledger'>, kept: KeptHome | undefined): Promise<void> {
  const published = readOptional(path.join(home.log, 'checkpoint'));
  if (published === undefined) return;
  const note = fromUtf8(published);
  const observe = (): Promise<void> => ledger.observe(note);
  // a ledger that stayed open keeps to what it was held against once
  await (kept === undefined ? observe() : kept.observed(`${ledgerStamp(home)} ${note}`, observe));
}

/** How a home is opened. */
interface Opening {
  readonly lock: PublishLock | undefined;
  readonly kept: KeptHome | undefined;
  readonly readLane?: (home: Home) => TufRead;
}

/** Opens a home, under a lock where one is held, for as long as the caller likes; the caller closes its ledger. */
async function openPromoter(home: Home, io: CommandIo, { lock, kept, readLane }: Opening): Promise<Promoter> {
  requireHome(home);
  const pipelineBytes = readNamed(home.pipeline, 'pipeline');
  const parse = (): Promise<Pipeline> => readPipeline(pipelineBytes, home.pipeline);
  const pipeline = await (kept === undefined ? parse() : kept.pipeline(sha256(pipelineBytes), parse));
  const stages = pipeline.stages.map(({ name }) => name);
  const read = async (): Promise<LaneTrust> =>
    Promise.resolve(
      readLaneTrust(home, stages, {
        ...(kept === undefined ? {} : { parse: kept.policy }),
        ...(readLane === undefined ? {} : { read: readLane(home) }),
      }),
    );
  const lane = await (kept === undefined ? read() : kept.lane(`${stages.join()} ${laneStamp(home)}`, read));
  const keyPlace: KeyPlace = {
    home,
    env: io.env,
    cwd: io.cwd,
    isExampleLane: lane.isExample,
    ...authoritiesIn(lane),
    ...(kept === undefined ? {} : { kept: { signer: kept.signer, from: filesStamp([home.owners, home.keys]) } }),
  };
  const { ledger, logVkey } = await openLog(home, pipeline, keyPlace, { lock, kept });
  return {
    home,
    pipeline,
    ledger,
    logVkey,
    lane,
    ...(lock === undefined ? {} : { lock }),
    now: nowText,
    randomHex,
    post: postText,
    signal: io.signal,
    talk: io.talk,
    signer: (keyRef) => signerAt(keyRef, keyPlace),
    keyPlace,
  };
}

/** The authorities of keyless signatures: the pipeline has one list for all stages. */
export function authoritiesIn({ stages }: Pick<LaneTrust, 'stages'>): Pick<KeyPlace, 'authorities'> {
  const [found] = [...stages.values()].flatMap(({ policy: { authorities } }) => authorities ?? []);
  return found === undefined ? {} : { authorities: found };
}

async function openLog(
  home: Home,
  pipeline: Pipeline,
  keyPlace: KeyPlace,
  { lock, kept }: Opening,
): Promise<Pick<Promoter, 'ledger' | 'logVkey'>> {
  const fence = lock?.fence;
  const open = async (): Promise<Ledger> => {
    // while the owners have one key replaced by the other both sign: which of them is the log's, the ledger says
    const [logSigner, otherSigner] = ['log.pem', 'log.next.pem']
      .map((name) => path.join(home.keys, name))
      .filter((file) => readOptional(file) !== undefined)
      .map((file) => ed25519NoteSigner(pipeline.lane, readPrivateKey(file, passphraseFrom(keyPlace)).key));
    return await openLedger({
      ...ledgerAt(home.ledger),
      origin: pipeline.lane,
      ...(logSigner === undefined ? {} : { logSigner }),
      ...(otherSigner === undefined ? {} : { otherSigner }),
      now: nowText,
      ...(kept !== undefined ? { fence: kept.fence } : fence === undefined ? {} : { fence: () => fence }),
    });
  };
  if (kept === undefined) return withVkey(await open());
  const ledger = await kept.ledger(`${pipeline.lane} ${ledgerStamp(home)} ${keyPlace.kept?.from ?? ''}`, open);
  // each call sees what any promoter had logged before it
  await ledger.refresh();
  return withVkey(ledger);
}

function withVkey(ledger: Ledger): Pick<Promoter, 'ledger' | 'logVkey'> {
  return { ledger, logVkey: ledger.vkey };
}

/** A folder is a home once `init` has made its keys: a pipeline alone is what somebody wrote for that. */
export function requireHome(home: Home): void {
  const missing = [home.pipeline, home.logVkey].find((file) => readOptional(file) === undefined);
  if (missing === undefined) return;
  throw new PromoterError(
    'CONFIG_INVALID',
    `open home ${home.folder}: expected ${path.basename(missing)} there, got nothing`,
    { home: home.folder },
    { hint: 'name the home with --home DIR, or go there first; make one with: sealane init DIR' },
  );
}

/** Trust of a stage. @throws PromoterError `STAGE_UNKNOWN` */
export function stageOf(promoter: { readonly lane: Pick<LaneTrust, 'stages'> }, stage: string): StageTrust {
  const found = promoter.lane.stages.get(stage);
  if (found === undefined) {
    throw new PromoterError('STAGE_UNKNOWN', `look up stage ${stage}: expected one of ${[...promoter.lane.stages.keys()].join(', ')}`, {
      stage,
    });
  }
  return found;
}

/** The stage's own key, online on this host: the one that the owners delegated the stage to. @throws PromoterError `KEY_NOT_NAMED` it is not here */
export async function stageSigner({ keyPlace, lane }: Promoter, stage: string): Promise<Signer> {
  return await signerById(keyPlace, lane.stageKeyIds(stage), `stage ${stage}`);
}

/** A text option. @throws PromoterError `USAGE` missing, or as `optionalText` */
export function textOption(call: CommandCall, name: string): string {
  const value = optionalText(call, name);
  if (value !== undefined) return value;
  throw new PromoterError('USAGE', `read --${name}: expected a value, got none`);
}

/** A text option that may be missing. @throws PromoterError `USAGE` not to be shown to people: a control character, or too long */
export function optionalText({ options }: CommandCall, name: string): string | undefined {
  const value = options[name];
  if (typeof value !== 'string' || value === '') return undefined;
  if (!isPlainText(value))
    throw new PromoterError('USAGE', `read --${name}: expected at most ${MAX_PLAIN_TEXT} characters, no control character among them`);
  return value;
}

/** A repeated option. */
export function listOption({ options }: CommandCall, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** A positional argument. @throws PromoterError `USAGE` */
export function textArgument({ args }: CommandCall, at: number, name: string): string {
  const value = args[at];
  if (typeof value === 'string' && value !== '') return value;
  throw new PromoterError('USAGE', `read ${name}: expected a value, got none`);
}
