/** cosign and sigstore-python, with the log check on and our lane's trusted root, take what was signed keyless here and refuse what was not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authorities, fulcioAndTsa, JOB_IDENTITY, startAuthorities } from '../support/authorities.js';
import { startCtLog } from '../support/ct-log.js';
import { trustedRootOf } from '../support/cosign.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { replaceLogKey } from '../support/log-key.js';
import { pythonWith } from '../support/python.js';
import { requireProgram } from '../support/require-program.js';
import { type Ended, expectJson, runProgram } from '../support/run.js';

const cosign = requireProgram('cosign');
const python = pythonWith('sigstore');
const TYPE = 'https://slsa.dev/provenance/v1';

let dir: string;
let authorities: Authorities;
let ctLog: Awaited<ReturnType<typeof startCtLog>>;
let lane: TestLane;
/** Files: the bundle, the lane's trusted root, and that root as sigstore-python takes it. */
let files: { readonly bundle: string; readonly root: string; readonly config: string };
let release: string;
/** The provenance. */
let statement: string;

type Json = Record<string, unknown>;
type Verify = (bundle: string, identity: string, issuer: string) => Promise<Ended>;

const byCosign: Verify = (bundle, identity, issuer) =>
  runProgram(cosign ?? '', [
    ...['verify-blob-attestation', '--bundle', bundle, '--trusted-root', files.root, '--type', TYPE],
    ...['--certificate-identity', identity, '--certificate-oidc-issuer', issuer],
    ...['--digest', release.slice('sha256:'.length), '--digestAlg', 'sha256'],
  ]);

const byPython: Verify = (bundle, identity, issuer) =>
  runProgram(python ?? '', [
    ...['-m', 'sigstore', '--trust-config', files.config, 'verify', 'identity', '--offline', '--bundle', bundle],
    ...['--cert-identity', identity, '--cert-oidc-issuer', issuer, release],
  ]);

describe.skipIf(fulcioAndTsa === undefined)('keyless bundles (skipped without fulcio and timestamp-server)', () => {
  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-interop-'));
    authorities = await startAuthorities(dir, async (ca) => (ctLog = await startCtLog(ca)));
    const identities = `identities:\n  job: { identity: '${JOB_IDENTITY}', issuer: '${authorities.jobs.url}' }\n`;
    lane = await makeLane(dir, {
      pipeline: (text) => `${text.replace('provenance: [builder]', 'provenance: [builder, job]')}\n${identities}${authorities.yaml}`,
    });
    release = await lane.release('1.0.0');
    const words = ['evidence', 'add', release, '--provenance', path.join(dir, 'provenance.json'), '--key', 'oidc'];
    await expectJson('sealane', [...words, '--home', lane.home], 0, { env: authorities.jobEnv });
    // its entry is witnessed with what comes next
    await lane.evidence(release);
    await lane.sealane(['promote', release, '--to', 'dev']);
    const { statements } = await lane.sealane(['evidence', 'list', release]);
    const logged = statements as { predicateType: string; digest: string }[];
    statement = logged.find(({ predicateType }) => predicateType === TYPE)?.digest ?? '';
    const root = trustedRootOf(lane);
    files = { bundle: path.join(dir, 'bundle.json'), root, config: path.join(dir, 'trust-config.json') };
    writeFileSync(files.bundle, JSON.stringify((await lane.sealane(['log', 'prove', statement])).bundle));
    writeFileSync(files.config, JSON.stringify(trustConfig(JSON.parse(readFileSync(root, 'utf8')) as Json)));
  });

  afterAll(async () => {
    await lane.stop();
    await authorities.stop();
    await ctLog.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  describe.each([
    ['cosign', cosign, byCosign],
    ['sigstore-python', python, byPython],
  ] as const)('%s', (name, program, verify) => {
    it.skipIf(program === undefined)(
      `accepts provenance by a job, certificate log and timestamp checked (skipped without ${name})`,
      async () => {
        const ended = await verify(files.bundle, JOB_IDENTITY, authorities.jobs.url);
        expect(ended.exit, ended.stderr).toBe(0);
      },
    );

    it.skipIf(program === undefined)(
      `refuses another identity, another issuer, another signature, and a bundle without its timestamp (skipped without ${name})`,
      async () => {
        expect((await verify(files.bundle, JOB_IDENTITY.replace('main', 'other'), authorities.jobs.url)).exit).not.toBe(0);
        expect((await verify(files.bundle, JOB_IDENTITY, 'https://accounts.example')).exit).not.toBe(0);
        const bent = path.join(dir, 'bent.json');
        for (const bend of [otherSignature, withoutTimestamp]) {
          const bundle = JSON.parse(readFileSync(files.bundle, 'utf8')) as Json;
          bend(bundle);
          writeFileSync(bent, JSON.stringify(bundle));
          expect((await verify(bent, JOB_IDENTITY, authorities.jobs.url)).exit, bend.name).not.toBe(0);
        }
      },
    );
  });

  it.skipIf(python === undefined || cosign === undefined)(
    'A17 both accept what was logged before the log had another key, as it was kept and as it is proved now (skipped without cosign and Python’s sigstore)',
    async () => {
      const witness = await replaceLogKey(lane);
      try {
        const now = path.join(dir, 'now.json');
        await lane.sealane(['publish', '--refresh']);
        writeFileSync(now, JSON.stringify((await lane.sealane(['log', 'prove', statement])).bundle));
        expect(readFileSync(now, 'utf8')).not.toBe(readFileSync(files.bundle, 'utf8'));
        const root = trustedRootOf(lane);
        expect(root).not.toBe(files.root);
        files = { ...files, root };
        writeFileSync(files.config, JSON.stringify(trustConfig(JSON.parse(readFileSync(root, 'utf8')) as Json)));
        for (const verify of [byCosign, byPython])
          for (const bundle of [files.bundle, now]) {
            const ended = await verify(bundle, JOB_IDENTITY, authorities.jobs.url);
            expect(ended.exit, `${verify.name} ${bundle} ${ended.stderr}`).toBe(0);
          }
      } finally {
        await witness.stop();
      }
    },
  );
});

function otherSignature(bundle: Json): void {
  const [signature] = (bundle['dsseEnvelope'] as { signatures: { sig: string }[] }).signatures;
  const bytes = Buffer.from(signature?.sig ?? '', 'base64');
  bytes[20]! ^= 1;
  if (signature !== undefined) signature.sig = bytes.toString('base64');
}

function withoutTimestamp(bundle: Json): void {
  delete (bundle['verificationMaterial'] as Json)['timestampVerificationData'];
}

/** A trusted root as sigstore-python asks for it: with how one would sign, which nobody does here. */
function trustConfig(trustedRoot: Json): Json {
  const selector = { selector: 'ANY' };
  const none = { caUrls: [], oidcUrls: [], rekorTlogUrls: [], tsaUrls: [], rekorTlogConfig: selector, tsaConfig: selector };
  return {
    mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
    trustedRoot,
    signingConfig: { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json', ...none },
  };
}
