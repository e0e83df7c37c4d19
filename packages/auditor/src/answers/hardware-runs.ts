/** Since when a site has a piece of hardware or firmware: by the inventory in each of its receipts. */
import { type FoundHardware, type HardwareDevice, hardwareDevices, type JsonObject, SealaneError, utf8 } from '@sealane/core';
import { once } from '../once.js';
import type { Inquiry } from './inquiry.js';
import { wordsOf } from './known-hardware.js';
import { historiesOf, type Run, type SiteHistory } from './site-history.js';

/** The histories of the sites whose inventories may name the thing, by what they told or by what is missing of it. */
export async function historiesNaming(inquiry: Inquiry, wanted: string): Promise<readonly SiteHistory[]> {
  const isNamed = (found: FoundHardware): boolean =>
    'devices' in found && found.devices.some((device) => wordsOf({ ...device, serial: undefined }).has(wanted));
  return await historiesOf(inquiry, await inquiry.context.ledger.sitesWithHardware({ word: wanted, isNamed, bytes: bytesIn(wanted) }));
}

/** Bytes that a statement holds if a serial in it reads so: its longest word, as between two of them there may have been any blanks. */
function bytesIn(serial: string): Uint8Array {
  const [longest = ''] = serial.split(' ').sort((left, right) => right.length - left.length);
  return utf8(JSON.stringify(longest).slice(1, -1));
}

/** The intervals in which the inventories of sites name the thing: a class, a serial, a model, or a firmware as `BIOS 2.14.1`. */
export function hardwareRuns(
  histories: readonly SiteHistory[],
  wanted: string,
): readonly (Run & { readonly site: string; readonly stage: string })[] {
  const runs: (Run & { readonly site: string; readonly stage: string })[] = [];
  for (const { site, record, receipts } of histories) {
    let open: Run | undefined;
    for (const { index, at, release, statementDigest, hardware } of receipts) {
      const has = namesHardware(hardware, wanted);
      if (has && open === undefined) open = { release, since: at, until: null, statement: statementDigest, logIndex: index };
      else if (!has && open !== undefined) {
        runs.push({ ...open, until: at, site, stage: record.said.stage });
        open = undefined;
      }
    }
    if (open !== undefined) runs.push({ ...open, site, stage: record.said.stage });
  }
  return runs;
}

/** Whether an inventory names the thing; one that cannot be read names nothing. */
function namesHardware(hbom: JsonObject, wanted: string): boolean {
  return devicesIn(hbom).some((device) => wordsOf(device).has(wanted));
}

/** The devices of an inventory that a receipt holds, none when it cannot be read. */
export const devicesIn: (hbom: JsonObject) => readonly HardwareDevice[] = once((hbom) => {
  try {
    return hardwareDevices(hbom);
  } catch (error) {
    if (error instanceof SealaneError) return [];
    throw error;
  }
});
