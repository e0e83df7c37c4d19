/** `sealane-site exception request`: ask for an exception, in a file that is carried to those who may grant it. */
import path from 'node:path';
import { canonicalJson, parseDigest, SiteError } from '@sealane/core';
import type { CommandCall, CommandSpec } from '@sealane/core/command-line';
import { SITE_EXCEPTION_KINDS, type SiteExceptionKind } from '@sealane/trust';
import { requestException } from '../apply/exception.js';
import { writeOutput } from '../durable-write.js';
import { openSite } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'exception request',
  summary: 'ask for an exception, signed by this site: to install with stale trust, or to go back below the floor',
  options: [
    { flags: '--kind <kind>', description: 'stale or rollback', required: true },
    { flags: '--release <digest>', description: 'the release that is to be let through', required: true },
    { flags: '--reason <text>', description: 'why', required: true },
    { flags: '--out <file>', description: 'the file to write', required: true },
  ],
  example:
    'sealane-site exception request --kind stale --release "sha256:$(printf 0%.0s $(seq 64))" --reason "the link is down" --out request.json --config site/site.yaml --state site/state',
  run: async (call) => {
    const site = openSite(call);
    const out = path.resolve(call.io.cwd, text(call, 'out'));
    const wish = { kind: kindOf(text(call, 'kind')), release: parseDigest(text(call, 'release')), reason: text(call, 'reason') };
    writeOutput(site.world.disk, out, canonicalJson(await requestException(site, wish)));
    return {
      exit: 0,
      json: { out, site: site.config.name, kind: wish.kind, release: wish.release },
      text: `${out}: asks for an exception of kind ${wish.kind} for ${wish.release}`,
      hint: `who may grant it: sealane exception create --request ${path.basename(out)} --key PERSON --reason TEXT`,
    };
  },
};

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
