/** The name of this site: site.yaml says it for units and receipts, the record for everybody else. */
import { SealaneError, shellWord, SiteError } from '@sealane/core';
import { MAX_RECORD_BYTES, readRecordFile, readSiteRecord } from '@sealane/trust';
import type { Site } from '../site.js';

/**
 * Before anything is written: a receipt under another name than the record's would be signed and chained, and refused by every promoter for ever.
 *
 * @throws SiteError `CONFIG_INVALID` site.yaml has another name than the record
 */
export function expectOwnName({ world, folder, config }: Pick<Site, 'world' | 'folder' | 'config'>, configFile: string): void {
  const recorded = recordedName(world.disk.read(folder.record, MAX_RECORD_BYTES));
  if (recorded === undefined || recorded === config.name) return;
  throw new SiteError(
    'CONFIG_INVALID',
    `change this site: expected the name of its record in ${configFile}, ${recorded}, got ${config.name}`,
    { path: configFile, expected: recorded, got: config.name },
    {
      hint: `write name: ${recorded} there; to become another site, ask for another record: sealane-site enroll --name ${shellWord(config.name)} --out REQUEST`,
    },
  );
}

function recordedName(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  try {
    return readSiteRecord(readRecordFile(bytes).record.statement).site;
  } catch (error) {
    // one that cannot be read is refused by admission, which says what is wrong with it
    if (!(error instanceof SealaneError)) throw error;
    return undefined;
  }
}
