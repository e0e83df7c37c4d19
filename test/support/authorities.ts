/** A real Fulcio and a real timestamp authority on loopback, under certificates of their own, with real OIDC issuers in front of Fulcio. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type Authority, certificateAuthority, nodeKey, timestampAuthority } from './certificates.js';
import { freePort } from './free-port.js';
import { requireProgram } from './require-program.js';
import { type Issuer, startIssuer } from './service.js';

/** Both programs, or undefined where one is missing. */
export const fulcioAndTsa = requireProgram('fulcio') === undefined ? undefined : requireProgram('timestamp-server');

/** The audience that Fulcio takes here: the issuer mints for URLs only. */
const AUDIENCE = 'https://fulcio.example';
/** A machine that is busy with other files of tests starts a server in seconds. */
const STARTS_WITHIN_MS = 120_000;
/** How long a server waits for a port that another test holds: there may be two before it, and the hook that it is started in ends after ten minutes. */
const PORT_FREE_WITHIN_MS = 540_000;

/** Running authorities. */
export interface Authorities {
  readonly ca: Authority;
  readonly tsa: Authority;
  readonly fulcioUrl: string;
  readonly tsaUrl: string;
  /** Its tokens say e-mail addresses: `lab@example.org` unless asked for another. */
  readonly people: Issuer;
  /** Its tokens are those of jobs of `acme/readings` at GitHub. */
  readonly jobs: Issuer;
  /** The lines of a pipeline that name both authorities. */
  readonly yaml: string;
  /** The environment of somebody who signs as this e-mail address. */
  as(email: string): Promise<Readonly<Record<string, string>>>;
  /** The environment of a job at GitHub. */
  readonly jobEnv: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** What GitHub's Fulcio certificates name: the workflow that ran. */
export const JOB_IDENTITY = 'https://github.com/acme/readings/.github/workflows/release.yml@refs/heads/main';

const JOB_CLAIMS = {
  sub: 'repo:acme/readings:ref:refs/heads/main',
  job_workflow_ref: 'acme/readings/.github/workflows/release.yml@refs/heads/main',
  job_workflow_sha: '4f1c'.repeat(10),
  workflow_ref: 'acme/readings/.github/workflows/release.yml@refs/heads/main',
  workflow_sha: '4f1c'.repeat(10),
  workflow: 'release',
  event_name: 'push',
  sha: '4f1c'.repeat(10),
  ref: 'refs/heads/main',
  repository: 'acme/readings',
  repository_id: '74',
  repository_owner: 'acme',
  repository_owner_id: '7',
  repository_visibility: 'private',
  runner_environment: 'github-hosted',
  run_id: '1',
  run_attempt: '1',
};

/** More of Fulcio's command line, and what the pipeline then says of it: a log of certificates. */
export interface CtLog {
  readonly url: string;
  readonly publicKey: string;
}

/** Starts them; `dir` is for their files, `logged` starts a log of certificates. The caller stops them. */
export async function startAuthorities(dir: string, logged?: (ca: Authority) => Promise<CtLog>): Promise<Authorities> {
  const folder = path.join(dir, 'authorities');
  mkdirSync(folder, { recursive: true });
  const [ca, tsa] = [await certificateAuthority('Fulcio'), await timestampAuthority('TSA')];
  const ctLog = await logged?.(ca);
  const people = await startIssuer(folder, 'people', { email: 'lab@example.org', email_verified: true });
  const jobs = await startIssuer(folder, 'jobs', JOB_CLAIMS);
  const [fulcio, stamping] = [await startFulcio(folder, ca, { people, jobs }, ctLog), await startTsa(folder, tsa)];
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const tsaUrl = `${url(stamping.port)}/api/v1/timestamp`;
  const yaml = authoritiesYaml(ca, url(fulcio.port), tsa, tsaUrl, ctLog);
  return {
    ca,
    tsa,
    fulcioUrl: url(fulcio.port),
    tsaUrl,
    people,
    jobs,
    yaml,
    as: async (email) => ({ SEALANE_ID_TOKEN: await people.token(AUDIENCE, { email }) }),
    jobEnv: { ...jobs.runnerEnv, SEALANE_ID_TOKEN_AUDIENCE: AUDIENCE },
    stop: async () => {
      for (const { child } of [fulcio, stamping]) await ended(child);
      for (const issuer of [people, jobs]) await issuer.stop();
    },
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startFulcio(folder: string, ca: Authority, issuers: Pick<Authorities, 'people' | 'jobs'>, ctLog?: CtLog): Promise<Started> {
  const passphrase = 'only-here';
  const key = (await nodeKey(ca.issuing)).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase });
  const client = { 'client-id': AUDIENCE };
  const config = {
    'oidc-issuers': {
      [issuers.people.url]: { 'issuer-url': issuers.people.url, ...client, type: 'email' },
      [issuers.jobs.url]: { 'issuer-url': issuers.jobs.url, ...client, type: 'github-workflow' },
    },
  };
  const files = write(folder, {
    'ca.key': String(key),
    'ca.pem': ca.chain,
    'fulcio.yaml': stringify(config),
    'ct.pem': ctLog?.publicKey ?? '',
  });
  return await onFreePorts(async () => {
    const [port, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
    const words = [
      ...[
        'serve',
        '--ca=fileca',
        `--fileca-cert=${files('ca.pem')}`,
        `--fileca-key=${files('ca.key')}`,
        `--fileca-key-passwd=${passphrase}`,
      ],
      ...['--fileca-watch=false', `--config-path=${files('fulcio.yaml')}`, '--host=127.0.0.1', `--port=${port}`, '--grpc-host=127.0.0.1'],
      ...[`--grpc-port=${grpc}`, `--metrics-port=${metrics}`, `--legacy-unix-domain-socket=@${randomUUID()}`],
      ...(ctLog === undefined ? ['--ct-log-url='] : [`--ct-log-url=${ctLog.url}`, `--ct-log-public-key-path=${files('ct.pem')}`]),
    ];
    return await start('fulcio', words, port, '/api/v2/configuration');
  });
}

/** Its metrics are always at port 2112, so there is one at a time on a machine: whoever comes second waits until the first has stopped it. */
async function startTsa(folder: string, tsa: Authority): Promise<Started> {
  const key = String((await nodeKey(tsa.issuing)).export({ format: 'pem', type: 'pkcs8' }));
  const files = write(folder, { 'tsa.key': key, 'tsa.pem': tsa.chain });
  return await onFreePorts(async () => {
    const port = await freePort();
    const words = [
      ...['serve', '--host=127.0.0.1', `--port=${port}`, '--timestamp-signer=file', `--file-signer-key-path=${files('tsa.key')}`],
      ...[`--certificate-chain-path=${files('tsa.pem')}`, '--disable-ntp-monitoring', '--log-type=prod'],
    ];
    return await start('timestamp-server', words, port, '/ping');
  });
}

/** Starts a server once more while another program holds a port that it needs: files of tests run beside each other. */
async function onFreePorts(started: () => Promise<Started>): Promise<Started> {
  const until = Date.now() + PORT_FREE_WITHIN_MS;
  for (;;) {
    try {
      return await started();
    } catch (error) {
      if (Date.now() > until || !(error instanceof Error && error.message.includes('address already in use'))) throw error;
    }
    await pause(500);
  }
}

/** A timestamp authority without a Fulcio: for certificates that a test makes itself. The caller stops it. */
export async function startTimestamps(dir: string, tsa: Authority): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { child, port } = await startTsa(path.join(dir, 'timestamps'), tsa);
  return { url: `http://127.0.0.1:${port}/api/v1/timestamp`, stop: () => ended(child) };
}

/** The lines of a pipeline that name authorities. */
export function authoritiesYaml(ca: Authority, fulcioUrl: string, tsa: Authority, tsaUrl: string, ctLog?: CtLog): string {
  return stringify({
    authorities: {
      certificates: [{ url: fulcioUrl, chain: ca.chain }],
      timestamps: [{ url: tsaUrl, chain: tsa.chain }],
      ...(ctLog === undefined ? {} : { ctLogs: [{ url: ctLog.url, key: ctLog.publicKey }] }),
    },
  });
}

function write(folder: string, files: Readonly<Record<string, string>>): (name: string) => string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  return (name) => path.join(folder, name);
}

/** Starts a server and waits until it answers. */
async function start(program: string, words: readonly string[], port: number, probe: string): Promise<Started> {
  const child = spawn(requireProgram(program) ?? program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  // a test that fails before it could stop them leaves none behind
  process.once('exit', () => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const until = Date.now() + STARTS_WITHIN_MS;
  for (;;) {
    if (await answers(`http://127.0.0.1:${port}${probe}`)) return { child, port };
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`start ${program}: expected it to answer at port ${port}\n${errors}`);
    }
    await pause(50);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    // not there yet
    return false;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
