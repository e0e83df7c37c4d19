/** `sealane-site`: its commands, each loaded only when it is called. */
import type { Program } from '@sealane/core/command-line';
import { VERSION } from './version.js';

type Load = Program['commands'][string]['load'];

/** A verb of operators: with `--service` the apply service is asked to do it. */
function verb(load: Load): Load {
  return async () => {
    const { command } = await load();
    return {
      command: {
        ...command,
        run: async (call) =>
          (call.options['service'] ?? '') === ''
            ? await command.run(call)
            : await (await import('./service/ask-shell.js')).ask(command.name, call),
      },
    };
  };
}

export const program: Program = {
  name: 'sealane-site',
  version: VERSION,
  summary: 'mirrors, verifies, installs and watches releases at an edge site, with or without a network',
  globals: [
    { flags: '--config <file>', description: 'site.yaml (default: site.yaml in the current folder)' },
    { flags: '--state <dir>', description: 'state folder (default: state beside site.yaml)' },
    { flags: '--mirror <dir>', description: 'folder of what fetch brings, mirror and offer (default: the state folder)' },
    { flags: '--fetch <socket>', description: 'order what is fetched of the fetch service here (default: a process of our own)' },
    { flags: '--service <socket>', description: 'ask the apply service here to do it' },
    { flags: '--as <person>', description: 'of a technician: in whose name a granted role is used' },
  ],
  commands: {
    enroll: {
      summary: 'make the key of this site and ask for a record; then take the record and a trusted root',
      load: () => import('./commands/enroll.js'),
    },
    render: { summary: 'write site.yaml out of a template for many sites', load: () => import('./commands/render.js') },
    check: { summary: 'look for a release and verify it; install nothing', load: verb(() => import('./commands/check.js')) },
    update: {
      summary: 'look for a release, verify it, install it, watch it, commit or roll back',
      load: verb(() => import('./commands/update.js')),
    },
    apply: {
      summary: 'serve this site: update again and again with the fetch service, do what operators ask on a socket',
      load: () => import('./commands/apply.js'),
    },
    fetch: {
      summary: 'serve the apply service: fill the mirror, carry receipts up; no key, no trust state',
      load: () => import('./commands/fetch.js'),
    },
    run: { summary: 'update again and again, and keep the workload running', load: () => import('./commands/run.js') },
    status: { summary: 'say what runs, what is kept, how fresh trust is', load: verb(() => import('./commands/status.js')) },
    commit: { summary: 'commit a release in probation now, if it is healthy', load: verb(() => import('./commands/commit.js')) },
    rollback: { summary: 'go back to a release that is kept', load: verb(() => import('./commands/rollback.js')) },
    hold: { summary: 'hold updates at this site', load: verb(() => import('./commands/hold.js')) },
    unhold: {
      summary: 'lift a hold; try again after a failed rollback; allow a release that failed here',
      load: verb(() => import('./commands/unhold.js')),
    },
    stop: { summary: 'stop the workload until it is started or updated', load: verb(() => import('./commands/stop.js')) },
    start: { summary: 'start the workload after a stop', load: verb(() => import('./commands/start.js')) },
    gc: { summary: 'remove slots, blobs and receipts that nothing needs', load: verb(() => import('./commands/gc.js')) },
    doctor: { summary: 'look for what is wrong at this site, and mend it', load: verb(() => import('./commands/doctor.js')) },
    'mirror sync': { summary: 'bring the mirror up to date; install nothing', load: verb(() => import('./commands/mirror-sync.js')) },
    'mirror serve': {
      summary: 'serve images of admitted releases to engines on this host, and the lane to neighbours, read-only',
      load: () => import('./commands/mirror-serve.js'),
    },
    'media import': {
      summary: 'take a medium into the mirror, verifying while it copies; install nothing',
      load: verb(() => import('./commands/media-import.js')),
    },
    'exception request': {
      summary: 'ask for an exception, in a file that is carried by hand',
      load: () => import('./commands/exception-request.js'),
    },
    'exception apply': { summary: 'take in an exception that was granted', load: () => import('./commands/exception-apply.js') },
    'receipt export': {
      summary: 'copy queued receipts to a folder, to be carried by hand',
      load: () => import('./commands/receipt-export.js'),
    },
    'certificate request': {
      summary: 'ask for the certificate by which this site is known over TLS',
      load: () => import('./commands/certificate-request.js'),
    },
    'certificate install': {
      summary: 'take in the certificate that this site asked for',
      load: verb(() => import('./commands/certificate-install.js')),
    },
    'certificate show': {
      summary: 'say by which certificate this site is known, and until when',
      load: () => import('./commands/certificate-show.js'),
    },
    egress: {
      summary: 'list every host and port that this site talks to; nothing has to reach it from outside',
      load: () => import('./commands/egress.js'),
    },
    inventory: { summary: 'collect the hardware of this host', load: () => import('./commands/inventory.js') },
  },
};
