/**
 * The write call of Rekor v2 (`POST /api/v2/log/entries`): plain cosign logs its signatures here. Who may is known by the signature itself, since
 * cosign has no other way to say who calls: a key that service.yaml names must have signed what is logged.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, ERRORS, PromoterError, SealaneError } from '@sealane/core';
import type { Home } from '../home.js';
import type { NoteSigner } from '@sealane/ledger';
import type { BodyBudget } from '../service/body-budget.js';
import { readBody } from '../service/body-shell.js';
import type { CallerLimits } from '../service/limits.js';
import type { Logger } from '../service/log-shell.js';
import type { RouteContext } from '../service/route.js';
import { send } from '../service/send.js';
import type { RecordSigner } from '../service/service-file.js';
import { type Done, type Together, together } from '../service/together.js';
import type { WorkQueue } from '../service/work-queue.js';
import { appendRecords, placeOfRecord, recordEntry, recordLogOf } from './record-log-shell.js';
import { MAX_REQUEST_BYTES, readRecordRequest, type RecordRequest } from './record-request.js';
import { hasQuorum, haveCosigned, type RecordWitnesses } from './record-witnesses.js';

/** Records of one batch: what one checkpoint holds at most. */
const MAX_BATCH = 256;
/** A place that no log has. */
const NOWHERE = -1;

export interface RecordParts {
  readonly home: Home;
  readonly signers: readonly RecordSigner[];
  /** The log's own signer. */
  readonly signer: NoteSigner;
  readonly witnesses: RecordWitnesses;
  readonly limits: CallerLimits;
  readonly queue: WorkQueue;
  readonly bodies: BodyBudget;
  readonly locked: RouteContext['locked'];
  /** Lets the requests that have come in be read. */
  readonly gather: () => Promise<void>;
  readonly log: Logger;
}

/** Answers a request. */
export type TakeRecord = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Codes of google.rpc.Code, which Rekor v2's answers have, and the status that each is told with. Nothing else is told outside. */
const ANSWERS = {
  malformed: { status: 400, code: 3, message: 'expected a hashedRekordRequestV002 by ECDSA P-256 with SHA-256' },
  stranger: { status: 401, code: 16, message: 'expected a signature by a key that may log here' },
  tooLarge: { status: 413, code: 3, message: 'too large' },
  limited: { status: 429, code: 8, message: 'too many records' },
  fault: { status: 500, code: 13, message: 'internal error' },
  busy: { status: 503, code: 14, message: 'not now' },
} as const;

/** Logs records, or says where they are logged already; those that come while others are being logged are one commit and one checkpoint. */
export function takeRecords(parts: RecordParts): TakeRecord {
  const log = together({
    queue: parts.queue,
    noun: 'a record',
    maxBatch: MAX_BATCH,
    gather: parts.gather,
    work: (records: readonly RecordRequest[]) => logRecords(parts, records),
  });
  return async (request, response) => {
    // a body that was cut off takes the socket with it
    const from = request.socket.remoteAddress;
    try {
      const record = readRecordRequest(await readBody(request, response, MAX_REQUEST_BYTES, parts.bodies));
      const entry = known(parts, record) ?? (await logged(parts, record, log));
      send(response, 201, JSON.stringify(entry), JSON_TYPE);
    } catch (error) {
      if (!(error instanceof SealaneError)) throw error;
      const { status, code, message } = ANSWERS[answerTo(error)];
      parts.log[status === 500 ? 'error' : 'warn']({ from, code: error.code, reason: error.message }, 'refused a record');
      send(response, status, JSON.stringify({ code, message, details: [] }), { ...JSON_TYPE, connection: 'close' });
    }
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** A record that is there was checked when it came: it costs its signer nothing, and anybody may ask again. */
function known({ home, signer, witnesses }: RecordParts, { name }: RecordRequest): object | undefined {
  const log = recordLogOf(home, signer);
  const index = placeOfRecord(home, log, name);
  if (index === undefined || !hasQuorum(log.head(), signer, witnesses)) return undefined;
  const [proof] = log.prove([index]);
  return proof === undefined ? undefined : recordEntry(proof, signer);
}

async function logged({ signers, limits }: RecordParts, record: RecordRequest, log: Together<RecordRequest, object>): Promise<object> {
  const by = signers.find(({ key }) => key === record.keyId);
  if (by === undefined || !record.isSigned())
    throw new PromoterError(
      'CALLER_UNKNOWN',
      `log a record: expected a signature by one of records.signers, got ${by === undefined ? 'key' : 'a wrong one by'} ${record.keyId}`,
    );
  await limits.request(`records ${by.name}`);
  return await log(record);
}

function logRecords({ home, signer, witnesses, locked }: RecordParts, records: readonly RecordRequest[]): Promise<readonly Done<object>[]> {
  return locked(async (promoter) => {
    await promoter.lock?.expectHeld();
    const log = recordLogOf(home, signer);
    const before = log.head();
    // what came twice at once is logged once
    const byName = new Map(records.map((record) => [record.name, record]));
    const places = new Map([...byName.keys()].map((name) => [name, placeOfRecord(home, log, name)]));
    const fresh = [...byName.values()].filter(({ name }) => places.get(name) === undefined);
    if (fresh.length > 0) appendRecords(home, log, fresh).forEach((index, at) => places.set(fresh[at]?.name ?? '', index));
    await haveCosigned(log, signer, witnesses, { promoter, before });
    return log.prove(records.map(({ name }) => places.get(name) ?? NOWHERE)).map((proof) => ({ value: recordEntry(proof, signer) }));
  });
}

function answerTo({ code }: SealaneError): keyof typeof ANSWERS {
  const answers: Partial<Record<ErrorCode, keyof typeof ANSWERS>> = {
    RECORD_MALFORMED: 'malformed',
    CALLER_UNKNOWN: 'stranger',
    FILE_TOO_LARGE: 'tooLarge',
    CALLER_LIMITED: 'limited',
    LOG_WITNESS: 'busy',
  };
  return answers[code] ?? ([5, 6, 8].includes(ERRORS[code].exit) ? 'busy' : 'fault');
}
