/** `sealane audit exposure`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { exposure, type Exposure } from '../answers/exposure.js';
import { answerQuestion, ASKED, given } from './question.js';

export const auditExposure: CommandSpec = {
  name: 'audit exposure',
  summary: 'which sites run or ran something, since when and until when (default: any release that was revoked)',
  options: [
    { flags: '--release <release>', description: 'a release: sha256:… or NAME@VERSION' },
    { flags: '--component <digest>', description: 'a part of releases: sha256:…' },
    {
      flags: '--package <name>',
      description: 'a package that an SBOM lists: NAME, NAME@VERSION, or a package URL (pkg:npm/%40babel/core@7.24.0)',
    },
    { flags: '--key <id>', description: 'whatever a key vouched for: 64 hex digits' },
    { flags: '--hardware <text>', description: 'a device: its class, serial, model, or a firmware such as "BIOS 2.14.1"' },
    ...ASKED,
  ],
  example: 'sealane audit exposure --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const thing = Object.fromEntries(['release', 'component', 'package', 'key', 'hardware'].map((name) => [name, given(call, name)]));
  return await answerQuestion(call, (context, asked) => exposure(context, thing, asked), lines);
}

function lines({ to, releases, sites, exposedNow, unseen }: Exposure): readonly string[] {
  return [
    `${to}: ${exposedNow.length === 0 ? 'no site is exposed now' : `exposed now: ${exposedNow.join(', ')}`}`,
    ...releases.map(({ release, name, version, why }) => `  ${name ?? ''}@${version ?? ''}  ${release}: ${why}`),
    ...sites.map(({ site, since, until, release }) => `  ${site}  ${since} to ${until ?? 'now'}  ${release ?? ''}`),
    ...unseen.map(({ site, missing }) => `  ${site}: receipts missing: ${missing.join(', ')}`),
  ];
}
