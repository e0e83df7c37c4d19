/** Orders of the channel and facts of the site: revoked, held, fenced, below the floor, wrong hardware, wrong site. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { signStatement } from '@sealane/core';
import { encodeBundle, parseBundle, readSiteRecord, siteRecordStatement } from '@sealane/trust';
import { beforeAll, expect, it } from 'vitest';
import { enrolSite } from '../support/site.js';
import { exampleSigner, LaneCopy } from './attacker.js';
import { approval, decision } from './statements.js';
import { expectInstalled, expectRefusal, footprint, type World } from './world.js';

export function channelAttacks(at: () => World): void {
  let world: World;

  beforeAll(async () => {
    world = at();
  });

  it('a revoked release is refused, and stays so when the channel forgets it', async () => {
    const scene = await world.scene();
    const channel = scene.copy.channel();
    await scene.copy.setChannel({ ...channel, revoked: [{ release: world.two, reason: 'burns its host' }] });
    await expectRefusal(scene, 'RELEASE_REVOKED', 3);
    await scene.copy.setChannel({ ...channel, revoked: [] });
    expect(await scene.site.must(['update'], 3)).toMatchObject({ outcome: 'refused', reason: 'RELEASE_REVOKED' });
    expect(footprint(scene.site).version).toBe('1.0.0');
  });

  it('a refused release’s channel cannot be replayed away', async () => {
    const scene = await world.scene();
    const before = LaneCopy.of(scene.copy.dir, path.join(scene.site.dir, 'before'));
    await scene.copy.setChannel({ ...scene.copy.channel(), revoked: [{ release: world.two, reason: 'burns its host' }] });
    await expectRefusal(scene, 'RELEASE_REVOKED', 3);
    cpSync(before.dir, scene.copy.dir, { recursive: true, force: true, verbatimSymlinks: true });
    expect(await scene.site.must(['update'], 4)).toMatchObject({ outcome: 'refused', reason: 'TRUST_ROLLBACK' });
  });

  it('a held group installs nothing until it is freed', async () => {
    const scene = await world.scene();
    const channel = scene.copy.channel();
    await scene.copy.setChannel({ ...channel, held: [{ group: 'all', reason: 'incident 12' }] });
    await expectRefusal(scene, 'CHANNEL_HELD', 3);
    await scene.copy.setChannel({ ...channel, held: [] });
    await expectInstalled(scene, '1.1.0');
  });

  it('a fenced site installs nothing', async () => {
    const scene = await world.scene();
    await scene.copy.setChannel({ ...scene.copy.channel(), fenced: [{ site: 'harbour-7', reason: 'stolen' }] });
    await expectRefusal(scene, 'SITE_FENCED', 3);
  });

  it('a release below the channel’s floor is refused, and the floor stays when the channel drops it', async () => {
    const scene = await world.scene();
    const channel = scene.copy.channel();
    await scene.copy.setChannel({ ...channel, floor: { counter: 3, index: 0 } });
    await expectRefusal(scene, 'RELEASE_BELOW_FLOOR', 3);
    await scene.copy.setChannel({ ...channel, floor: null });
    expect(await scene.site.must(['update'], 3)).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });
  });

  it('a group with another selector than policy gives it is refused: the stage’s key does not say who belongs to it', async () => {
    const scene = await world.scene();
    const channel = scene.copy.channel();
    await scene.copy.setChannel({ ...channel, groups: channel.groups.map((group) => ({ ...group, match: { region: 'north' } })) });
    await expectRefusal(scene, 'SITE_MISMATCH', 3);
  });

  it('a decision whose rollout does not name the site’s group is refused', async () => {
    const approvals = await world.log.log([await approval(world, world.three), 'alice'], [await approval(world, world.three), 'bob']);
    const inputs = (await Promise.all([...world.evidence, ...approvals].map((index) => world.log.digestOf(index)))).sort();
    const [decided = -1] = await world.log.log([decision(world, world.three, { inputs, rollout: ['canary'] }), 'prod']);
    const scene = await world.scene();
    await world.log.publish(scene.copy, {
      release: world.three,
      decision: decided,
      entries: [...world.honest, ...approvals],
      counter: 7,
    });
    await expectRefusal(scene, 'SITE_MISMATCH', 3);
  });

  it('a release that was not tested on this site’s hardware is refused', async () => {
    const other = await world.lane.release('1.3.0');
    const bom = JSON.parse(readFileSync(world.lane.hardware, 'utf8')) as {
      components: { name: string; properties: { value: string }[] }[];
    };
    for (const part of bom.components) if (part.properties.some(({ value }) => value === 'cpu')) part.name = 'a processor of another town';
    const file = path.join(world.dir, 'other.cdx.json');
    writeFileSync(file, JSON.stringify(bom));
    await world.lane.sealane(['evidence', 'add', other, '--provenance', path.join(world.dir, 'provenance.json'), '--key', 'builder']);
    await world.lane.sealane(['evidence', 'add', other, '--tests', path.join(world.dir, 'junit.xml'), '--hardware', file, '--key', 'lab']);
    for (const stage of ['dev', 'edge-preprod']) await world.lane.sealane(['promote', other, '--to', stage]);
    for (const person of ['alice', 'bob']) await world.lane.sealane(['approve', other, '--to', 'prod', '--key', person]);
    await world.lane.sealane(['promote', other, '--to', 'prod']);
    const polled = await world.scene();
    await expectRefusal(polled, 'HARDWARE_UNCOVERED', 3);
    // prod goes on with 1.1.0 for the other tests
    await world.lane.sealane(['channel', 'set', 'prod', world.two]);
  });

  it('a clone under another name is refused', async () => {
    const scene = await world.scene();
    rename(scene.site.config, 'harbour-8');
    const before = footprint(scene.site);
    const { exit, json } = await scene.site.run(['update']);
    expect({ exit, code: json.error?.code }).toEqual({ exit: 2, code: 'CONFIG_INVALID' });
    expect(footprint(scene.site)).toEqual(before);
  });

  it('a clone with the record of a site but another key is refused', async () => {
    const scene = await world.scene();
    const other = await enrolSite(world.lane, path.join(scene.site.dir, 'other'), { name: 'harbour-9' });
    cpSync(path.join(other.state, 'record.json'), path.join(scene.site.state, 'record.json'));
    rename(scene.site.config, 'harbour-9');
    await expectRefusal(scene, 'SITE_MISMATCH', 3);
  });

  it('a record that another key than the registrar’s signed is refused', async () => {
    const scene = await world.scene();
    const file = path.join(scene.site.state, 'record.json');
    const { statement } = parseBundle(new Uint8Array(readFileSync(file)));
    const thief = exampleSigner('dev');
    const forged = await signStatement(siteRecordStatement(readSiteRecord(statement)), thief);
    writeFileSync(file, JSON.stringify(encodeBundle(forged)));
    await expectRefusal(scene, 'SITE_MISMATCH', 3);
  });

  it('a local hold defers, and lifts', async () => {
    const scene = await world.scene();
    await scene.site.must(['hold', '--reason', 'harvest']);
    expect(await scene.site.must(['update'], 5)).toMatchObject({ outcome: 'deferred', reason: 'LOCAL_HOLD' });
    expect(footprint(scene.site).version).toBe('1.0.0');
    await scene.site.must(['unhold']);
    await expectInstalled(scene, '1.1.0');
  });
}

/** As who copies a site would: the name is in a file that anybody there can write. */
function rename(config: string, name: string): void {
  writeFileSync(config, readFileSync(config, 'utf8').replace('name: harbour-7', `name: ${name}`));
}
