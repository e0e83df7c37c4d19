/** `sealane evidence add`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { serviceAddress } from '../client/service-address.js';
import { statementsResult } from '../command-parts.js';
import { addEvidence } from '../evidence/add.js';
import { describeEntry } from '../log/log-statements.js';
import { listOption, optionalText, releaseOf, textArgument, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'evidence add',
  summary: 'take in provenance, test reports with what is known of the run, or signed bundles',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [
    { flags: '--provenance <file>', description: 'SLSA v1 provenance (predicate or statement)' },
    { flags: '--tests <file>', description: 'report of tests that ran against this release: JUnit, TAP, CTRF or LAVA results' },
    { flags: '--hardware <file>', description: 'CycloneDX inventory of the machine on which these tests ran' },
    { flags: '--topology <file>', description: 'topology in which these tests ran (YAML)' },
    { flags: '--fidelity <file>', description: 'how real each dependency was in these tests (YAML)' },
    { flags: '--conditions <file>', description: 'what these tests measured of their links (YAML)' },
    { flags: '--rehearsal <file>', description: 'the rollbacks that these tests rehearsed (YAML)' },
    { flags: '--bundle <file>', description: 'a Sigstore bundle that somebody else signed', repeat: true },
    { flags: '--key <keyref>', description: 'who signs: file:PATH, env:NAME or the name of a key' },
  ],
  example: 'sealane evidence add readings@1.0.0 --tests junit.xml --hardware hardware.cdx.json --key lab --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { cwd } = call.io;
  const file = (name: string): Record<string, string> => {
    const value = optionalText(call, name);
    return value === undefined ? {} : { [name]: path.resolve(cwd, value) };
  };
  const files = {
    ...file('provenance'),
    ...file('tests'),
    documents: {
      ...file('hardware'),
      ...file('topology'),
      ...file('fidelity'),
      ...file('conditions'),
      ...file('rehearsal'),
    },
    bundles: listOption(call, 'bundle').map((name) => path.resolve(cwd, name)),
  };
  const server = serviceAddress(call);
  if (server !== undefined) return await (await import('../client/remote-evidence.js')).evidenceAddAt(call, server, files);
  const statements = await withLockedPromoter(call, async (promoter) => {
    const key = optionalText(call, 'key');
    const indexes = await addEvidence(promoter, {
      release: await releaseOf(promoter.ledger, textArgument(call, 0, 'RELEASE')),
      ...files,
      ...(key === undefined ? {} : { signer: await promoter.signer(key) }),
    });
    return await Promise.all(indexes.map(async (index) => describeEntry(await promoter.ledger.entry(index))));
  });
  return statementsResult(statements);
}
