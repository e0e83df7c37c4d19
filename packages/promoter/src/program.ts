/** Every command of `sealane`: its summary, and its file, loaded only when it is called. */
import type { Program } from '@sealane/core/command-line';
import { VERSION } from './version.js';

/** The command table. */
export const PROGRAM: Program = {
  name: 'sealane',
  version: VERSION,
  summary: 'carries signed releases through stages to sites that check everything by themselves',
  globals: [
    { flags: '--home <dir>', description: 'private state of the promoter (default: the current folder)' },
    { flags: '--lane <dir>', description: 'the published lane (default: HOME/lane)' },
    {
      flags: '--server <url>',
      description: 'a promoter service to call, instead of a home on this host',
      of: ['release create', 'evidence add', 'statement add', 'plan', 'promote', 'channel show'],
    },
    { flags: '--out <file>', description: 'write what would be printed to a file' },
  ],
  shared: ['--key <keyref>'],
  commands: {
    init: { summary: 'make a lane: keys, root of trust, stages, policies, log', load: () => import('./commands/init.js') },
    'trust propose': {
      summary: 'propose policies and root keys for the owners to sign',
      load: () => import('./commands/trust-propose.js'),
    },
    'trust show': { summary: 'show the open proposal and who has signed it', load: () => import('./commands/trust-show.js') },
    'trust sign': { summary: 'add an owner’s signature to a proposal', load: () => import('./commands/trust-sign.js') },
    'trust publish': { summary: 'publish a proposal that enough owners signed', load: () => import('./commands/trust-publish.js') },
    'trust verify': { summary: 'verify the published trust as a site would', load: () => import('./commands/trust-verify.js') },
    'key create': { summary: 'make a key pair', load: () => import('./commands/key-create.js') },
    'key list': { summary: 'list keys and where each is used', load: () => import('./commands/key-list.js') },
    'key export': { summary: 'print the public half of a key', load: () => import('./commands/key-export.js') },
    'key rotate': { summary: 'replace a key and propose the change', load: () => import('./commands/key-rotate.js') },
    'key revoke': { summary: 'propose that a key counts no more from a log index on', load: () => import('./commands/key-revoke.js') },
    'release create': { summary: 'make an immutable release', load: () => import('./commands/release-create.js') },
    'release list': { summary: 'list releases with the stages they reached', load: () => import('./commands/release-list.js') },
    'release copy': {
      summary: 'copy a release into a registry, with what vouches for it',
      load: () => import('./commands/release-copy.js'),
    },
    'release import': {
      summary: 'make a release of a cosign-signed image in a registry',
      load: () => import('./commands/release-import.js'),
    },
    'release show': { summary: 'show the parts of a release and what is said about it', load: () => import('./commands/release-show.js') },
    'evidence add': { summary: 'take in provenance, test reports, hardware, bundles', load: () => import('./commands/evidence-add.js') },
    'evidence list': { summary: 'list the evidence about a release and its images', load: () => import('./commands/evidence-list.js') },
    'evidence show': { summary: 'show a statement as it was signed', load: () => import('./commands/evidence-show.js') },
    'evidence verify': {
      summary: 'verify every statement about a release and its images',
      load: () => import('./commands/evidence-verify.js'),
    },
    'evidence export': {
      summary: 'take a release to another lane, with all that is said of it',
      load: () => import('./commands/evidence-export.js'),
    },
    'evidence import': { summary: 'take in a release that another lane exported', load: () => import('./commands/evidence-import.js') },
    plan: { summary: 'say what promote would say, and what is missing', load: () => import('./commands/plan.js') },
    explain: { summary: 'show an approver what an approval would name', load: () => import('./commands/explain.js') },
    approve: { summary: 'sign that a release may go into a stage', load: () => import('./commands/approve.js') },
    reject: { summary: 'veto a release for a stage', load: () => import('./commands/reject.js') },
    promote: { summary: 'move a release into a stage when every gate holds', load: () => import('./commands/promote.js') },
    replay: { summary: 'make a past decision again from the ledger alone', load: () => import('./commands/replay.js') },
    revoke: { summary: 'call a release back for good', load: () => import('./commands/revoke.js') },
    'exception create': {
      summary: 'let through what does not hold, for one release and stage',
      load: () => import('./commands/exception-create.js'),
    },
    'exception export': { summary: 'write an exception for the site that it is for', load: () => import('./commands/exception-export.js') },
    'exception send': {
      summary: 'have a site take an exception in at its next update',
      load: () => import('./commands/exception-send.js'),
    },
    'exception list': { summary: 'list exceptions and open reviews', load: () => import('./commands/exception-list.js') },
    'exception review': { summary: 'sign off the use of an exception', load: () => import('./commands/exception-review.js') },
    'secret set': { summary: 'seal a value of a secret to a site', load: () => import('./commands/secret-set.js') },
    'secret list': { summary: 'list what was sealed to each site', load: () => import('./commands/secret-list.js') },
    freeze: { summary: 'freeze a stage: nothing goes into it', load: () => import('./commands/freeze.js') },
    unfreeze: { summary: 'take a freeze back', load: () => import('./commands/unfreeze.js') },
    'statement add': {
      summary: 'log approvals, evidence and receipts that came by hand',
      load: () => import('./commands/statement-add.js'),
    },
    'channel show': { summary: 'show what a stage runs', load: () => import('./commands/channel-show.js') },
    'channel set': { summary: 'point a stage at a release that it has passed before', load: () => import('./commands/channel-set.js') },
    'channel rollback': { summary: 'take a stage back to an earlier release', load: () => import('./commands/channel-rollback.js') },
    'channel hold': { summary: 'hold a stage', load: () => import('./commands/channel-hold.js') },
    'channel unhold': { summary: 'free a stage that was held', load: () => import('./commands/channel-unhold.js') },
    'site add': { summary: 'enrol a site', load: () => import('./commands/site-add.js') },
    'site list': { summary: 'list enrolled sites', load: () => import('./commands/site-list.js') },
    'site show': { summary: 'show a site and its receipts', load: () => import('./commands/site-show.js') },
    'site fence': { summary: 'fence a site: it installs nothing', load: () => import('./commands/site-fence.js') },
    'site drain': { summary: 'take a site out: it stops its workload', load: () => import('./commands/site-drain.js') },
    'site rejoin': { summary: 'let a fenced or drained site go on', load: () => import('./commands/site-rejoin.js') },
    'site delegate': {
      summary: 'let somebody nearby give replaced nodes their record',
      load: () => import('./commands/site-delegate.js'),
    },
    'site replace': {
      summary: 'give a replaced node its record, as a delegate',
      load: () => import('./commands/site-replace.js'),
    },
    'site retire': {
      summary: 'retire a site: it wipes itself, and its key counts no more',
      load: () => import('./commands/site-retire.js'),
    },
    'site certify': { summary: 'issue the certificate that a site asks for', load: () => import('./commands/site-certify.js') },
    'ca request': { summary: 'make the key that certifies sites, and ask the owners', load: () => import('./commands/ca-request.js') },
    'ca sign': { summary: 'certify that key, on the owners’ machine', load: () => import('./commands/ca-sign.js') },
    'ca install': { summary: 'take in what the owners signed', load: () => import('./commands/ca-install.js') },
    'ca show': { summary: 'show who certifies sites here', load: () => import('./commands/ca-show.js') },
    'rig add': { summary: 'enrol a test rig', load: () => import('./commands/rig-add.js') },
    'rig rebuilt': { summary: 'take note that a rig was built again', load: () => import('./commands/rig-rebuilt.js') },
    'rig list': { summary: 'list enrolled test rigs', load: () => import('./commands/rig-list.js') },
    'rig revoke': { summary: 'call back a rig, a class of device or a unit', load: () => import('./commands/rig-revoke.js') },
    publish: { summary: 'publish the lane again with fresh signatures', load: () => import('./commands/publish.js') },
    serve: { summary: 'serve the API and the lane, and take receipts in', load: () => import('./commands/serve.js') },
    'media export': { summary: 'write what a stage’s sites need to a medium', load: () => import('./commands/media-export.js') },
    'log prove': { summary: 'print a statement with its proof', load: () => import('./commands/log-prove.js') },
    'log anchor': { summary: 'tie what another log says of a release to this one', load: () => import('./commands/log-anchor.js') },
    'records init': { summary: 'make a log that cosign can write to', load: () => import('./commands/records-init.js') },
    'witness serve': {
      summary: 'cosign checkpoints of a log that never goes back',
      load: async () => ({ command: (await import('@sealane/ledger')).witnessServe }),
    },
    'ledger fsck': {
      summary: 'check a ledger file by itself',
      load: async () => ({ command: (await import('@sealane/ledger')).ledgerFsck }),
    },
    'ledger archive': { summary: 'move what old entries say into an archive', load: () => import('./commands/ledger-archive.js') },
    'ledger thaw': { summary: 'bring back what was archived', load: () => import('./commands/ledger-thaw.js') },
    backup: { summary: 'write ledger, lane and sealed keys to one file', load: () => import('./commands/backup.js') },
    restore: { summary: 'lay a backup down on an empty machine and verify it', load: () => import('./commands/restore.js') },
    erase: { summary: 'erase reports and inventories; their digests and proofs stay', load: () => import('./commands/erase.js') },
    gc: { summary: 'list or remove content that nothing needs any more', load: () => import('./commands/gc.js') },
    'audit trace': {
      summary: 'the path of a release: built, tested, approved, decided, run',
      load: async () => ({ command: (await import('@sealane/auditor')).auditTrace }),
    },
    'audit at': {
      summary: 'what runs at a site, and what ran there',
      load: async () => ({ command: (await import('@sealane/auditor')).auditAt }),
    },
    'audit coverage': {
      summary: 'which hardware at the sites a release was tested on',
      load: async () => ({ command: (await import('@sealane/auditor')).auditCoverage }),
    },
    'audit population': {
      summary: 'every decision, release and site of a period, none left out',
      load: async () => ({ command: (await import('@sealane/auditor')).auditPopulation }),
    },
    'audit exposure': {
      summary: 'which sites run or ran something',
      load: async () => ({ command: (await import('@sealane/auditor')).auditExposure }),
    },
    'audit devices': {
      summary: 'on which devices a release was tested',
      load: async () => ({ command: (await import('@sealane/auditor')).auditDevices }),
    },
    'audit cases': {
      summary: 'which test cases passed, failed or were flaky',
      load: async () => ({ command: (await import('@sealane/auditor')).auditCases }),
    },
    'audit approvals': {
      summary: 'who approved, having seen what, with which other part',
      load: async () => ({ command: (await import('@sealane/auditor')).auditApprovals }),
    },
    'audit decisions': {
      summary: 'which policy decided, why refused, what changed then',
      load: async () => ({ command: (await import('@sealane/auditor')).auditDecisions }),
    },
    'audit changes': {
      summary: 'what changed from the release before',
      load: async () => ({ command: (await import('@sealane/auditor')).auditChanges }),
    },
    'audit waivers': {
      summary: 'what was let through, and what still rests on it',
      load: async () => ({ command: (await import('@sealane/auditor')).auditWaivers }),
    },
    'audit awareness': {
      summary: 'when each site could know of a revocation',
      load: async () => ({ command: (await import('@sealane/auditor')).auditAwareness }),
    },
    'audit remedy': {
      summary: 'how long from a finding to the fix, at each site',
      load: async () => ({ command: (await import('@sealane/auditor')).auditRemedy }),
    },
    'audit parity': {
      summary: 'how a site differs from where its release was tested',
      load: async () => ({ command: (await import('@sealane/auditor')).auditParity }),
    },
    'audit unit': {
      summary: 'everything that was tested on one unit',
      load: async () => ({ command: (await import('@sealane/auditor')).auditUnit }),
    },
    'audit keys': {
      summary: 'who may sign what, and what a key signed',
      load: async () => ({ command: (await import('@sealane/auditor')).auditKeys }),
    },
    'audit drift': {
      summary: 'which sites run something else than assigned',
      load: async () => ({ command: (await import('@sealane/auditor')).auditDrift }),
    },
    'audit snapshot': {
      summary: 'what the ledger held at a time, unedited since',
      load: async () => ({ command: (await import('@sealane/auditor')).auditSnapshot }),
    },
    'audit rollbacks': {
      summary: 'what was rolled back, and why',
      load: async () => ({ command: (await import('@sealane/auditor')).auditRollbacks }),
    },
    'audit evidence': {
      summary: 'which evidence is missing or about to expire',
      load: async () => ({ command: (await import('@sealane/auditor')).auditEvidence }),
    },
    'audit automatic': {
      summary: 'what happened without a person, and how it is undone',
      load: async () => ({ command: (await import('@sealane/auditor')).auditAutomatic }),
    },
    'audit replay': {
      summary: 'a past decision made again, by the policy of then',
      load: () => import('./commands/audit-replay.js'),
    },
    'audit policy': {
      summary: 'what a policy change would have let through',
      load: () => import('./commands/audit-policy.js'),
    },
    'audit verify': {
      summary: 'is the ledger what it was?',
      load: async () => ({ command: (await import('@sealane/auditor')).auditVerify }),
    },
    'audit export': {
      summary: 'write a release, a site or a period with all proofs to one file',
      load: async () => ({ command: (await import('@sealane/auditor')).auditExport }),
    },
    'audit check': {
      summary: 'check such a file offline',
      load: async () => ({ command: (await import('@sealane/auditor')).auditCheck }),
    },
    'tuf init': { summary: 'plain TUF: trust a root', load: () => import('./commands/tuf-init.js') },
    'tuf refresh': { summary: 'plain TUF: refresh top-level metadata', load: () => import('./commands/tuf-refresh.js') },
    'tuf download': { summary: 'plain TUF: download targets', load: () => import('./commands/tuf-download.js') },
    'bundle verify': { summary: 'verify a Sigstore bundle offline', load: () => import('./commands/bundle-verify.js') },
  },
};
