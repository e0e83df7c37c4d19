/**
 * The write call of Rekor v2 (`POST /api/v2/log/entries`): plain cosign logs its signatures here. Who may is known by the signature itself, since
 * cosign has no other way to say who calls: a key that service.yaml names must have signed what is logged.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, ERRORS, PromoterError, SealaneError } from '@sealane/core';
import type { Home } from '../home.js';
import type { NoteSigner } from '@sealane/ledger';
import { type BodyBudget, readBody } from '../service/body-shell.js';
import type { CallerLimits } from '../service/limits.js';
import type { Logger } from '../service/log-shell.js';
import type { RouteContext } from '../service/route.js';
import { send } from '../service/send.js';
import type { RecordSigner } from '../service/service-file.js';
import type { WorkQueue } from '../service/work-queue.js';
import { appendRecord, recordEntry, recordIndex, recordLogOf } from './record-log-shell.js';
import { MAX_REQUEST_BYTES, readRecordRequest, type RecordRequest } from './record-request.js';

export interface RecordParts {
  readonly home: Home;
  readonly signers: readonly RecordSigner[];
  /** The log's own signer. */
  readonly signer: NoteSigner;
  readonly limits: CallerLimits;
  readonly queue: WorkQueue;
  readonly bodies: BodyBudget;
  readonly locked: RouteContext['locked'];
  readonly log: Logger;
}

/** Codes of google.rpc.Code, which Rekor v2's answers have, and the status that each is told with. Nothing else is told outside. */
const ANSWERS = {
  malformed: { status: 400, code: 3, message: 'expected a hashedRekordRequestV002 by ECDSA P-256 with SHA-256' },
  stranger: { status: 401, code: 16, message: 'expected a signature by a key that may log here' },
  tooLarge: { status: 413, code: 3, message: 'too large' },
  limited: { status: 429, code: 8, message: 'too many records' },
  fault: { status: 500, code: 13, message: 'internal error' },
  busy: { status: 503, code: 14, message: 'not now' },
} as const;

/** Logs a record, or says where it is logged already. */
export async function takeRecord(parts: RecordParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // a body that was cut off takes the socket with it
  const from = request.socket.remoteAddress;
  try {
    const record = readRecordRequest(await readBody(request, MAX_REQUEST_BYTES, parts.bodies));
    const entry = known(parts, record) ?? (await logRecord(parts, record));
    send(response, 201, JSON.stringify(entry), JSON_TYPE);
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    const { status, code, message } = ANSWERS[answerTo(error)];
    parts.log[status === 500 ? 'error' : 'warn']({ from, code: error.code, reason: error.message }, 'refused a record');
    send(response, status, JSON.stringify({ code, message, details: [] }), { ...JSON_TYPE, connection: 'close' });
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** A record that is there was checked when it came: it costs its signer nothing, and anybody may ask again. */
function known({ home, signer }: RecordParts, { name }: RecordRequest): object | undefined {
  const index = recordIndex(home, name);
  return index === undefined ? undefined : recordEntry(recordLogOf(home, signer).prove(index), signer);
}

async function logRecord({ home, signers, signer, limits, queue, locked }: RecordParts, record: RecordRequest): Promise<object> {
  const by = signers.find(({ key }) => key === record.keyId);
  if (by === undefined || !record.isSigned())
    throw new PromoterError(
      'CALLER_UNKNOWN',
      `log a record: expected a signature by one of records.signers, got ${by === undefined ? 'key' : 'a wrong one by'} ${record.keyId}`,
    );
  await limits.request(`records ${by.name}`);
  return await queue.run('normal', () =>
    locked(async ({ lock }) => {
      await lock?.expectHeld();
      // what came twice at once is logged once
      const index = recordIndex(home, record.name);
      return recordEntry(index === undefined ? appendRecord(home, signer, record) : recordLogOf(home, signer).prove(index), signer);
    }),
  );
}

function answerTo({ code }: SealaneError): keyof typeof ANSWERS {
  const answers: Partial<Record<ErrorCode, keyof typeof ANSWERS>> = {
    RECORD_MALFORMED: 'malformed',
    CALLER_UNKNOWN: 'stranger',
    FILE_TOO_LARGE: 'tooLarge',
    CALLER_LIMITED: 'limited',
  };
  return answers[code] ?? ([5, 6, 8].includes(ERRORS[code].exit) ? 'busy' : 'fault');
}
