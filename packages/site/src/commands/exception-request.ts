/** `sealane-site exception request`: ask for an exception, in a file that is carried to those who may grant it. */
import path from 'node:path';
import { canonicalJson, parseDigest, shellWord, SiteError } from '@sealane/core';
import type { CommandCall, CommandSpec } from '@sealane/core/command-line';
import { SITE_EXCEPTION_KINDS, type SiteExceptionKind } from '@sealane/trust';
import { type ExceptionWish, requestException } from '../apply/exception.js';
import { readState } from '../apply/machine.js';
import { writeOutput } from '../durable-write.js';
import { VERBS } from '../service/verbs.js';
import type { Site } from '../site.js';
import { openSite, peoplesText } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'exception request',
  summary:
    'ask for an exception, signed by this site: to install with stale trust, to go back below the floor, to let a technician do more',
  options: [
    { flags: '--kind <kind>', description: 'stale, rollback or local-role', required: true },
    { flags: '--release <digest>', description: 'the release that is to be let through (of local-role: what runs here)' },
    { flags: '--person <name>', description: 'of local-role: who is to be let' },
    { flags: '--verb <verb>', description: 'of local-role: what the person is to be let do, such as stop', repeat: true },
    { flags: '--reason <text>', description: 'why', required: true },
    { flags: '--out <file>', description: 'the file to write', required: true },
  ],
  example:
    'sealane-site exception request --kind stale --release "sha256:$(printf 0%.0s $(seq 64))" --reason "the link is down" --out request.json --config site/site.yaml --state site/state',
  run: async (call) => {
    const site = openSite(call);
    const out = path.resolve(call.io.cwd, text(call, 'out'));
    const wish = wishOf(call, site);
    writeOutput(site.world.disk, out, canonicalJson(await requestException(site, wish)));
    return {
      exit: 0,
      json: { out, site: site.config.name, kind: wish.kind, release: wish.release },
      text: `${out}: asks for an exception of kind ${wish.kind} for ${wish.release}`,
      hint: `who may grant it: sealane exception create --request ${shellWord(path.basename(out))} --key PERSON --reason TEXT`,
    };
  },
};

function wishOf(call: CommandCall, site: Site): ExceptionWish {
  const [kind, reason] = [kindOf(text(call, 'kind')), peoplesText(call, 'reason')];
  if (kind !== 'local-role') return { kind, release: parseDigest(text(call, 'release')), reason };
  const { current } = readState(site.world.disk, site.folder.journal);
  if (current === null)
    throw new SiteError(
      'ROLLBACK_NONE',
      'ask for a local role: expected an installed release, got none',
      {},
      { hint: 'install one: sealane-site update' },
    );
  const { verb } = call.options;
  const verbs = Array.isArray(verb) ? (verb as readonly string[]) : [];
  const strange = verbs.find((each) => !VERBS.includes(each));
  if (verbs.length === 0 || strange !== undefined)
    throw new SiteError('USAGE', `read --verb: expected one of ${VERBS.join(', ')}, got ${strange ?? 'none'}`);
  return { kind, release: current.release, role: { person: text(call, 'person'), verbs }, reason };
}

function text(call: CommandCall, name: string): string {
  const value = call.options[name];
  if (typeof value === 'string') return value;
  throw new SiteError('USAGE', `ask for an exception: expected --${name}`);
}

function kindOf(word: string): SiteExceptionKind {
  const kind = SITE_EXCEPTION_KINDS.find((each) => each === word);
  if (kind !== undefined) return kind;
  throw new SiteError('USAGE', `read --kind: expected one of ${SITE_EXCEPTION_KINDS.join(', ')}, got ${word.slice(0, 40)}`);
}
