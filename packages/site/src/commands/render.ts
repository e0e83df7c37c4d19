/** `sealane-site render`: site.yaml of one site out of a template for many. */
import path from 'node:path';
import { SiteError, utf8 } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { nodeDisk } from '../disk.js';
import { writeOutput } from '../durable-write.js';
import { renderTemplate } from '../site-template.js';
import { readYamlFile } from '../strict-yaml.js';

/** The command. */
export const command: CommandSpec = {
  name: 'render',
  summary: 'write site.yaml of one site out of a template for many',
  arguments: [{ name: 'template', description: 'the template (YAML)' }],
  options: [
    { flags: '--set <name=value>', description: 'the value of a variable that the template declares', repeat: true },
    { flags: '--out <file>', description: 'where to write site.yaml', required: true },
  ],
  example: 'sealane-site render town.yaml --set SITE=harbour-7 --set REGION=north --out site.yaml',
  run: (call) => Promise.resolve(render(call)),
};

function render({ args, options, io }: CommandCall): CommandResult {
  const file = path.resolve(io.cwd, typeof args[0] === 'string' ? args[0] : '');
  const set = readSettings(Array.isArray(options.set) ? options.set : []);
  const { text, ...rendered } = renderTemplate(readYamlFile(nodeDisk, file, 'a template of site.yaml'), file, set);
  const out = path.resolve(io.cwd, typeof options.out === 'string' ? options.out : '');
  writeOutput(nodeDisk, out, utf8(text));
  return { exit: 0, json: { out, ...rendered }, text: `${rendered.name}, of stage ${rendered.stage}: ${out}` };
}

/** `NAME=VALUE` pairs, each name once. */
function readSettings(pairs: readonly string[]): ReadonlyMap<string, string> {
  const set = new Map<string, string>();
  for (const pair of pairs) {
    const [, name, value] = /^([^=]+)=([^]*)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined || set.has(name))
      throw new SiteError('USAGE', `read --set: expected NAME=VALUE, each name once, got ${JSON.stringify(pair)}`);
    set.set(name, value);
  }
  return set;
}
