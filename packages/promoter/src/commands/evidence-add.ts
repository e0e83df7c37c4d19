/** `sealane evidence add`. */
import path from 'node:path';
import { envelopePayload, parseStatement, PromoterError, type Signed, statementDigestOf } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { encodeBundle } from '@sealane/trust';
import { SERVER_ROOT } from '../client/root-file-shell.js';
import { serviceAddress } from '../client/service-address.js';
import { statementsResult } from '../command-parts.js';
import { writeOutput } from '../disk-shell.js';
import { logEvidence, signEvidence } from '../evidence/add.js';
import { describeEntry, type LoggedStatement } from '../log/log-statements.js';
import { listOption, optionalText, textArgument, withLockedPromoter, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';

export const command: CommandSpec = {
  name: 'evidence add',
  summary: 'take in provenance, test reports with what is known of the run, scans, SBOMs, or signed bundles',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [
    SERVER_ROOT,
    { flags: '--provenance <file>', description: 'SLSA v1 provenance (predicate or statement)' },
    { flags: '--tests <file>', description: 'report of tests that ran against this release: JUnit, TAP, CTRF or LAVA results' },
    { flags: '--hardware <file>', description: 'CycloneDX inventory of the machine on which these tests ran' },
    { flags: '--topology <file>', description: 'topology in which these tests ran (YAML)' },
    { flags: '--fidelity <file>', description: 'how real each dependency was in these tests (YAML)' },
    { flags: '--conditions <file>', description: 'what these tests measured of their links (YAML)' },
    { flags: '--rehearsal <file>', description: 'the rollbacks that these tests rehearsed (YAML)' },
    { flags: '--scan <file>', description: 'vulnerability scan of an image: SARIF, or in-toto vulns v0.2' },
    { flags: '--database-updated <time>', description: "when the scanner's database last changed, for SARIF, which does not say" },
    { flags: '--vex <file>', description: 'CycloneDX VEX: vulnerabilities that do not affect the image' },
    { flags: '--sbom <file>', description: 'what is in the image: CycloneDX or SPDX 2 JSON' },
    { flags: '--component <name>', description: 'the image that scan, VEX and SBOM are about (default: the only one)' },
    { flags: '--bundle <file>', description: 'a Sigstore bundle that somebody else signed', repeat: true },
    { flags: '--key <keyref>', description: 'who signs: the name of a key, file:PATH, env:NAME, pkcs11:URI, exec:CMD or oidc' },
    { flags: '--out <file>', description: 'write what was signed to a file instead of logging it; statement add takes it in, here' },
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
  const text = (name: string, field: string): Record<string, string> => {
    const value = optionalText(call, name);
    return value === undefined ? {} : { [field]: value };
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
  const scans = {
    ...file('scan'),
    ...file('vex'),
    ...file('sbom'),
    ...text('component', 'component'),
    ...text('databaseUpdated', 'databaseAt'),
  };
  if (server !== undefined && Object.keys(scans).length > 0)
    throw new PromoterError('USAGE', 'add evidence: expected --scan, --vex and --sbom without --server: add them where the home is');
  const out = optionalText(call, 'out');
  if (server !== undefined && out !== undefined)
    throw new PromoterError('USAGE', 'add evidence: expected --out without --server: a service takes in what is signed');
  if (server !== undefined) return await (await import('../client/remote-evidence.js')).evidenceAddAt(call, server, files);
  const { release, evidence } = await withPromoter(call, async (promoter) => {
    const key = optionalText(call, 'key');
    const found = await releaseOf(promoter, textArgument(call, 0, 'RELEASE'));
    const signer = key === undefined ? {} : { signer: await promoter.signer(key) };
    return { release: found, evidence: await signEvidence(promoter, { release: found, ...files, ...scans, ...signer }) };
  });
  if (out !== undefined)
    return statementsResult(
      writeStatements(
        path.resolve(cwd, out),
        evidence.map(({ signed }) => signed),
      ),
    );
  const statements = await withLockedPromoter(call, async (promoter) => {
    const indexes = await logEvidence(promoter, release, evidence);
    return await Promise.all(indexes.map(async (index) => describeEntry(await promoter.ledger.entry(index))));
  });
  return statementsResult(statements);
}

/** One bundle, or an array of several: what `statement add` reads. */
function writeStatements(file: string, signed: readonly Signed[]): readonly LoggedStatement[] {
  const bundles = signed.map((each) => encodeBundle(each));
  writeOutput(file, `${JSON.stringify(bundles.length === 1 ? bundles[0] : bundles)}\n`);
  return signed.map(({ envelope }) => ({
    predicateType: parseStatement(envelopePayload(envelope)).predicateType,
    digest: statementDigestOf(envelope),
    logIndex: null,
  }));
}
