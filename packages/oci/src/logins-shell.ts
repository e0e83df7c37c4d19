/** Logins for registries, out of the files that container tools keep them in: never from the command line, never asked for. */
import { execFile, type ExecFileException } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { OciError } from '@sealane/core';
import type { CommandIo } from '@sealane/core/command-line';
import { keptLogin, loginFor, type LoginKeeper } from './auth-file.js';
import { MAX_TOKEN_BYTES } from './limits.js';
import type { RegistryCredentials } from './registry-auth.js';

/** How helpers say that they keep no login for a registry (docker-credential-helpers). */
const NO_LOGIN = 'credentials not found in native keychain';
/** A person may have to open a keyring. */
const HELPER_MS = 60_000;

/**
 * What looks a login up, first file first: `REGISTRY_AUTH_FILE` alone where it is set; else podman's, then docker's.
 *
 * @throws OciError `CONTENT_MALFORMED` a file that is none of logins; `REGISTRY_DENIED` the program that keeps the login does not give it
 */
export function loginsOf({
  env,
  cwd,
}: Pick<CommandIo, 'env' | 'cwd'>): (registry: string, repository: string) => Promise<RegistryCredentials | undefined> {
  return async (registry, repository) => {
    for (const file of filesOf(env)) {
      const bytes = readOptional(path.resolve(cwd, file));
      const found = bytes === undefined ? undefined : loginFor(bytes, registry, repository);
      const login = found !== undefined && 'helper' in found ? await askKeeper(found, { env, cwd }) : found;
      if (login !== undefined) return login;
    }
    return undefined;
  };
}

/** `docker-credential-NAME get`: the registry on stdin, a login on stdout. */
async function askKeeper(
  { helper, server, keeps }: LoginKeeper,
  { env, cwd }: Pick<CommandIo, 'env' | 'cwd'>,
): Promise<RegistryCredentials | undefined> {
  const program = `docker-credential-${helper}`;
  const limits = { timeout: HELPER_MS, killSignal: 'SIGKILL', maxBuffer: MAX_TOKEN_BYTES } as const;
  const running = promisify(execFile)(program, ['get'], { cwd, env, encoding: 'buffer', ...limits });
  // one that ends without reading is judged by its end
  running.child.stdin?.on('error', () => undefined).end(`${server}\n`);
  try {
    return keptLogin((await running).stdout, helper);
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error.stdout.toString('utf8').trim() === NO_LOGIN || (keeps === 'all' && error.code === 'ENOENT')) return undefined;
    // what it printed may be half of a login: it is not told, and so neither is the cause
    throw new OciError(
      'REGISTRY_DENIED',
      `ask ${program} for the login of ${server}: expected one, got ${error.code ?? error.signal ?? 'no answer'}`,
    );
  }
}

type Failure = Pick<ExecFileException, 'code' | 'signal'> & { readonly stdout: Buffer };

const isFailure = (error: unknown): error is Failure => error instanceof Error && 'stdout' in error && Buffer.isBuffer(error.stdout);

function filesOf(env: CommandIo['env']): readonly string[] {
  const { REGISTRY_AUTH_FILE: named, XDG_RUNTIME_DIR: runtime, DOCKER_CONFIG: docker, HOME: home } = env;
  if (named !== undefined && named !== '') return [named];
  const ofDocker = docker ?? (home === undefined ? undefined : path.join(home, '.docker'));
  return [
    ...(runtime === undefined ? [] : [path.join(runtime, 'containers', 'auth.json')]),
    ...(ofDocker === undefined ? [] : [path.join(ofDocker, 'config.json')]),
  ];
}

function readOptional(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    // absent is an answer: the next file is asked
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}
