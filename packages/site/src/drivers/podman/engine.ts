/** Calls of the engine: what it is told, for how long, and what it says. */
import type { DriverWorld } from '../driver.js';
import type { CommandEnd } from '../run-to-end.js';
import { inheritedEnv } from '../workload-env.js';

/** What local configuration says. */
export interface PodmanDriverConfig {
  /** The words that call podman, its own options included. */
  readonly engine: readonly string[];
  /** Networks or a network mode for each pod (`--network`). */
  readonly network: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly prepareSeconds: number;
  readonly commandSeconds: number;
  readonly stopGraceSeconds: number;
  /** Folder of the engine's own `policy.json` and `registries.conf`, where they are kept. */
  readonly engineConfig?: string | undefined;
  /** HOST:PORT of a registry that stays. */
  readonly mirror?: string | undefined;
  readonly strays: 'report' | 'stop';
  /** What of the host's own releases may use, by name. */
  readonly mayUse: Readonly<Record<'volumes' | 'networks' | 'secrets', readonly string[]>>;
}

/** The driver's configuration and what is around it. */
export interface Around {
  readonly config: PodmanDriverConfig;
  readonly world: DriverWorld;
}

interface EngineOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly seconds?: number;
  /** What the call does, if it changes anything (`RunOptions.as`). */
  readonly as?: string;
}

/** What of the engine's words goes into a message. */
const MAX_SAID = 500;

/** Runs the engine to its end; never rejects. */
export function engine({ config, world }: Around, words: readonly string[], options: EngineOptions = {}): Promise<CommandEnd> {
  const { env = { ...inheritedEnv(world.hostEnv), ...config.env }, seconds = config.commandSeconds, as } = options;
  return world.run([...config.engine, ...words], {
    cwd: world.stateFolder,
    env,
    timeoutMs: seconds * 1000,
    // what the engine has begun it ends: half a pod is worse than a minute
    signal: new AbortController().signal,
    output: 'text',
    ...(as === undefined ? {} : { as }),
  });
}

/** How it ended, for a message that says what was expected. */
export function howOf(end: CommandEnd): string {
  const said = end.stderr.trim().slice(-MAX_SAID);
  return `${end.code === undefined ? end.why : `got ${end.code}`}${said === '' ? '' : `: ${said}`}`;
}
