/** `sealane release create`. */
import path from 'node:path';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { SERVER_ROOT } from '../client/root-file-shell.js';
import { serviceAddress } from '../client/service-address.js';
import { KEY } from '../command-parts.js';
import { listOption, optionalText, textOption } from '../promoter.js';
import type { ComponentKind } from '@sealane/trust';
import { type ComponentWish, componentWish } from '../release/create.js';
import { createReleaseHere } from '../release/create-here.js';
import { readDeclaration } from '../release/declaration.js';

export const command: CommandSpec = {
  name: 'release create',
  summary: 'make an immutable release out of images, files, manifests and firmware',
  options: [
    SERVER_ROOT,
    { flags: '--name <name>', description: 'name of the release', required: true },
    { flags: '--version <version>', description: 'version; the same name and version never stand for other bytes', required: true },
    { flags: '--image <ref>', description: '[NAME=]REF: docker://REGISTRY/REPO@DIGEST, oci:DIR@DIGEST, oci-archive:FILE', repeat: true },
    {
      flags: '--files <dir>',
      description: '[NAME=]DIR: a folder, packed the same way every time; a site lays it down in a folder NAME (default: files)',
      repeat: true,
    },
    { flags: '--manifest <file>', description: '[NAME=]FILE: a manifest for an orchestrator', repeat: true },
    { flags: '--firmware <file>', description: '[NAME=]FILE: a firmware image', repeat: true },
    { flags: '--one-way <name>', description: 'a part that cannot be rolled back: stages take it only where policy says so', repeat: true },
    { flags: '--declare <file>', description: 'YAML: the dependencies of the release, and the variables that a site may set' },
    KEY,
  ],
  example: 'sealane release create --name pages --version 1.0.0 --files public --key author --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { cwd } = call.io;
  const local = (wish: ComponentWish): ComponentWish => ({ ...wish, source: path.resolve(cwd, wish.source) });
  const components = [
    ...wishesOf(call, 'image').map((wish) => imageAt(wish, cwd)),
    ...(['files', 'manifest', 'firmware'] as const).flatMap((kind) => wishesOf(call, kind).map(local)),
  ];
  const declaration = optionalText(call, 'declare');
  const declares = declaration === undefined ? {} : { declares: readDeclaration(path.resolve(cwd, declaration)) };
  const oneWay = listOption(call, 'oneWay');
  const wish = { name: textOption(call, 'name'), version: textOption(call, 'version'), components, oneWay, ...declares };
  const server = serviceAddress(call);
  if (server !== undefined) return await (await import('../client/remote-release.js')).releaseCreateAt(call, server, wish);
  const made = await createReleaseHere(call, wish);
  return { exit: 0, json: made, text: `${made.release}  ${made.name}@${made.version}` };
}

/** The parts of a kind. One without a name is called as its kind, the next `KIND-2`. */
function wishesOf(call: CommandCall, kind: ComponentKind): readonly ComponentWish[] {
  let unnamed = 0;
  return listOption(call, kind).map((text) => {
    const wish = componentWish(kind, text, '');
    if (wish.name !== '') return wish;
    unnamed += 1;
    return { ...wish, name: unnamed === 1 ? kind : `${kind}-${unnamed}` };
  });
}

/** Paths in a REF are relative to the caller's folder. */
function imageAt(wish: ComponentWish, cwd: string): ComponentWish {
  const [, scheme, file, rest = ''] = /^(oci|oci-archive):([^@]+)(@.*)?$/s.exec(wish.source) ?? [];
  return scheme === undefined || file === undefined ? wish : { ...wish, source: `${scheme}:${path.resolve(cwd, file)}${rest}` };
}
