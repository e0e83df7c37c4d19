/** `sealane-site`: its commands, each loaded only when it is called. */
import type { Program } from '@sealane/core/command-line';
import { VERSION } from './version.js';

export const program: Program = {
  name: 'sealane-site',
  version: VERSION,
  summary: 'mirrors, verifies, installs and watches releases at an edge site, with or without a network',
  globals: [
    { flags: '--config <file>', description: 'site.yaml (default: site.yaml in the current folder)' },
    { flags: '--state <dir>', description: 'state folder (default: state beside site.yaml)' },
  ],
  commands: {
    enroll: {
      summary: 'make the key of this site and ask for a record; then take the record and a trusted root',
      load: () => import('./commands/enroll.js'),
    },
    check: { summary: 'look for a release and verify it; install nothing', load: () => import('./commands/check.js') },
    update: {
      summary: 'look for a release, verify it, install it, watch it, commit or roll back',
      load: () => import('./commands/update.js'),
    },
    run: { summary: 'update again and again, and keep the workload running', load: () => import('./commands/run.js') },
    status: { summary: 'say what runs, what is kept, how fresh trust is', load: () => import('./commands/status.js') },
    commit: { summary: 'commit a release in probation now, if it is healthy', load: () => import('./commands/commit.js') },
    rollback: { summary: 'go back to a release that is kept', load: () => import('./commands/rollback.js') },
    hold: { summary: 'hold updates at this site', load: () => import('./commands/hold.js') },
    unhold: {
      summary: 'lift a hold; try again after a failed rollback; allow a release that failed here',
      load: () => import('./commands/unhold.js'),
    },
    stop: { summary: 'stop the workload until it is started or updated', load: () => import('./commands/stop.js') },
    start: { summary: 'start the workload after a stop', load: () => import('./commands/start.js') },
    gc: { summary: 'remove slots, blobs and receipts that nothing needs', load: () => import('./commands/gc.js') },
    doctor: { summary: 'look for what is wrong at this site, and mend it', load: () => import('./commands/doctor.js') },
    'mirror sync': { summary: 'bring the mirror up to date; install nothing', load: () => import('./commands/mirror-sync.js') },
    'mirror serve': {
      summary: 'serve images of admitted releases to engines on this host, read-only and by digest',
      load: () => import('./commands/mirror-serve.js'),
    },
    'media import': {
      summary: 'take a medium into the mirror, verifying while it copies; install nothing',
      load: () => import('./commands/media-import.js'),
    },
    'receipt export': {
      summary: 'copy queued receipts to a folder, to be carried by hand',
      load: () => import('./commands/receipt-export.js'),
    },
    inventory: { summary: 'collect the hardware of this host', load: () => import('./commands/inventory.js') },
  },
};
