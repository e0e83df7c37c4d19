/** The work of a daemon: one update after the other, with a pause; what is committed is kept running in between. */
import { SealaneError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import type { SiteResult } from '../apply/outcome.js';
import { runUpdate } from '../apply/update.js';
import { systemClock } from '../clock.js';
import { openSite, withLockedResult } from '../site-shell.js';

/** What a round needs of the daemon around it. */
export interface Daemon {
  /** Runs a round when nothing else changes the site. */
  turn(round: () => Promise<void>): Promise<void>;
  ended(result: SiteResult): void;
  /** What fails now may be mended by the next round: only a fault of the program ends the daemon. */
  failed(error: SealaneError): void;
}

/** Rounds until the command is asked to end; returns how many there were. */
export async function runRounds(call: CommandCall, daemon: Daemon): Promise<number> {
  const { config } = openSite(call);
  let rounds = 0;
  for (; !call.io.signal.aborted; rounds += 1) {
    await daemon.turn(() => round(call, daemon));
    await pause(config.pollSeconds, call.io.signal);
  }
  return rounds;
}

async function round(call: CommandCall, daemon: Daemon): Promise<void> {
  try {
    daemon.ended(await withLockedResult(call, (site, machine) => runUpdate(site, machine, 'update')));
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    daemon.failed(error);
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
