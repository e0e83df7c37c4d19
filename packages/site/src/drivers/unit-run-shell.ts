/**
 * Commands of local configuration as units of systemd, outside of the updater's sandbox: with the network and the rights that the site's properties give them.
 *
 * A command that changes something has one name at a site and a word of its own for each run: what a killed updater left running is known, and ended before it is run
 * again; a unit stays, and its name is taken, for as long as something that its command handed over to lives.
 */
import { randomBytes } from 'node:crypto';
import { loadCredentials, variablesOfUnit } from './credentials.js';
import { type CommandEnd, type RunCommand, type RunOptions, runToEnd } from './run-to-end.js';
import { unitCallEnv, type Units, wordsOf } from './systemd-shell.js';
import type { UnitEnv, UnitEnvironments } from './unit-environment.js';

/** Makes the runner of a site. */
export function unitRunner(site: string, properties: readonly string[], units: Units, environments: UnitEnvironments): RunCommand {
  return async (argv, options) => {
    const name = options.as === undefined ? `sealane-look-${site}` : `sealane-${options.as}-${site}`;
    // no name of a site has a colon
    const unit = `${name}:${randomBytes(8).toString('hex')}.service`;
    if (options.as !== undefined) {
      await endLeftover(units, `${name}:*.service`);
      environments.sweep();
    }
    const { env, properties: variables } = variablesOfUnit(unit, definedIn(options.env));
    return await environments.during(unit, env, async (environment) => {
      const words = wordsOf(commandOf(argv, options, [environment, ...variables, ...properties]));
      const end = await runToEnd(['systemd-run', `--unit=${unit}`, ...MANNER, ...words], {
        ...options,
        // systemd gives them to the unit itself
        credentials: undefined,
        cwd: '/',
        env: unitCallEnv(env),
      });
      return end.code === 0 ? end : await howItEnded(units, unit, end);
    });
  };
}

/** Its streams are those of systemd-run, which waits for its end and has its exit code. It is started once it was seen to be a program. */
const MANNER = ['--wait', '--pipe', '--property=Type=exec'];

function commandOf(
  argv: readonly string[],
  { cwd, timeoutMs, credentials, properties: more = [] }: RunOptions,
  properties: readonly string[],
): Parameters<typeof wordsOf>[0] {
  const own = [
    'Description=Sealane: a command of site.yaml',
    // what it hands over to lives on, as it does where there are no units
    'KillMode=process',
    // for an updater that is killed before it can end it
    `RuntimeMaxSec=${Math.ceil(timeoutMs / 1000) + 1}`,
  ];
  return { properties: [...own, ...loadCredentials(credentials), ...more, ...properties], cwd, argv };
}

/** Of an updater that was killed: what still runs, and all of what took too long, is ended. What a command handed over to stays. */
async function endLeftover(units: Units, pattern: string): Promise<void> {
  for (const { Id = '', ActiveState, Result } of await units.like(pattern)) {
    if (ActiveState === 'failed' && Result !== 'timeout') await units.stop(Id);
    else if (ActiveState !== 'inactive') await endAll(units, Id);
  }
}

async function endAll(units: Units, unit: string): Promise<void> {
  await units.kill(unit);
  await units.stop(unit);
}

/** Exit codes are the unit's only if there was one; a unit that failed is remembered until it was asked about. */
async function howItEnded(units: Units, unit: string, end: CommandEnd): Promise<CommandEnd> {
  if (end.code === undefined) {
    await endAll(units, unit);
    return end;
  }
  const { ActiveState, Result, ExecMainCode } = await units.show(unit);
  // systemd was faster than our own clock, and ends the first process only
  if (Result === 'timeout') await endAll(units, unit);
  else await units.stop(unit);
  const said = { stdout: end.stdout, stderr: end.stderr };
  if (ActiveState !== 'failed')
    return { ...said, code: undefined, why: `systemd did not start it: ${end.stderr.trim() || 'it says no more'}` };
  // waitid(2): 1 is CLD_EXITED
  return Result === 'exit-code' && ExecMainCode === '1'
    ? end
    : { ...said, code: undefined, why: `its unit ended with ${Result ?? 'nothing'}` };
}

function definedIn(env: NodeJS.ProcessEnv): UnitEnv {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
