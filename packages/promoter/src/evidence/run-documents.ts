/** The documents that are bound to a test run: read from the files that a lab names, checked, and made the bytes that are kept. */
import { canonicalJson, type Digest, hardwareFacts, type JsonObject, LIMITS, parseStrictJson, PromoterError } from '@sealane/core';
import {
  checkConditions,
  checkFidelity,
  checkRehearsal,
  checkTopology,
  type Conditions,
  conditionsShape,
  type Fidelity,
  fidelityShape,
  type Rehearsal,
  rehearsalShape,
  type RunDocument,
  type Topology,
  topologyShape,
} from '@sealane/trust';
import { readNamed } from '../disk-shell.js';
import { readAs } from '../read-as.js';
import type { Promoter } from '../promoter.js';
import { type DocumentKind, readDocument } from './document-file.js';
import { expectReceipts } from './rehearsed-receipts.js';

/** Files by the kind of document in them. */
export type RunDocumentFiles = Readonly<Partial<Record<RunDocument, string>>>;

/** What stands where, of a test set-up or of a site. */
export const TOPOLOGY: DocumentKind<Topology> = { what: 'topology', shape: topologyShape, check: checkTopology };
const FIDELITY: DocumentKind<Fidelity> = { what: 'fidelity', shape: fidelityShape, check: checkFidelity };
const CONDITIONS: DocumentKind<Conditions> = { what: 'conditions', shape: conditionsShape, check: checkConditions };
const REHEARSAL: DocumentKind<Rehearsal> = { what: 'rehearsal', shape: rehearsalShape, check: checkRehearsal };

/**
 * The bytes of each document. An inventory is kept as its collector wrote it; the others are written by people and kept as canonical JSON.
 *
 * @throws PromoterError `CONFIG_INVALID`; `EVIDENCE_ROLLBACK` a rehearsal names receipts that do not show it; CoreError `HBOM_MALFORMED`
 */
export async function readRunDocuments(
  promoter: Promoter,
  release: Digest,
  files: RunDocumentFiles,
): Promise<Readonly<Partial<Record<RunDocument, Uint8Array>>>> {
  const { hardware, topology, fidelity, conditions, rehearsal } = files;
  const rehearsed = rehearsal === undefined ? undefined : readDocument(rehearsal, REHEARSAL);
  if (rehearsed !== undefined) await expectReceipts(promoter, release, rehearsed);
  return {
    ...(hardware === undefined ? {} : { hardware: readInventory(hardware) }),
    ...(topology === undefined ? {} : { topology: canonicalJson(readDocument(topology, TOPOLOGY)) }),
    ...(fidelity === undefined ? {} : { fidelity: canonicalJson(readDocument(fidelity, FIDELITY)) }),
    ...(conditions === undefined ? {} : { conditions: canonicalJson(readDocument(conditions, CONDITIONS)) }),
    ...(rehearsed === undefined ? {} : { rehearsal: canonicalJson(rehearsed) }),
  };
}

function readInventory(file: string): Uint8Array {
  const bytes = readNamed(file, 'hardware inventory');
  const hint = 'check the file: an inventory in CycloneDX JSON is expected there, as sealane-site inventory --out writes it';
  readAs(file, hint, () => {
    const value = parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth });
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new PromoterError('CONFIG_INVALID', `read ${file}: expected a JSON object`, { file });
    hardwareFacts(value as JsonObject);
  });
  return bytes;
}
