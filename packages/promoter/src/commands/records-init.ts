/** `sealane records init`. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, type JsonObject, parseVkey, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { trustedRootFromPolicy } from '@sealane/trust';
import { durableWrite, PUBLIC_FILE } from '../disk-shell.js';
import { optionalText, type Promoter, textOption, withLockedPromoter } from '../promoter.js';
import { RECORDS_KEY, recordsSigner } from '../records/record-log-shell.js';
import { createKeyFile } from '../signers/key-file.js';
import { passphraseFrom } from '../signers/passphrase.js';

/** cosign wants a start; ours bears no meaning. */
const VALID_FROM = '2024-01-01T00:00:00Z';

export const command: CommandSpec = {
  name: 'records init',
  summary: 'make a log that cosign can write to, and the two files that its users are given',
  options: [
    { flags: '--url <url>', description: 'where they reach the service', required: true },
    { flags: '--out <dir>', description: 'folder of trusted_root.json, signing_config.json and log.vkey (default: HOME/records)' },
  ],
  example: 'sealane records init --url https://sealane.example --home my-lane',
  run,
};

/** Makes the key when it is missing, and writes the files anew: again after the lane's log or authorities were replaced. */
async function run(call: CommandCall): Promise<CommandResult> {
  const url = addressOf(textOption(call, 'url'));
  const out = optionalText(call, 'out');
  return await withLockedPromoter(call, (promoter) => {
    const { home, pipeline, keyPlace } = promoter;
    const key = path.join(home.keys, `${RECORDS_KEY}.pem`);
    if (!existsSync(key)) createKeyFile(key, 'ed25519');
    const { vkey } = recordsSigner(home, pipeline.lane, passphraseFrom(keyPlace));
    const folder = out === undefined ? path.join(home.folder, 'records') : path.resolve(call.io.cwd, out);
    const write = (name: string, bytes: Uint8Array | string): string => {
      durableWrite(path.join(folder, name), bytes, PUBLIC_FILE);
      return path.join(folder, name);
    };
    const files = [
      write('trusted_root.json', canonicalJson(trustedRoot(promoter, vkey))),
      write('signing_config.json', canonicalJson(signingConfig(url, pipeline.lane))),
      write('log.vkey', `${vkey}\n`),
    ];
    const json = { origin: parseVkey(vkey).name, vkey, key, files };
    return Promise.resolve({
      exit: 0,
      json,
      text: `${vkey}\n${files.join('\n')}\nname who may log under records in service.yaml, then: sealane serve`,
    });
  });
}

function addressOf(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, '');
  throw new PromoterError('USAGE', `read --url: expected the http address of the service, got ${JSON.stringify(text)}`);
}

/** The lane's logs and authorities, as its policy says, and this log. It is no part of a policy: it gives nobody authority over a site, and a new policy would void approvals. */
function trustedRoot({ lane }: Promoter, vkey: string): JsonObject {
  const policy = [...lane.stages.values()].at(-1)?.policy;
  if (policy === undefined) throw new PromoterError('STAGE_UNKNOWN', 'write trusted_root.json: expected a stage with a policy, got none');
  const { name: origin } = parseVkey(vkey);
  return trustedRootFromPolicy({ ...policy, logs: [...policy.logs, { origin, baseUrl: `https://${origin}`, vkey }] });
}

/** Sigstore's SigningConfig v0.2: this log and nothing else. */
function signingConfig(url: string, operator: string): JsonObject {
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [],
    oidcUrls: [],
    rekorTlogUrls: [{ url, majorApiVersion: 2, operator, validFor: { start: VALID_FROM } }],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [],
    tsaConfig: { selector: 'ANY' },
  };
}
