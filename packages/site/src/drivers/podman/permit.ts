/** The engine's own policy.json and registries.conf, kept so that nobody pulls, loads or copies in an image that no admitted release names. */
import path from 'node:path';
import { utf8 } from '@sealane/core';
import type { Disk } from '../../disk.js';
import { durableWrite } from '../../durable-write.js';
import type { SlotOnDisk, Stray } from '../driver.js';
import { permittedImages } from '../permitted-images.js';
import type { Around } from './engine.js';
import { registriesConf, signaturePolicy } from './engine-config.js';

/** A policy that was written by hand; ours grows with the images of a few releases. */
const MAX_FILE_BYTES = 1024 * 1024;

const FILES = ['policy.json', 'registries.conf'] as const;

/** Writes both where they differ; a file that somebody changed since is put back and returned, and releases that are read no more. */
export async function permitImages({ config, world }: Around, slots: readonly SlotOnDisk[]): Promise<readonly Stray[]> {
  const { engineConfig, mirror } = config;
  if (engineConfig === undefined) return [];
  const { images, unread } = await permittedImages(world, slots);
  const written = writtenFolder(world);
  for (const folder of [engineConfig, written]) world.disk.makeFolder(folder, 0o755);
  const texts = { 'policy.json': signaturePolicy(images, mirror), 'registries.conf': registriesConf(images, mirror) };
  const changed = FILES.flatMap((name) => keep(world.disk, path.join(engineConfig, name), path.join(written, name), texts[name]));
  return [...unread, ...changed];
}

/** Those of both that are not as they were written last, each with how. Nothing is changed. */
export function changedFiles({ config: { engineConfig }, world }: Around): readonly { readonly file: string; readonly how: string }[] {
  if (engineConfig === undefined) return [];
  return FILES.flatMap((name) => {
    const file = path.join(engineConfig, name);
    const [there, last] = [textOf(world.disk, file), textOf(world.disk, path.join(writtenFolder(world), name))];
    return last === undefined || there === last ? [] : [{ file, how: howOf(there) }];
  });
}

function writtenFolder({ stateFolder }: Around['world']): string {
  return path.join(stateFolder, 'run', 'engine-config');
}

function howOf(there: string | undefined): string {
  return there === undefined ? 'was removed' : 'was changed';
}

/** `written` is what was written there last. The file of before is kept beside it. */
function keep(disk: Disk, file: string, written: string, text: string): readonly Stray[] {
  const [there, last] = [textOf(disk, file), textOf(disk, written)];
  if (there !== text) {
    if (last === undefined && disk.kind(file) !== 'nothing') disk.rename(file, `${file}.before-sealane`);
    durableWrite(disk, file, utf8(text), 0o644);
  }
  if (last !== text) durableWrite(disk, written, utf8(text), 0o644);
  if (last === undefined || there === last || there === text) return [];
  return [{ what: file, how: howOf(there), did: 'put back' }];
}

function textOf(disk: Disk, file: string): string | undefined {
  if (disk.kind(file) !== 'file') return undefined;
  const bytes = disk.read(file, MAX_FILE_BYTES);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
