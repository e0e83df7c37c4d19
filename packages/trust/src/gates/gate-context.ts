/** What gates share in one evaluation: blobs, checked against their digest and parsed at most once. */
import {
  CoreError,
  type Digest,
  hardwareDevices,
  type JsonObject,
  type JsonValue,
  LIMITS,
  parseStrictJson,
  SealaneError,
  sha256,
} from '@sealane/core';
import { parseConditions } from '../reports/conditions.js';
import { parseFidelity } from '../reports/fidelity.js';
import { parseRehearsal } from '../reports/rehearsal.js';
import { type ReportFormat, readReport } from '../reports/report-format.js';
import type { TestReport } from '../reports/test-report.js';
import { parseTopology } from '../reports/topology.js';
import type { GateContext, GateInput, Problem, Read, TestedHardware } from './gate.js';

/** Largest inventory, in bytes: it must also fit a receipt; the largest real one seen has 40 KiB. */
const MAX_HBOM_BYTES = 512 * 1024;

/** A context over an input. `evidenceToSee` is computed at most once, when a gate first asks. */
export function createContext(input: GateInput, evidenceToSee: (context: GateContext) => readonly Digest[]): GateContext {
  let seen: readonly Digest[] | undefined;
  const context: GateContext = {
    ...input,
    report: reports(input),
    bytes: (digest, what) => readBlob(input, digest, what, (value) => ({ ok: true, value })),
    hardware: once((digest) => readBlob(input, digest, 'hardware inventory', readHardware)),
    topology: once((digest) => readBlob(input, digest, 'topology', readerOf(parseTopology))),
    fidelity: once((digest) => readBlob(input, digest, 'fidelity', readerOf(parseFidelity))),
    conditions: once((digest) => readBlob(input, digest, 'conditions', readerOf(parseConditions))),
    rehearsal: once((digest) => readBlob(input, digest, 'rehearsal', readerOf(parseRehearsal))),
    evidenceToSee: () => (seen ??= evidenceToSee(context)),
  };
  return context;
}

function once<T>(read: (digest: Digest) => T): (digest: Digest) => T {
  const known = new Map<Digest, { readonly value: T }>();
  return (digest) => {
    const entry = known.get(digest) ?? { value: read(digest) };
    known.set(digest, entry);
    return entry.value;
  };
}

/** Blobs are untrusted whoever hands them over: what does not have its digest is not there. */
function readBlob<T>(input: GateInput, digest: Digest, what: string, parse: (bytes: Uint8Array, digest: Digest) => Read<T>): Read<T> {
  const bytes = input.blob(digest);
  if (bytes === undefined) return problem({ code: 'CONTENT_MISSING', why: `the ${what} ${digest} is not there` });
  if (bytes.length > LIMITS.evidenceBlobBytes)
    return problem({ code: 'EVIDENCE_RESULT', why: `the ${what} ${digest} has ${bytes.length} bytes` });
  const actual = sha256(bytes);
  if (actual !== digest) return problem({ code: 'CONTENT_DIGEST', why: `the ${what} ${digest} has other bytes (${actual})` });
  return parse(bytes, digest);
}

/** One blob may be named under two formats: each reading is its own. */
function reports(input: GateInput): GateContext['report'] {
  const known = new Map<ReportFormat, (digest: Digest) => Read<TestReport>>();
  return (digest, format) => {
    const read =
      known.get(format) ?? once((each) => readBlob(input, each, 'report', (bytes) => ({ ok: true, value: readReport(format, bytes) })));
    known.set(format, read);
    return read(digest);
  };
}

function readHardware(bytes: Uint8Array, digest: Digest): Read<TestedHardware> {
  try {
    const hbom = objectOf(parseStrictJson(bytes, { maxBytes: MAX_HBOM_BYTES, maxDepth: LIMITS.jsonDepth }));
    return { ok: true, value: { hbom, devices: hardwareDevices(hbom) } };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return problem({ code: 'EVIDENCE_RESULT', why: `the hardware inventory ${digest} cannot be read: ${error.message}` });
  }
}

/** The reader of a document of ours, which its parser throws for when it is none. */
function readerOf<T>(parse: (bytes: Uint8Array) => T): (bytes: Uint8Array, digest: Digest) => Read<T> {
  return (bytes, digest) => {
    try {
      return { ok: true, value: parse(bytes) };
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      return problem({ code: 'EVIDENCE_RESULT', why: `${digest} cannot be read: ${error.message}` });
    }
  };
}

function objectOf(value: JsonValue): JsonObject {
  if (typeof value === 'object' && value !== null && !isList(value)) return value;
  throw new CoreError('HBOM_MALFORMED', 'read hardware inventory: expected a JSON object');
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function problem(value: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: value };
}
