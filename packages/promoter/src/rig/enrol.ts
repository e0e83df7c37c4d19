/** Enrols a rig, and takes note of its rebuilds: what it is made of and what it was built from, signed without the publish lock, then logged. */
import {
  base64,
  type Digest,
  hardwareDrift,
  hardwareSerial,
  isDigest,
  type JsonObject,
  LIMITS,
  parseStrictJson,
  PREDICATE,
  PromoterError,
  readSiteRequest,
  sha256,
  type Signed,
  type Signer,
  signStatement,
} from '@sealane/core';
import { readRig, rigRebuildStatement, type RigPredicate, rigStatement } from '@sealane/trust';
import { writeBlob } from '../decision/waybill.js';
import { readNamed } from '../disk-shell.js';
import { readBlob } from '../content.js';
import { describeEntry, type LoggedStatement, statementOf, witnessedHead } from '../log/log-statements.js';
import type { Promoter } from '../promoter.js';
import { policiesOf } from './statements.js';

export interface RigWish {
  /** The bytes of the request that the rig made, as a site makes one. */
  readonly request: Uint8Array;
  /** A digest, or a file whose digest is taken. */
  readonly template: string;
  /** An inventory file, where the request's own is not meant. */
  readonly hardware?: string;
  readonly registrar: Signer;
}

/**
 * Signs that a rig is enrolled as it stands now, freshly built.
 *
 * @throws CoreError `REQUEST_MALFORMED`, `HBOM_MALFORMED`; PromoterError `EVIDENCE_SIGNER` the key is no registrar's; `EVIDENCE_RIG` the rig's key is
 * one that a policy names, or its inventory tells no serial number
 */
export async function signEnrolment(promoter: Promoter, wish: RigWish): Promise<Signed> {
  expectRegistrar(promoter, wish.registrar, 'enrol a rig');
  const { name, spki, keyId, hbom } = readSiteRequest(wish.request);
  if (policiesOf(promoter).some(({ keys }) => Object.hasOwn(keys, keyId)))
    throw new PromoterError('EVIDENCE_RIG', `enrol rig ${name}: expected a key of its own, got ${keyId}, which a policy names`, { keyId });
  const inventory = wish.hardware === undefined ? hbom : readInventory(wish.hardware);
  if (inventory === null)
    throw new PromoterError('EVIDENCE_RIG', `enrol rig ${name}: expected an inventory in its request or at --hardware, got none`);
  if (hardwareSerial(inventory) === undefined) {
    throw new PromoterError(
      'EVIDENCE_RIG',
      `enrol rig ${name}: expected an inventory with the serial number of the machine, got one without`,
    );
  }
  const payload = rigStatement({
    rig: name,
    key: { id: keyId, spki: base64(spki) },
    template: templateDigest(wish.template),
    inventory: keepInventory(promoter, inventory),
    builtAt: promoter.now(),
    salt: promoter.randomHex(),
  });
  return await signStatement(payload, wish.registrar);
}

export interface RebuildWish {
  readonly rig: string;
  readonly template: string;
  /** Inventory file of the rig as it was rebuilt. */
  readonly hardware: string;
  readonly signer: Signer;
}

/**
 * Signs that a rig was rebuilt, by its own word or the registrar's.
 *
 * @throws PromoterError `EVIDENCE_RIG` no such rig, another template or other units than it was enrolled with; `EVIDENCE_SIGNER`
 */
export async function signRebuild(promoter: Promoter, wish: RebuildWish): Promise<Signed> {
  const { rig: name, signer } = wish;
  const record = (await rigRecords(promoter)).filter(({ rig }) => rig === name).at(-1);
  if (record === undefined) throw unknownRig(name);
  if (signer.keyId !== record.key.id) expectRegistrar(promoter, signer, `rebuild rig ${name}`);
  const template = templateDigest(wish.template);
  if (template !== record.template)
    throw new PromoterError('EVIDENCE_RIG', `rebuild rig ${name}: expected template ${record.template}, got ${template}`);
  const inventory = readInventory(wish.hardware);
  const enrolled = readBlob(promoter, record.inventory);
  const { units } = enrolled === undefined ? { units: [] } : hardwareDrift(parseInventory(enrolled), inventory);
  if (units.length > 0)
    throw new PromoterError('EVIDENCE_RIG', `rebuild rig ${name}: expected the units that it was enrolled with, got ${units.join('; ')}`);
  const payload = rigRebuildStatement({
    rig: name,
    keyId: record.key.id,
    template,
    inventory: keepInventory(promoter, inventory),
    builtAt: promoter.now(),
    salt: promoter.randomHex(),
  });
  return await signStatement(payload, signer);
}

/** Logs what was signed about rigs, all of it or nothing, and has it witnessed. @throws PromoterError `LOG_WITNESS` */
export async function logAboutRigs(promoter: Promoter, signed: readonly Signed[]): Promise<readonly LoggedStatement[]> {
  const logged = await promoter.ledger.append(signed);
  await witnessedHead(promoter);
  return await Promise.all(logged.map(async ({ index }) => describeEntry(await promoter.ledger.entry(index))));
}

/** Every rig record that a registrar of a policy signed, in log order. */
export async function rigRecords(promoter: Promoter): Promise<readonly (RigPredicate & { readonly logIndex: number })[]> {
  const registrars = new Set(policiesOf(promoter).flatMap(({ registrar }) => registrar));
  const entries = (await Promise.all([...registrars].map((keyId) => promoter.ledger.statementsBy(keyId)))).flat();
  return entries
    .filter((entry) => statementOf(entry).predicateType === PREDICATE.rig)
    .sort((left, right) => left.index - right.index)
    .map((entry) => ({ ...readRig(statementOf(entry)), logIndex: entry.index }));
}

/** @throws PromoterError `EVIDENCE_SIGNER` the key is no registrar's in any policy */
export function expectRegistrar(promoter: Promoter, { keyId }: Signer, doing: string): void {
  if (policiesOf(promoter).some(({ registrar }) => registrar.includes(keyId))) return;
  throw new PromoterError('EVIDENCE_SIGNER', `${doing}: expected the registrar's key, got key ${keyId}`);
}

/** The refusal of a name that no rig has. */
export function unknownRig(name: string): PromoterError {
  return new PromoterError('EVIDENCE_RIG', `look up rig ${name}: expected an enrolled rig, got a name that none has`);
}

function templateDigest(text: string): Digest {
  return isDigest(text) ? text : sha256(readNamed(text, 'template'));
}

function readInventory(file: string): JsonObject {
  return parseInventory(readNamed(file, 'hardware inventory'));
}

function parseInventory(bytes: Uint8Array): JsonObject {
  const value = parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth });
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new PromoterError('HBOM_MALFORMED', 'read hardware inventory: expected a JSON object');
}

function keepInventory(promoter: Promoter, hbom: JsonObject): Digest {
  return writeBlob(promoter, new TextEncoder().encode(JSON.stringify(hbom)));
}
