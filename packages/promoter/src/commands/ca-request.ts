/** `sealane ca request`: the key that issues certificates of sites on this host, and the request that the owners sign. */
import path from 'node:path';
import { shellWord } from '@sealane/core';
import { makeCsr } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { readOptional, writeOutput } from '../disk-shell.js';
import { textOption, withPromoter } from '../promoter.js';
import { issuerKeyFiles, ISSUER_KEY, siteSubtree } from '../site-ca/names.js';
import { KEEPING, keepingOf, makeKey } from '../signers/make-key.js';

export const command: CommandSpec = {
  name: 'ca request',
  summary: 'make the key that issues certificates of sites here, and ask the owners to certify it',
  options: [{ flags: '--out <file>', description: 'the request, for the owners’ machine (PKCS #10 in PEM)', required: true }, ...KEEPING],
  example: 'sealane ca request --out site-ca.csr --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const out = path.resolve(call.io.cwd, textOption(call, 'out'));
  return await withPromoter(call, async ({ home, keyPlace, signer, pipeline }) => {
    const base = path.join(home.keys, ISSUER_KEY);
    // asking twice asks for the same key
    if (issuerKeyFiles(home).every((file) => readOptional(file) === undefined)) await makeKey(base, 'p256', keepingOf(call), keyPlace);
    const issuer = await signer(ISSUER_KEY);
    const name = siteSubtree(pipeline.lane);
    const der = Buffer.from(await makeCsr(name, issuer)).toString('base64');
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
    writeOutput(out, pem);
    return {
      exit: 0,
      json: { name, keyId: issuer.keyId, request: out },
      text: `the request of ${name}, key ${issuer.keyId}, is in ${out}`,
      hint: `have the owners sign it, off-line: sealane ca sign ${shellWord(path.basename(out))} --origin ${pipeline.lane} --key ROOT --root ca-root.pem --out chain.pem`,
    };
  });
}
