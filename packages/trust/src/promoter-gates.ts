/**
 * The door to the gates that only the promoter evaluates. No program of a site comes through it: what they need (a recurrence
 * library, a YAML parser, CEL) stays off edge hosts, and what is heavy is loaded only when policy names the gate.
 */
import type { Gate } from './gates/gate.js';
import { GATES } from './gates/index.js';

export { readManifestFile } from './payload/manifest-file.js';
export { readManifestPart } from './payload/manifest-part.js';
export { readBom, readVex } from './scans/bom.js';
export { isSarif, scanOfSarif } from './scans/sarif.js';
export { readScan } from './scans/scan.js';
export { unpinnedImages } from './payload/payload-findings.js';

/** The gates of every program and those of the promoter, as far as `uses` names them. */
export async function promoterGates(uses: Iterable<string>): Promise<readonly Gate[]> {
  const named = new Set(uses);
  const loaded = await Promise.all(Object.entries(LOADERS).flatMap(([name, load]) => (named.has(name) ? [load()] : [])));
  return [...GATES, ...loaded];
}

const LOADERS: Readonly<Record<string, () => Promise<Gate>>> = {
  windows: async () => (await import('./gates/windows.js')).windowsGate,
  vulnerabilities: async () => (await import('./gates/vulnerabilities.js')).vulnerabilitiesGate,
  sbom: async () => (await import('./gates/sbom.js')).sbomGate,
  payload: async () => (await import('./gates/payload.js')).payloadGate,
  cel: async () => (await import('./gates/cel.js')).celGate,
};
