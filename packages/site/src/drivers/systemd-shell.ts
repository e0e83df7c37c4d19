/** Units of systemd, through its own programs: what they run is started by systemd, outside of whoever asks. */
import { execFile, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SiteError } from '@sealane/core';
import type { UnitEnv, UnitEnvironments } from './unit-environment.js';

/** How systemctl describes a unit: `LoadState`, `ActiveState` and others, systemd's own names. */
export type UnitFacts = Readonly<Record<string, string | undefined>>;

/** A command to be run as a unit. systemd shows all of it to everybody on the host. */
export interface UnitCommand {
  readonly properties: readonly string[];
  readonly cwd: string;
  readonly argv: readonly string[];
}

/** A unit whose standard input and output are ours. */
export interface PipedUnit {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the unit has ended. */
  readonly ended: Promise<void>;
}

/** What is asked of systemd. */
export interface Units {
  /** `env` is shown to nobody. @throws SiteError `HEALTH_FAILED` systemd does not start it: unknown program, bad property, name taken */
  start(name: string, command: UnitCommand & { readonly env: UnitEnv }): Promise<void>;
  pipe(command: UnitCommand): PipedUnit;
  /** Reads again which units there are. @throws SiteError `INTERNAL` systemd cannot be asked */
  reload(): Promise<void>;
  /** Starts one that is there, and waits until it is up. @throws SiteError `HEALTH_FAILED` it does not come up */
  begin(name: string): Promise<void>;
  show(name: string): Promise<UnitFacts>;
  /** Those that are loaded, by a pattern of systemd's (`*`), each with its `Id`. @throws SiteError `INTERNAL` systemd cannot be asked */
  like(pattern: string): Promise<readonly UnitFacts[]>;
  /** Its files and drop-ins as systemd has them, each with its path. @throws SiteError `INTERNAL` systemd cannot be asked */
  definition(name: string): Promise<string>;
  /** Takes away what others have added to its definition. @throws SiteError `INTERNAL` systemd cannot be asked */
  revert(name: string): Promise<void>;
  /** Stops and forgets it; one that is not there is fine. @throws SiteError `INTERNAL` systemd cannot be asked, or cannot stop it */
  stop(name: string): Promise<void>;
  /** Ends all that is left of it, at once; one that is not there is fine. */
  kill(name: string): Promise<void>;
}

const FACTS = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'MainPID',
  'ExecMainCode',
  'ExecMainStatus',
  'NRestarts',
  'SourcePath',
];

/** The host's systemd; `environments` of what it starts. */
export const systemdUnits = (environments: UnitEnvironments): Units => ({
  start: async (name, { env, ...command }) => {
    environments.sweep();
    const properties = [environments.keep(name, env), ...command.properties];
    const words = ['systemd-run', `--unit=${name}`, '--property=Type=exec', ...wordsOf({ ...command, properties })] as const;
    const { code, stderr } = await run(words, env);
    if (code !== 0) throw new SiteError('HEALTH_FAILED', `start ${command.argv.join(' ')} as ${name}: ${stderr.trim() || `exit ${code}`}`);
  },
  pipe: (command) => {
    const child = spawn('systemd-run', ['--wait', '--collect', '--pipe', ...wordsOf(command)], {
      env: unitCallEnv({}),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    return { stdin: child.stdin, stdout: child.stdout, ended };
  },
  reload: async () => {
    const { code, stderr } = await run(['systemctl', 'daemon-reload']);
    if (code !== 0) throw new SiteError('INTERNAL', `reload the units of this host: ${stderr.trim()}`);
  },
  begin: async (name) => {
    const { code, stderr } = await run(['systemctl', 'start', name]);
    if (code !== 0) throw new SiteError('HEALTH_FAILED', `start ${name}: ${stderr.trim() || `exit ${code}`}`);
  },
  show: async (name) => factsIn(await factsOf(name)),
  like: async (pattern) => {
    const blocks = (await factsOf(pattern)).split('\n\n');
    return blocks.flatMap((block) => (block.trim() === '' ? [] : [factsIn(block)]));
  },
  definition: async (name) => {
    const { code, stdout, stderr } = await run(['systemctl', 'cat', '--no-pager', name]);
    if (code !== 0) throw new SiteError('INTERNAL', `read the definition of ${name}: ${stderr.trim()}`);
    return stdout;
  },
  revert: async (name) => {
    const { code, stderr } = await run(['systemctl', 'revert', name]);
    if (code !== 0) throw new SiteError('INTERNAL', `revert ${name}: ${stderr.trim()}`);
  },
  stop: async (name) => {
    const { code, stderr } = await run(['systemctl', 'stop', name]);
    if (code !== 0 && code !== NOT_LOADED) throw new SiteError('INTERNAL', `stop ${name}: ${stderr.trim()}`);
    // a unit that failed is remembered until it is told not to be; one that did not is gone
    await run(['systemctl', 'reset-failed', name]);
    environments.drop(name);
  },
  kill: async (name) => {
    await run(['systemctl', 'kill', '--kill-who=all', '--signal=SIGKILL', name]);
  },
});

/** What systemd says of one unit, or of each that a pattern fits. */
async function factsOf(name: string): Promise<string> {
  const { code, stdout, stderr } = await run(['systemctl', 'show', name, ...FACTS.map((fact) => `--property=${fact}`)]);
  if (code !== 0) throw new SiteError('INTERNAL', `ask systemd for ${name}: ${stderr.trim()}`);
  return stdout;
}

function factsIn(block: string): UnitFacts {
  return Object.fromEntries(
    block
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Whether the host is being shut down or restarted: its units are stopped, and none is started any more. Where there is no systemd nobody knows. */
export async function hostIsGoingDown(): Promise<boolean> {
  return (await run(['systemctl', 'is-system-running'])).stdout.trim() === 'stopping';
}

/** Exit code of systemctl for a unit that does not exist. */
const NOT_LOADED = 5;

/** The words of systemd-run for a command, which gets its own as they are. */
export function wordsOf({ properties, cwd, argv: [program = '', ...words] }: UnitCommand): readonly string[] {
  return [
    '--quiet',
    `--property=WorkingDirectory=${cwd}`,
    ...properties.map((property) => `--property=${property}`),
    '--',
    program,
    // systemd puts values in the place of ${NAME} and $NAME, in the text of a shell too, where a value of a release would be commands; $$ is $
    ...words.map((word) => word.replaceAll('$', '$$$$')),
  ];
}

/** What systemd-run is started with: what finds the programs, that of the unit too. */
export function unitCallEnv({ PATH = process.env['PATH'] }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH };
}

function run(
  [file = '', ...words]: readonly string[],
  env: UnitEnv = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, words, { env: unitCallEnv(env), encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
    });
  });
}
