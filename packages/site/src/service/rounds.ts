/** The work of a daemon: one update after the other, with a pause; what is committed is kept running in between. */
import { SealaneError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { type Admit, rememberingAdmit } from '@sealane/trust';
import type { SiteResult } from '../apply/outcome.js';
import { runUpdate } from '../apply/update.js';
import { systemClock } from '../clock.js';
import { nodeDisk } from '../disk.js';
import { endIfDamaged } from '../self/damage-shell.js';
import { isReplaced, programPlace } from '../self/slots.js';
import { openSite, withLockedResult } from '../site-shell.js';

/** What a round needs of the daemon around it. */
export interface Daemon {
  /** Runs a round when nothing else changes the site; `hurry` aborts when somebody waits for its end. */
  turn<T>(round: (hurry?: AbortSignal) => Promise<T>): Promise<T>;
  ended(result: SiteResult): void;
  /** What fails now may be mended by the next round: only a fault of the program ends the daemon. */
  failed(error: SealaneError): void;
  /** Ends the rounds: another program of the updater is to be started. */
  readonly replaced: AbortController;
}

/** Rounds until the command is asked to end; returns how many there were. */
export async function runRounds(call: CommandCall, daemon: Daemon): Promise<number> {
  const { config } = openSite(call);
  const admit = rememberingAdmit();
  let rounds = 0;
  const signal = AbortSignal.any([call.io.signal, daemon.replaced.signal]);
  for (; !signal.aborted; rounds += 1) {
    const gaveWay = await daemon.turn(async (hurry) => {
      const fine = await round(hurry === undefined ? call : { ...call, io: { ...call.io, hurry } }, daemon, admit);
      if (fine === 'no') endIfDamaged(call, daemon.replaced);
      return hurry?.aborted === true;
    });
    endIfReplaced(call, daemon.replaced);
    // it goes on after whom it gave way to
    if (!gaveWay) await pause(config.pollSeconds, signal);
  }
  return rounds;
}

/** A program that a release brought is started by whoever starts this one: it ends for that. */
export function endIfReplaced({ io }: CommandCall, replaced: AbortController): void {
  const place = programPlace(io.env);
  if (place === undefined || replaced.signal.aborted || !isReplaced(nodeDisk, place)) return;
  io.talk('another program of the updater is to be started: this one ends\n');
  replaced.abort();
}

/** One update; whether it did what it should, or something is in its way. */
async function round(call: CommandCall, daemon: Daemon, admit: Admit): Promise<'yes' | 'no'> {
  try {
    const result = await withLockedResult(call, (site, machine) => runUpdate(site, machine, 'update', admit));
    daemon.ended(result);
    return result.outcome === 'unchanged' || result.outcome === 'installed' ? 'yes' : 'no';
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    daemon.failed(error);
    return 'no';
  }
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await systemClock.sleep(seconds * 1000, signal);
  } catch (error) {
    // asked to end: that is how a daemon ends
    if (!signal.aborted) throw error;
  }
}
