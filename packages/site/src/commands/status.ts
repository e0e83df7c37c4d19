/** `sealane-site status`. */
import { counted } from '@sealane/core';
import type { CommandSpec } from '@sealane/core/command-line';
import { readLinkNote } from '../apply/link-note.js';
import { readState } from '../apply/machine.js';
import { queuedNumbers, unsentNumbers } from '../apply/receipt-queue.js';
import { refusedNumbers } from '../apply/refused-receipts.js';
import { siteStatus, type SiteStatus } from '../apply/status.js';
import { readStrays } from '../apply/strays.js';
import { readTrustFile } from '../apply/trust-file.js';
import { trustedNow } from '../apply/trusted-time.js';
import { programPlace, updaterStatus } from '../self/slots.js';
import { openSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'status',
  summary: 'say what runs, what is kept, how fresh trust is',
  example: 'sealane-site status --config site/site.yaml --state site/state',
  run: async (call) => {
    const { world, folder, config, driver } = openSite(call);
    const trust = readTrustFile(world.disk, folder.trust);
    const state = readState(world.disk, folder.journal);
    const place = programPlace(world.env);
    const known = siteStatus(
      config.name,
      state,
      trust,
      await driver.status(),
      readStrays(world.disk, folder.strays),
      readLinkNote(world.disk, folder.link),
      {
        queued: unsentNumbers(world.disk, folder.receipts, state).length,
        kept: queuedNumbers(world.disk, folder.receipts, state).length,
        refused: refusedNumbers({ world, folder }).length,
      },
      trustedNow(trust.time, world.clock),
    );
    const status = { ...known, updater: place === undefined ? null : updaterStatus(world.disk, place) };
    return { exit: 0, json: status, text: textOf(status), ...(status.next === null ? {} : { hint: status.next }) };
  },
};

function textOf({
  site,
  state,
  current,
  previous,
  trust,
  receiptsQueued,
  receiptsUnshown,
  receiptsRefused,
  hold,
  stopped,
  workload,
  strays,
  link,
  failedHere,
  refused,
  drained,
  retired,
  secrets,
  updater,
}: SiteStatus): string {
  return [
    `${site}: ${state}`,
    current === null ? '  nothing is installed' : `  runs ${current.name} ${current.version} ${current.release}, since ${current.since}`,
    `  workload ${workload.is}${stopped ? ', stopped by an operator' : ''}`,
    ...(previous === null ? [] : [`  before it ${previous.name} ${previous.version} ${previous.release}`]),
    `  trust: root ${trust.rootVersion}, good for new installs until ${trust.expiresAt ?? 'it is verified for the first time'}; no earlier than ${trust.timeFloor}`,
    `  ${counted(receiptsQueued, 'receipt waits', 'receipts wait')} to be sent`,
    ...(receiptsUnshown === 0
      ? []
      : [
          `  ${counted(receiptsUnshown, 'receipt was', 'receipts were')} sent, and ${receiptsUnshown === 1 ? 'is kept until the log shows it' : 'are kept until the log shows them'}`,
        ]),
    ...(receiptsRefused === 0
      ? []
      : [
          `  ${counted(receiptsRefused, 'receipt was', 'receipts were')} refused by a promoter, kept in receipts/refused and offered again`,
        ]),
    ...(hold === null ? [] : [`  held${hold.until === null ? '' : ` until ${hold.until}`}: ${hold.reason}`]),
    ...strays.map(({ what, how, did, since }) => `  beside the release, since ${since}: ${what}: ${how}; ${did}`),
    ...(link === null ? [] : [`  not all could be brought since ${link.since} (${link.code})`]),
    ...failedHere.map(({ release, reason }) => `  not tried again: ${release} (${reason})`),
    ...(drained === null ? [] : [`  drained: ${drained}`]),
    ...(retired === null ? [] : [`  retired by the registrar: ${retired}`]),
    ...secrets.map(
      ({ name, version, given }) =>
        `  secret ${name}: version ${version}${given === null || given === version ? '' : `, the workload has ${given}`}`,
    ),
    ...(updater?.onTrial == null ? [] : [`  the updater that this release brings is on trial: ${updater.onTrial}`]),
    ...(updater?.damaged == null
      ? []
      : [`  the updater that a release brought is damaged on this disk: ${updater.damaged}; ${updater.runs} runs in its place`]),
    ...(refused === null ? [] : [`  refused last: ${refused.release ?? 'the lane'} (${refused.code})`]),
  ].join('\n');
}
