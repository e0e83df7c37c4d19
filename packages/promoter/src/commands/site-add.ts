/** `sealane site add`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { readNamed, writeOutput } from '../disk-shell.js';
import { readDocument } from '../evidence/document-file.js';
import { TOPOLOGY } from '../evidence/run-documents.js';
import { listOption, optionalText, textArgument, textOption, withLockedPromoter } from '../promoter.js';
import { type AddedSite, addSite, parseLabels } from '../site/add.js';
import { changeLines } from '../site/changes.js';
import { publishLane } from '../trust/publish-lane.js';

export const command: CommandSpec = {
  name: 'site add',
  summary: 'enrol a site: the registrar signs a record for the key in its request',
  arguments: [{ name: 'request', description: 'the file that sealane-site enroll --name wrote' }],
  options: [
    { flags: '--stage <stage>', description: 'the stage whose releases the site runs', required: true },
    { flags: '--label <k=v>', description: 'a label of the site, such as region=north', repeat: true },
    { flags: '--topology <file>', description: 'what stands at the site (YAML): the gate of that name compares it with what was tested' },
    { flags: '--key <keyref>', description: "the registrar's key", required: true },
    { flags: '--out <record>', description: 'where to write the record for the site' },
  ],
  example: 'sealane site add request.json --stage prod --label region=north --key registrar --out record.json --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const request = readNamed(path.resolve(call.io.cwd, textArgument(call, 0, 'REQUEST')), 'site request');
  return await withLockedPromoter(call, async (promoter) => {
    const labels = parseLabels(listOption(call, 'label'));
    const file = optionalText(call, 'topology');
    const topology = file === undefined ? undefined : readDocument(path.resolve(call.io.cwd, file), TOPOLOGY);
    const added = await addSite(promoter, {
      request,
      stage: textOption(call, 'stage'),
      labels,
      ...(topology === undefined ? {} : { topology }),
      registrar: await promoter.signer(textOption(call, 'key')),
    });
    const out = optionalText(call, 'out');
    if (out !== undefined) writeOutput(path.resolve(call.io.cwd, out), `${JSON.stringify(added.record)}\n`);
    await publishLane(promoter, new Map());
    return { exit: 0, json: added, text: textOf(added, out), ...hintOf(added) };
  });
}

function textOf({ site, keyId, replaces, otherNames }: AddedSite, out: string | undefined): string {
  const lines = [
    `enrolled ${site}, key ${keyId}${out === undefined ? '' : `; record in ${out}`}`,
    ...otherNames.map((other) => `its key is that of ${other.site} too, by the record of log index ${other.logIndex}`),
  ];
  if (replaces === null) return lines.join('\n');
  const changed = replaces.changes.length === 0 ? ['  nothing but the signature'] : changeLines(replaces.changes);
  return [...lines, `it replaces the record of log index ${replaces.logIndex}:`, ...changed].join('\n');
}

/** Hosts with one key speak for one another, and are ended together. */
function hintOf({ otherNames }: AddedSite): { readonly hint?: string } {
  if (otherNames.length === 0) return {};
  return {
    hint: 'a host that was copied from the disk of another needs a key of its own: empty its state folder, then: sealane-site enroll --name NAME --out REQUEST',
  };
}
