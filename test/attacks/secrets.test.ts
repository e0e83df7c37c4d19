/** Secrets against who holds the promoter's host with every online key (THREATS T1): what he can put into a site's shard, and that the site opens none of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type JsonObject, sealValue, sha256, utf8 } from '@sealane/core';
import {
  encodeSealedSecret,
  encodeSiteShard,
  parseSealedSecret,
  parseSiteShard,
  readSecret,
  secretStatement,
  shardPrefix,
  type SiteShard,
} from '@sealane/trust';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { givenTo, newValue, seal, SECRET_WORKLOAD, shownAs } from '../support/secrets.js';
import { editConfig } from '../support/site-world.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { LaneCopy, now } from './attacker.js';
import { holdLog, statementIn } from './log-holder.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
/** What was sealed to harbour-7, version by version, and to the other site. */
let sealed: { readonly first: Uint8Array; readonly second: Uint8Array; readonly others: Uint8Array };
let value: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-secret-attacks-'));
  lane = await makeLane(dir);
  site = await enrolSite(lane, path.join(dir, 'site'), { driver: { start: SECRET_WORKLOAD, startSeconds: 2 } });
  await enrolSite(lane, path.join(dir, 'other'), { name: 'harbour-8' });
  const declared = path.join(dir, 'release.yaml');
  writeFileSync(declared, 'secrets: [db-password]\n');
  const part = ['--files', `app=${path.dirname(lane.hardware)}/witness`, '--declare', declared];
  const words = ['release', 'create', '--name', 'readings', '--version', '1.0.0', ...part, '--key', 'author'];
  const { release } = await lane.sealane(words);
  await lane.promote(release as string);
  await seal(lane, newValue(), ['--site', 'harbour-8']);
  const others = waiting('harbour-8');
  await seal(lane, newValue(), ['--site', 'harbour-7']);
  const first = waiting('harbour-7');
  value = newValue();
  await seal(lane, value, ['--site', 'harbour-7']);
  sealed = { first, second: waiting('harbour-7'), others };
  editConfig(site.dir, 'driver', { ...driverOf(site), health: [] });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
  expect(givenTo(site)).toEqual([shownAs(value)]);
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

function driverOf({ config }: TestSite): JsonObject {
  return JSON.parse(/^driver: (.*)$/m.exec(readFileSync(config, 'utf8'))?.[1] ?? '{}') as JsonObject;
}

function shardIn(copy: LaneCopy, name: string): SiteShard {
  const entry = copy.channel().shards?.find(({ prefix }) => prefix === shardPrefix(name));
  return parseSiteShard(copy.read(`content/blobs/sha256/${(entry?.digest ?? '').slice('sha256:'.length)}`));
}

/** The sealed secret that waits for a site in the lane. */
function waiting(name: string): Uint8Array {
  const copy = new LaneCopy(lane.lane);
  const [sent] = shardIn(copy, name).sites.find((mail) => mail.site === name)?.secrets ?? [];
  return copy.read(`content/blobs/sha256/${(sent?.digest ?? '').slice('sha256:'.length)}`);
}

/** Publishes a channel by the stage's key in which these bytes wait for the site as its secret, and has it update; what it says of them. */
async function offer(bytes: Uint8Array): Promise<string> {
  await lane.sealane(['publish', '--refresh']);
  const copy = LaneCopy.of(lane.lane, mkdtempSync(path.join(dir, 'lane-')));
  const shard = shardIn(copy, site.name);
  const secrets = [{ secret: 'db-password', digest: copy.blob(bytes), length: bytes.length }];
  const sites = shard.sites.map((mail) => (mail.site === site.name ? { ...mail, secrets } : mail));
  const encoded = encodeSiteShard({ ...shard, sites });
  const entry = { prefix: shard.prefix, digest: copy.blob(encoded), length: encoded.length };
  const channel = copy.channel();
  const shards = [...(channel.shards ?? []).filter(({ prefix }) => prefix !== entry.prefix), entry].sort((a, b) =>
    a.prefix < b.prefix ? -1 : 1,
  );
  await copy.setChannel({ ...channel, issuedAt: now(), shards });
  editConfig(site.dir, 'upstreams', [copy.dir]);
  const answer = await site.run(['update']);
  editConfig(site.dir, 'upstreams', [lane.lane]);
  expect({ exit: answer.exit, ...answer.json }).toMatchObject({ exit: 0, outcome: 'unchanged' });
  return answer.stderr;
}

/** A statement about harbour-7's secret, signed by an example key and really in the log, with the bytes beside it. */
async function logged(bytes: Uint8Array, key: string, version: number): Promise<Uint8Array> {
  const real = readSecret(statementIn(parseSealedSecret(sealed.second).bundle));
  const log = await holdLog(lane);
  try {
    const payload = secretStatement({ ...real, version, sealed: sha256(bytes), issuedAt: now() });
    const [index = -1] = await log.log([payload, key]);
    return encodeSealedSecret({ bundle: await log.bundle(index), sealed: bytes });
  } finally {
    await log.close();
  }
}

async function expectNothingOpened(bytes: Uint8Array, said: RegExp): Promise<void> {
  expect(await offer(bytes)).toMatch(said);
  expect(givenTo(site)).toEqual([shownAs(value)]);
  expect(await site.must(['status'])).toMatchObject({ secrets: [{ name: 'db-password', version: 2, given: 2 }] });
}

it('opens none that was sealed to another site', async () => {
  await expectNothingOpened(sealed.others, /expected one for site harbour-7, got one for harbour-8/);
});

it('takes no older value for a newer one', async () => {
  await expectNothingOpened(sealed.first, /expected a version above 2 of it, got version 1/);
});

it('opens no bytes that the statement does not name', async () => {
  const { bundle } = parseSealedSecret(sealed.second);
  await expectNothingOpened(
    encodeSealedSecret({ bundle, sealed: parseSealedSecret(sealed.others).sealed }),
    /expected sealed bytes sha256:/,
  );
});

it('believes no stage key, no approver and no author whom policy does not name for secrets', async () => {
  const { recipient } = readSecret(statementIn(parseSealedSecret(sealed.second).bundle));
  const { keyId } = readSecret(statementIn(parseSealedSecret(sealed.second).bundle)).site;
  const forged = await sealValue(utf8(newValue()), { keyId, secret: 'db-password', version: 3 }, recipient);
  for (const key of ['prod', 'bob', 'author', 'registrar'])
    await expectNothingOpened(await logged(forged, key, 3), /expected a signer that policy names for it/);
});

it('opens nothing that a signer of secrets passes off as another version, or that he cannot have sealed to this site', async () => {
  const replayed = parseSealedSecret(sealed.first).sealed;
  await expectNothingOpened(await logged(replayed, 'alice', 3), /expected version 3 of it for this site, got what was sealed as another/);
  const others = parseSealedSecret(sealed.others).sealed;
  await expectNothingOpened(await logged(others, 'alice', 4), /expected a value sealed to the key of this site/);
});
