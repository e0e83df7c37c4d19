/** `sealane-site mirror sync`: what a link brings while it is there, to be installed later. */
import { type Digest, type ErrorCode, ERRORS } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { isToJudge, judgedNow, MAX_ROUNDS, syncMirror } from '../apply/ask-fetch.js';
import { linkCodeOf, linkRemedy } from '../apply/link-note.js';
import { expectNotRetired } from '../apply/retirement.js';
import type { SyncAnswer } from '../fetch/protocol.js';
import { withLockedSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'mirror sync',
  summary: 'bring the mirror up to date; install nothing',
  example: 'sealane-site mirror sync --config site/site.yaml --state site/state',
  run: (call) =>
    withLockedSite(call, async (site, machine) => {
      expectNotRetired(machine.state(), 'bring the mirror up to date');
      const fetcher = site.world.startFetcher(site.world.signal);
      try {
        let judged: Digest | null = null;
        let answer = await syncMirror(site, machine, fetcher, judged);
        for (let rounds = 1; isToJudge(answer) && judgedNow(site) !== judged && rounds < MAX_ROUNDS; rounds += 1) {
          judged = judgedNow(site);
          answer = await syncMirror(site, machine, fetcher, judged);
        }
        const { outcome, code, message, upstream } = answer;
        const exit = outcome === 'synced' || outcome === 'unchanged' ? 0 : ERRORS[code ?? 'FETCH_FAILED'].exit;
        const text = `${outcome}${upstream === null ? '' : ` from ${upstream}`}${message === '' ? '' : `: ${message}`}`;
        return { exit, json: { site: site.config.name, ...answer }, text, ...(code === null ? {} : { hint: hintOf(answer, code) }) };
      } finally {
        await fetcher.close();
      }
    }),
};

function hintOf(answer: SyncAnswer, code: ErrorCode): string {
  const said = linkCodeOf(answer);
  return said === null ? ERRORS[code].hint : linkRemedy(said);
}
