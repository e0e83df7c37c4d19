/** `sealane-site apply`: the process without a network, as a service: it owns trust, journal and key, orders `fetch`, and does what operators ask. */
import { SiteError } from '@sealane/core';
import type { CommandCall, CommandSpec } from '@sealane/core/command-line';
import { useLocalRole } from '../apply/local-role.js';
import { readState } from '../apply/machine.js';
import { isSiteResult, type SiteResult } from '../apply/outcome.js';
import { systemClock } from '../clock.js';
import { endIfDamaged } from '../self/damage-shell.js';
import { openJournalOfHost } from '../service/journal-shell.js';
import { listenForLines } from '../service/line-socket-shell.js';
import { endIfReplaced, runRounds } from '../service/rounds.js';
import { describeListening, listeningAt, supervisor, techniciansAt } from '../service/supervisor-shell.js';
import { makeTurns, oneAtATime, type Turns } from '../service/turns.js';
import {
  administratorsHold,
  answerTo,
  commandOf,
  endsHold,
  failureOf,
  isOnlooker,
  isUrgent,
  needsGrant,
  type Role,
} from '../service/verbs.js';
import { MAX_VERB_BYTES, type OperatorAnswer, type OperatorRequest, parseOperatorRequest } from '../service/wire.js';
import { openSite, textOption, withLockedSite } from '../site-shell.js';
import { answerOf } from './result-text.js';

/** Operators, and their scripts. */
const LIMITS = { maxRequestBytes: MAX_VERB_BYTES, maxConnections: 32, requestMs: 5000 };

/** How long an operator's verb waits for what is under way. */
const VERB_WAIT_MS = 20_000;

/** The command. */
export const command: CommandSpec = {
  name: 'apply',
  summary: 'serve this site: update again and again with the fetch service, do what operators ask on a socket',
  options: [
    { flags: '--listen <socket>', description: 'listen for operators here (mode 0600) where systemd passes no socket' },
    { flags: '--technicians <socket>', description: 'listen for technicians here, who may do less' },
  ],
  example: 'sealane-site apply --listen operators.sock --fetch fetch.sock --config site/site.yaml --state site/state',
  run: async (call) => {
    const { config } = openSite(call);
    const { io } = call;
    const turns = makeTurns(systemClock);
    // operators come after one technician, not after a crowd of them
    const few = oneAtATime(turns);
    const replaced = new AbortController();
    const talk = (line: string): void => io.talk(`${line}\n`);
    const journal = openJournalOfHost(io.env, process.pid, talk);
    const note = (result: SiteResult): void => journal(result, answerOf(result).text);
    const at = listeningAt(io.env, process.pid, textOption(call.options['listen']));
    const server = await listenForLines(at, LIMITS, (line) => serve(line, call, { turns, note, replaced, role: 'operator' }), talk);
    const narrow = techniciansAt(io.env, process.pid, textOption(call.options['technicians']));
    const technicians =
      narrow === undefined
        ? undefined
        : await listenForLines(narrow, LIMITS, (line) => serve(line, call, { turns: few, note, replaced, role: 'technician' }), talk);
    const systemd = supervisor(io.env);
    systemd.ready();
    talk(describeListening(at));
    try {
      const rounds = await runRounds(call, {
        turn: (round) => turns.take(Infinity, round),
        ended: note,
        replaced,
        failed: ({ message, code }) => talk(`${message} (${code})`),
      });
      return { exit: 0, json: { site: config.name, rounds }, text: `${config.name}: ended after ${rounds} rounds; the workload runs on` };
    } finally {
      // a fault ends the service too: systemd starts it again
      systemd.stopping();
      server.close();
      technicians?.close();
    }
  },
};

/** One verb of an operator. */
async function serve(
  line: Uint8Array,
  call: CommandCall,
  {
    turns,
    note,
    replaced,
    role,
  }: { readonly turns: Turns; readonly note: (result: SiteResult) => void; readonly replaced: AbortController; readonly role: Role },
): Promise<OperatorAnswer> {
  const { options, io } = call;
  try {
    const request = parseOperatorRequest(line);
    const { program } = await import('../program.js');
    const asked = await commandOf(request, program.commands);
    const { config, state, mirror, fetch } = options;
    const globals = { config, state, mirror, fetch };
    const run = async (hurry?: AbortSignal): Promise<OperatorAnswer> => {
      if (role === 'technician') await expectAllowed(request, { args: [], options: globals, io });
      return await answerTo(asked, request, globals, hurry === undefined ? io : { ...io, hurry });
    };
    const take = isUrgent(request) ? turns.takeSoon : turns.take;
    const answer = isOnlooker(request) ? await run() : await take(VERB_WAIT_MS, run);
    if ('json' in answer && isSiteResult(answer.json)) note(answer.json);
    // a part of the program that is loaded when it is needed
    if ('error' in answer && answer.error.code === 'INTERNAL') endIfDamaged(call, replaced);
    endIfReplaced(call, replaced);
    return answer;
  } catch (error) {
    return { v: 1, error: failureOf(error, io) };
  }
}

/** A technician who asks for more than his own verbs: people must have granted it to the one whom he names. @throws SiteError `ROLE_DENIED` */
async function expectAllowed(request: OperatorRequest, call: CommandCall): Promise<void> {
  const { world, folder } = openSite(call);
  const waitsFor = endsHold(request) ? administratorsHold(readState(world.disk, folder.journal).phase) : undefined;
  if (waitsFor === undefined && !needsGrant(request)) return;
  const {
    verb,
    options: { as: person },
  } = request;
  if (typeof person !== 'string')
    throw new SiteError(
      'ROLE_DENIED',
      `${verb} as a technician: expected an operator, or a grant and --as PERSON${waitsFor === undefined ? '' : `, to end ${waitsFor}`}`,
    );
  await withLockedSite(call, (site, machine) => useLocalRole(site, machine, person, verb));
}
