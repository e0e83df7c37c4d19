/** `sealane-site enroll`: first the site's own key and a request for a record; then, by hand, the record and a root to trust. */
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { hex, type JsonObject, LIMITS, makeSiteRequest, SealaneError, shellWord, type Signer, SiteError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { MAX_RECORD_BYTES, readRecordFile, readSiteRecord } from '@sealane/trust';
import { enrol, readRoot } from '../apply/enrolment.js';
import { takeLock } from '../apply/lock.js';
import { openMachine, readState } from '../apply/machine.js';
import { leaveRetirement } from '../apply/retirement.js';
import { readTrustFile } from '../apply/trust-file.js';
import { readConfig, type SiteConfig } from '../config.js';
import { type Disk, nodeDisk } from '../disk.js';
import { writeOutput } from '../durable-write.js';
import type { InventoryPlace } from '../hardware-shell.js';
import { MAX_CHAIN_BYTES } from '../identity/chain.js';
import { keepAuthority } from '../identity/identity.js';
import { ownSealingKey } from '../sealing-key.js';
import { createSiteKey, openSiteKey } from '../site-key.js';
import { inWords, keyFile, placeOf, type SitePlace, textOption, worldOf } from '../site-shell.js';
import type { SiteWorld } from '../site.js';

/** The command. */
export const command: CommandSpec = {
  name: 'enroll',
  summary: 'make the key of this site and ask for a record; then take the record and a trusted root',
  options: [
    { flags: '--name <name>', description: 'name of this site, as the registrar will sign it' },
    { flags: '--out <file>', description: 'the request for the registrar' },
    { flags: '--record <file>', description: 'the record that the registrar signed, or his delegate for a replaced node' },
    { flags: '--root <file>', description: 'root metadata of the lane, carried here by hand: there is no trust on first use' },
    {
      flags: '--site-ca <file>',
      description: 'root certificate of the authority that certifies sites (PEM), carried here by hand; with --record',
    },
  ],
  example: 'sealane-site enroll --name harbour-8 --out request.json\nsealane-site enroll --record record.json --root 1.root.json',
  run: async (call) => {
    const place = placeOf(call);
    // whoever enrols is at the console, in no sandbox
    const inventory: InventoryPlace = { ...(optionalConfig(nodeDisk, place.configFile)?.inventory ?? THIS_HOST), from: 'here' };
    const world = worldOf(call, place, inventory);
    return await inWords(place.folder, async () => {
      world.disk.makeFolder(place.folder.root, 0o750);
      return textOption(call.options['record']) === undefined ? await request(call, place, world) : await takeRecord(call, place, world);
    });
  },
};

async function request(call: CommandCall, { folder, configFile }: SitePlace, world: SiteWorld): Promise<CommandResult> {
  const config = optionalConfig(world.disk, configFile);
  const name = textOption(call.options['name']) ?? config?.name;
  const out = textOption(call.options['out']);
  if (name === undefined || out === undefined)
    throw new SiteError('USAGE', 'enrol this site: expected --name and --out, or --record and --root');
  if (config !== undefined && config.name !== name)
    throw new SiteError('CONFIG_INVALID', `enrol ${name}: expected the name in ${configFile}, which is ${config.name}`);
  const { phase } = readState(world.disk, folder.journal);
  if (phase.at === 'retiring')
    throw new SiteError(
      'SITE_RETIRED',
      `enrol ${name}: expected a host that has wiped what it was before, got one that is not done`,
      {},
      { hint: 'let it go on: sealane-site update' },
    );
  expectNoneElsewhere(world, folder, name);
  const signer = ownKey(world.disk, keyFile(world, folder.key));
  const { recipient } = await ownSealingKey(world.disk, keyFile(world, folder.sealingKey));
  const file = path.resolve(call.io.cwd, out);
  writeOutput(
    world.disk,
    file,
    await makeSiteRequest({ name, nonce: hex(randomBytes(16)), recipient, hbom: await hardware(world) }, signer),
  );
  const json = { site: name, keyId: signer.keyId, rootVersion: null, request: file };
  return {
    exit: 0,
    json,
    text: `the request of ${name}, key ${signer.keyId}, is in ${file}`,
    hint: `have it signed, and see that the same key is named there: sealane site add ${shellWord(out)} --stage STAGE --key REGISTRAR --out RECORD`,
  };
}

/**
 * A site whose record names a key that is not here had it sealed, or lost it. Another one would make it another site, with secrets that nobody can open, and
 * that is for a person to say.
 *
 * @throws SiteError `KEY_EXISTS`
 */
function expectNoneElsewhere(world: SiteWorld, folder: SitePlace['folder'], name: string): void {
  const bytes = world.disk.read(folder.record, MAX_RECORD_BYTES);
  if (bytes === undefined) return;
  const { key, recipient } = readSiteRecord(readRecordFile(bytes).record.statement);
  const [signing, sealing] = [keyFile(world, folder.key), keyFile(world, folder.sealingKey)];
  const isGone = (file: string): boolean => world.disk.kind(file) === 'nothing';
  const gone = isGone(signing)
    ? `key ${key.id} in ${signing}`
    : recipient !== undefined && isGone(sealing)
      ? `sealing key in ${sealing}`
      : undefined;
  if (gone === undefined) return;
  throw new SiteError(
    'KEY_EXISTS',
    `enrol ${name}: expected the ${gone}, which its record names, got nothing`,
    {},
    {
      hint: `if it was sealed, give it to this command: systemd-run --pty -p LoadCredentialEncrypted=site.pem -p LoadCredentialEncrypted=sealing.key sealane-site enroll …; if it is lost for good, first: rm ${shellWord(folder.record)}`,
    },
  );
}

/** The key that is there, or a new one: asking twice does not make two sites. */
function ownKey(disk: Disk, file: string): Signer {
  return disk.kind(file) === 'nothing' ? createSiteKey(disk, file) : openSiteKey(disk, file);
}

/** A host that has no site.yaml yet is read as it is. */
const THIS_HOST: InventoryPlace = { root: '/', from: 'here', devices: [] };

/** A host whose hardware cannot be read may still ask for a record. */
async function hardware(world: SiteWorld): Promise<JsonObject | null> {
  try {
    return await world.collectHardware();
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    world.talk(`the request has no inventory: ${error.message}`);
    return null;
  }
}

function takeRecord(call: CommandCall, { folder, configFile }: SitePlace, world: SiteWorld): Promise<CommandResult> {
  const { disk, clock } = world;
  const read = (option: string, maxBytes: number): Uint8Array => {
    const named = textOption(call.options[option.replace('-ca', 'Ca')]);
    if (named === undefined) throw new SiteError('USAGE', `enrol this site: expected a file at --${option}, got none`);
    const file = path.resolve(call.io.cwd, named);
    const bytes = disk.read(file, maxBytes);
    if (bytes !== undefined) return bytes;
    const hint = 'check the path: nothing is there';
    throw new SiteError('USAGE', `enrol this site: expected a file at --${option}, got no such file as ${file}`, { path: file }, { hint });
  };
  const signer = openSiteKey(disk, keyFile(world, folder.key));
  const authority = textOption(call.options['siteCa']) === undefined ? undefined : read('site-ca', MAX_CHAIN_BYTES);
  const config = optionalConfig(disk, configFile);
  const root = handedOver(call, 'root', () =>
    readRoot(read('root', LIMITS.rootBytes), config?.allowExampleKeys === true ? 'allow-example' : 'refuse-example'),
  );
  const aside = withLock(world, folder, () => leaveRetirement(disk, folder, openMachine(disk, folder.journal)));
  const { site: record, keptTrust } = handedOver(call, 'record', () =>
    enrol({ disk, clock, folder, signer, config, record: read('record', MAX_RECORD_BYTES), root }),
  );
  if (authority !== undefined) keepAuthority(disk, folder, authority);
  const { versions } = readTrustFile(disk, folder.trust).tuf;
  const json = { site: record.site, keyId: record.key.id, rootVersion: versions.root, stage: record.stage, labels: record.labels };
  const before = aside === undefined ? '' : `; receipts of the site before, which the log has not shown, are in ${aside}`;
  const trusts = keptTrust ? `goes on trusting root ${versions.root}, which it had` : `trusts root ${versions.root}`;
  const text = `${record.site}, key ${record.key.id}, is enrolled for ${record.stage}, and ${trusts}${before}`;
  return Promise.resolve({ exit: 0, json, text, hint: 'look for a release: sealane-site check' });
}

/** Names the file that a person brought: what it should have been is nothing that could be fetched again. */
function handedOver<T>(call: CommandCall, option: 'root' | 'record', read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof SealaneError) || cause.code !== 'TRUST_MALFORMED') throw cause;
    const hint = `check the file, or bring it again: ${BROUGHT[option]}`;
    throw new SiteError(cause.code, `read ${textOption(call.options[option]) ?? option}: ${cause.message}`, cause.data, { cause, hint });
  }
}

/** Where the files come from that a person brings. */
const BROUGHT = {
  root: 'a root of the lane is trust/metadata/1.root.json in it',
  record: 'the record is what sealane site add wrote at --out',
} as const;

function withLock<T>(world: SiteWorld, folder: SitePlace['folder'], use: () => T): T {
  const release = takeLock(world, folder.lock);
  try {
    return use();
  } finally {
    release();
  }
}

function optionalConfig(disk: Disk, file: string): SiteConfig | undefined {
  return disk.kind(file) === 'nothing' ? undefined : readConfig(disk, file);
}
