/** Containers that run in the engine of this site and were not started by the driver: also one that was put into a pod of the release. */
import { SiteError } from '@sealane/core';
import type { Stray } from '../driver.js';
import { type Around, engine, howOf } from './engine.js';

/** Short enough to read, long enough to name one: as the engine itself shows them. */
const ID_LENGTH = 12;

/** Finds them, and stops them where site.yaml says so. They are not removed: how they came about can still be looked at. @throws SiteError `DRIVER_NOT_READY` */
export async function strayContainers(around: Around, ours: readonly string[]): Promise<readonly Stray[]> {
  const listed = await engine(around, ['ps', '--no-trunc', '--format', '{{.ID}}\t{{.Names}}\t{{.Image}}']);
  if (listed.code !== 0) throw new SiteError('DRIVER_NOT_READY', `list the containers of this site: expected exit 0, ${howOf(listed)}`);
  const running = listed.stdout.split('\n').filter((line) => line !== '');
  const strays: Stray[] = [];
  for (const [id = '', name = '', image = ''] of running.map((line) => line.split('\t'))) {
    if (ours.includes(id)) continue;
    const what = `container ${name} (${id.slice(0, ID_LENGTH)})`;
    strays.push({ what, ...(await deal(around, id, `runs ${image}, and is no part of the release`)) });
  }
  return strays;
}

async function deal(around: Around, id: string, how: string): Promise<Omit<Stray, 'what'>> {
  const { strays, stopGraceSeconds } = around.config;
  if (strays === 'report') return { how, did: 'reported' };
  const end = await engine(around, ['stop', '--time', String(Math.ceil(stopGraceSeconds)), id], { as: 'stop-stray' });
  return end.code === 0 ? { how, did: 'stopped' } : { how: `${how}; it cannot be stopped: ${howOf(end)}`, did: 'reported' };
}
