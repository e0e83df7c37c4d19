/**
 * Attacks against the service as it is installed: one machine, and a lane that an attacker wrote in a folder that `fetch` polls. Each refusal goes through both
 * services and their sandboxes; the workload never notices. The tests go on from one another: what only looks at trust comes first.
 */
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Digest } from '@sealane/core';
import { publishedMetadataPath } from '@sealane/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';
import { LaneCopy } from './attacker.js';
import { expectRefusal, type Scene } from './world.js';

const [APPLY, WORKLOAD] = ['sealane-site-apply.service', 'sealane-workload-harbour-7.service'] as const;
const TIMESTAMP = 'trust/metadata/timestamp.json';

describe.skipIf(!canBoot())('the installed service (skipped without root, systemd-nspawn)', () => {
  let here: InstalledSite;
  let two: Digest;
  let workload: string;
  /** The published lane when 1.0.0 was current, as it is now, and as prod's thief goes on from there. */
  let older: LaneCopy;
  let published: string;
  let stolen: LaneCopy;

  beforeAll(async () => {
    here = await installSite();
    const { lane, machine } = here;
    await lane.promote(await lane.release('1.0.0'));
    await machine.must('systemctl', 'enable', '--now', APPLY);
    await machine.until(/"version":"1.0.0".*"receiptsQueued":0/, 'sealane-site', 'status', '--json');
    workload = await here.show(WORKLOAD, 'MainPID');
    older = LaneCopy.of(lane.lane, path.join(lane.dir, 'older'));
    two = (await lane.release('1.1.0')) as Digest;
    await lane.promote(two);
    published = lane.lane;
    stolen = LaneCopy.of(published, path.join(lane.dir, 'stolen'));
    here.configure({ upstreams: ['/srv/lane'], receiptsTo: null });
    // the minimal Debian may have to be fetched first
  }, 480_000);

  afterAll(async () => {
    await here.stop();
  });

  let copies = 0;
  /** A copy of the lane, to be bent. */
  const bent = (): LaneCopy => LaneCopy.of(published, path.join(here.lane.dir, `bent-${(copies += 1)}`));

  /** The installed site in the words of the other attacks, with this lane in its upstream. */
  const sceneOf = (copy: LaneCopy): Scene => {
    const [root, upstream] = [here.machine.root, path.join(here.machine.root, 'srv', 'lane')];
    rmSync(upstream, { recursive: true, force: true });
    mkdirSync(path.dirname(upstream), { recursive: true });
    cpSync(copy.dir, upstream, { recursive: true, verbatimSymlinks: true });
    const run: Scene['site']['run'] = async (words) => ({ signal: null, stdout: '', ...(await here.site(...words)) });
    const never = (): Promise<never> => Promise.reject(new Error('an installed site is stopped with its machine'));
    const config = path.join(root, 'etc/sealane-site/site.yaml');
    const state = path.join(root, 'var/lib/sealane-site');
    return { copy, site: { name: 'harbour-7', dir: root, config, state, run, must: never, stop: never } };
  };

  const withChannel = async (change: object): Promise<LaneCopy> => {
    await stolen.setChannel({ ...stolen.channel(), held: [], fenced: [], ...change });
    return stolen;
  };

  it.each<[string, string, 3 | 4, () => LaneCopy | Promise<LaneCopy>]>([
    ['a timestamp that nobody signed', 'TRUST_THRESHOLD', 4, () => bendJson(bent(), TIMESTAMP, { signatures: [] })],
    ['a timestamp that is cut short', 'TRUST_MALFORMED', 4, () => cut(bent(), TIMESTAMP)],
    ['an endless timestamp', 'TRUST_TOO_LARGE', 4, () => put(bent(), TIMESTAMP, Buffer.alloc(8 << 20, 0x20))],
    ['a snapshot of another publish', 'TRUST_MISMATCH', 4, () => put(bent(), snapshotOf(bent()), older.role('snapshot'))],
    ['a checkpoint that no witness saw', 'LOG_WITNESS', 4, () => unwitnessed(bent())],
    ['a channel signed by another stage', 'TRUST_THRESHOLD', 4, async () => await signedBy(bent(), 'dev')],
    ['a layer with one byte flipped', 'CONTENT_DIGEST', 4, () => flipped(bent(), two)],
    ['a group that the lane holds', 'CHANNEL_HELD', 3, () => withChannel({ held: [{ group: 'all', reason: 'incident 12' }] })],
    ['a site that the lane fences', 'SITE_FENCED', 3, () => withChannel({ fenced: [{ site: 'harbour-7', reason: 'stolen' }] })],
    ['a release that was revoked', 'RELEASE_REVOKED', 3, () => withChannel({ revoked: [{ release: two, reason: 'burns its host' }] })],
  ])('refuses %s with %s, and lays nothing down', async (_, code, exit, make) => {
    await expectRefusal(sceneOf(await make()), code, exit);
    expect(await here.show(WORKLOAD, 'MainPID')).toBe(workload);
  });

  it('was neither ended nor started again by any of them, and says what it refused in the journal', async () => {
    expect(await here.show(APPLY, 'NRestarts')).toBe('0');
    const said = await here.machine.must('journalctl', '--output=cat', 'SEALANE_OUTCOME=refused');
    for (const code of ['TRUST_THRESHOLD', 'LOG_WITNESS', 'CONTENT_DIGEST', 'RELEASE_REVOKED']) expect(said).toContain(code);
  });
});

function put(copy: LaneCopy, name: string, bytes: Uint8Array | string): LaneCopy {
  copy.write(name, bytes);
  return copy;
}

function bendJson(copy: LaneCopy, name: string, change: object): LaneCopy {
  return put(copy, name, JSON.stringify({ ...(JSON.parse(readFileSync(copy.file(name), 'utf8')) as object), ...change }));
}

function cut(copy: LaneCopy, name: string): LaneCopy {
  return put(copy, name, copy.read(name).subarray(0, 100));
}

async function signedBy(copy: LaneCopy, stageSigner: string): Promise<LaneCopy> {
  await copy.setChannel(copy.channel(), { stageSigner });
  return copy;
}

function snapshotOf(copy: LaneCopy): string {
  return `trust/${publishedMetadataPath('snapshot', copy.version('snapshot'))}`;
}

/** The log's own signature, and no other. */
function unwitnessed(copy: LaneCopy): LaneCopy {
  const [body = '', signatures = ''] = readFileSync(copy.file('log/checkpoint'), 'utf8').split('\n\n');
  return put(copy, 'log/checkpoint', `${body}\n\n${signatures.split('\n')[0] ?? ''}\n`);
}

/** The one layer of a release, changed. */
function flipped(copy: LaneCopy, release: Digest): LaneCopy {
  const blob = (digest: string): string => `content/blobs/sha256/${digest.replace('sha256:', '')}`;
  const read = (digest: string): { readonly manifests?: { digest: string }[]; readonly layers?: { digest: string }[] } =>
    JSON.parse(readFileSync(copy.file(blob(digest)), 'utf8'));
  const layer = blob(read(read(release).manifests?.[0]?.digest ?? '').layers?.[0]?.digest ?? '');
  const bytes = copy.read(layer);
  bytes[bytes.length >> 1]! ^= 1;
  return put(copy, layer, bytes);
}
