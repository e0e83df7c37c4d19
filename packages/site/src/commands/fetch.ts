/** `sealane-site fetch`: the process with the network, as a service: it fills the mirror and carries receipts up, as `apply` orders. It holds no key. */
import path from 'node:path';
import { type CommandSpec, untilAborted } from '@sealane/core/command-line';
import { counted, SiteError } from '@sealane/core';
import { nodeDisk } from '../disk.js';
import { systemClock } from '../clock.js';
import { broughtBy, type FetchFolders, ranInto, restOf } from '../fetch/brought.js';
import { fetchWorld } from '../fetch/fetch-world-shell.js';
import type { FetchWorld } from '../fetch/sync-run.js';
import { serveFetch } from '../fetch/worker.js';
import { idleTimer } from '../service/idle-shell.js';
import { receiptDigest } from '../service/fetch-client-shell.js';
import { listenForLines } from '../service/line-socket-shell.js';
import { describeListening, listeningAt, supervisor } from '../service/supervisor-shell.js';
import { makeTurns } from '../service/turns.js';
import { type FetchOrder, type FetchReply, MAX_APPLY_BYTES, parseFetchOrder } from '../service/wire.js';
import { placeOf, textOption } from '../site-shell.js';

/** One asks, with many receipts perhaps; a second one may be an `update` that an operator runs by hand. */
const LIMITS = { maxRequestBytes: MAX_APPLY_BYTES, maxConnections: 4, requestMs: 60_000 };

/** The command. */
export const command: CommandSpec = {
  name: 'fetch',
  summary: 'serve the apply service: fill the mirror, carry receipts up; no key, no trust state',
  options: [
    { flags: '--listen <socket>', description: 'listen here (mode 0600) where systemd passes no socket' },
    { flags: '--idle <seconds>', description: 'end when nothing was ordered for so long: systemd starts it again (default: never)' },
  ],
  example: 'sealane-site fetch --listen fetch.sock --mirror site/fetched',
  run: async (call) => {
    const { folder } = placeOf(call);
    const { env } = call.io;
    const idle = idleTimer(idleSeconds(textOption(call.options['idle'])));
    const signal = AbortSignal.any([call.io.signal, idle.signal]);
    const talk = (line: string): void => call.io.talk(`${line}\n`);
    // two of us must never write one mirror
    const turns = makeTurns(systemClock);
    let orders = 0;
    const at = listeningAt(env, process.pid, textOption(call.options['listen']));
    const server = await listenForLines(
      at,
      LIMITS,
      async (line, gone) => {
        const order = parseFetchOrder(line);
        orders += 1;
        const world = fetchWorld(AbortSignal.any([signal, gone]), env['SEALANE_BOOT']);
        const reply = await idle.keep(() => turns.take(Infinity, () => carryOut(order, folder, world, talk)));
        return { v: 1, ...reply };
      },
      talk,
    );
    const systemd = supervisor(env);
    systemd.ready();
    talk(describeListening(at));
    await untilAborted(signal);
    systemd.stopping();
    server.close();
    return { exit: 0, json: { orders }, text: `ended after ${orders} orders` };
  },
};

async function carryOut(order: FetchOrder, folders: FetchFolders, world: FetchWorld, talk: (line: string) => void): Promise<FetchReply> {
  switch (order.do) {
    case 'drop-offer':
      nodeDisk.remove(folders.offer);
      return { brought: null, rest: 'here' };
    case 'wipe':
      for (const brought of [folders.offer, folders.mirror])
        for (const name of nodeDisk.list(brought)) nodeDisk.remove(path.join(brought, name));
      return { brought: null, rest: 'here' };
    case 'sync': {
      const answer = await serveFetch({ ...order, mirror: folders.mirror, offer: folders.offer }, world);
      if (!('synced' in answer)) throw new SiteError('INTERNAL', 'sync: expected the answer to a sync');
      const { outcome, upstream, message, code, requests, bytes } = answer.synced;
      talk(
        `${outcome}${upstream === null ? '' : ` from ${upstream}`}: ${counted(requests, 'request')}, ${counted(bytes, 'byte')}${message === '' ? '' : `; ${message}`}${code === null ? '' : ` (${code})`}`,
      );
      return { brought: broughtBy(nodeDisk, folders, order.job, answer.synced), rest: restOf(answer.synced), ...ranInto(answer.synced) };
    }
    case 'certify': {
      const answer = await serveFetch({ ...order, mirror: folders.mirror }, world);
      if ('certified' in answer && answer.certified.problem !== null) talk(answer.certified.problem);
      return { brought: null, rest: 'here' };
    }
    case 'flush': {
      const answer = await serveFetch({ ...order, mirror: folders.mirror }, world);
      if (!('flushed' in answer)) throw new SiteError('INTERNAL', 'flush: expected the answer to a flush');
      const { upTo, problem } = answer.flushed;
      if (problem !== null) talk(problem);
      const last = order.receipts.findLast(({ seq }) => seq <= upTo);
      return { brought: last === undefined ? null : receiptDigest(last.bundle), rest: 'here' };
    }
  }
}

/** @throws SiteError `USAGE` */
function idleSeconds(given: string | undefined): number {
  const seconds = Number(given ?? Infinity);
  if (seconds > 0) return seconds;
  throw new SiteError('USAGE', `serve apply: expected --idle as a number of seconds, got ${JSON.stringify(given)}`);
}
