/** What a driver has handed to somebody else to run, written down durably before it does: after a crash or reboot it is known what to ask about and to stop. */
import path from 'node:path';
import { isDigest, type JsonObject, type JsonValue, SiteError } from '@sealane/core';
import { durableWrite } from '../durable-write.js';
import { readSealed, sealed } from '../sealed-file.js';
import { plainJson } from '../plain-json.js';
import type { DriverWorld, SlotOnDisk } from './driver.js';
import type { Credentials } from './credentials.js';

/** A release that was given to the engine, and in which boot of this host. `more` is the driver's own. */
export interface SlotRecord {
  readonly slot: SlotOnDisk;
  readonly bootId: string;
  readonly more: readonly string[];
}

/** The record in one file of the state folder. */
export interface SlotRecordFile {
  /** @throws SiteError `STATE_CORRUPT` */
  read(): SlotRecord | undefined;
  write(slot: SlotOnDisk, more?: readonly string[]): void;
  remove(): void;
}

/** The record of a driver, `run/NAME.json`. */
export function slotRecordFile({ disk, clock, stateFolder }: DriverWorld, name: string): SlotRecordFile {
  const file = path.join(stateFolder, 'run', `${name}.json`);
  return {
    read: () => {
      const value = readSealed(disk, file);
      return value === undefined ? undefined : parseRecord(value, file);
    },
    write: ({ release, name: title, version, folder, variables, credentials }, more = []) => {
      disk.makeFolder(path.dirname(file), 0o750);
      const slot = { release, name: title, version, folder, ...(variables && { variables }), ...(credentials && { credentials }) };
      durableWrite(disk, file, sealed(plainJson({ slot, bootId: clock.bootId(), more })));
    },
    remove: () => {
      if (disk.kind(file) === 'nothing') return;
      disk.remove(file);
      disk.syncFolder(path.dirname(file));
    },
  };
}

function parseRecord({ slot, bootId, more }: JsonObject, file: string): SlotRecord {
  if (isObject(slot) && typeof bootId === 'string' && isTexts(more)) {
    const { release, name, version, folder, variables, credentials: given } = slot;
    const credentials = isCredentials(given) ? { credentials: given } : {};
    if (isDigest(release) && typeof name === 'string' && typeof version === 'string' && typeof folder === 'string')
      return {
        slot: { release, name, version, folder, ...(typeof variables === 'string' && { variables }), ...credentials },
        bootId,
        more,
      };
  }
  throw new SiteError('STATE_CORRUPT', `read ${file}: expected slot, bootId, more`, { path: file });
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCredentials(value: JsonValue | undefined): value is JsonObject & Credentials {
  if (!isObject(value) || typeof value['folder'] !== 'string' || !Array.isArray(value['secrets'])) return false;
  return value['secrets'].every(
    (each: JsonValue) => isObject(each) && typeof each['name'] === 'string' && typeof each['version'] === 'number',
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
