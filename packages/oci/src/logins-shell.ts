/** Logins for registries, out of the files that container tools keep them in: never from the command line, never asked for. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandIo } from '@sealane/core/command-line';
import { credentialsIn } from './auth-file.js';
import type { RegistryCredentials } from './registry-auth.js';

/**
 * What looks a login up, first file first: `REGISTRY_AUTH_FILE` alone where it is set; else podman's, then docker's.
 *
 * @throws OciError `CONTENT_MALFORMED` a file that is none of logins
 */
export function loginsOf({
  env,
  cwd,
}: Pick<CommandIo, 'env' | 'cwd'>): (registry: string, repository: string) => Promise<RegistryCredentials | undefined> {
  return async (registry, repository) => {
    for (const file of filesOf(env)) {
      const bytes = readOptional(path.resolve(cwd, file));
      const found = bytes === undefined ? undefined : credentialsIn(bytes, registry, repository);
      if (found !== undefined) return Promise.resolve(found);
    }
    return Promise.resolve(undefined);
  };
}

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
