/** Releases of quadlet units for a machine with Podman. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestLane } from './lane.js';
import { shellImage } from './podman.js';

/** A release of one container unit; `lines` by section are added to it, and `units` are laid beside it. */
export interface QuadletRelease {
  readonly version: string;
  readonly script: string;
  readonly container?: readonly string[];
  readonly service?: readonly string[];
  readonly units?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  /** The image as the unit names it; by default the one that is a part of the release. */
  readonly image?: string;
}

/** Makes it and promotes it to prod. */
export async function publishUnits(lane: TestLane, dir: string, release: QuadletRelease): Promise<string> {
  const { version, script, container = [], service = [], units = {}, secrets = [], image } = release;
  const built = await shellImage(path.join(dir, 'images', version), version);
  const folder = path.join(dir, 'units', version);
  mkdirSync(folder, { recursive: true });
  const main = ['[Unit]', 'Description=Readings', '[Container]', 'ContainerName=readings', 'Network=none', ...container];
  const named = image ?? `registry.example/edge/readings@${built.digest}`;
  const text = [...main, `Image=${named}`, `Exec=-c '${script}'`, '[Service]', ...service, '[Install]', 'WantedBy=multi-user.target', ''];
  const files = { 'readings.container': text.join('\n'), ...units };
  const manifests = Object.entries(files).flatMap(([name, content], at) => {
    writeFileSync(path.join(folder, name), content.replaceAll('IMAGE', named));
    return ['--manifest', `unit-${at}=${path.join(folder, name)}`];
  });
  const declares = path.join(folder, 'declares.json');
  writeFileSync(declares, JSON.stringify({ secrets }));
  const more = secrets.length === 0 ? [] : ['--declare', declares];
  const words = ['--version', version, '--image', `app=${built.reference}`, ...manifests, ...more, '--key', 'author'];
  const made = (await lane.sealane(['release', 'create', '--name', 'readings', ...words])) as { release: string };
  await lane.promote(made.release);
  return made.release;
}
