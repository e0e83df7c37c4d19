/** Receipts that sites post. Each is signed by a site that the lane knows, so whoever brings them need not be known. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS, PREDICATE, SealaneError } from '@sealane/core';
import { addStatements, readStatements } from '../log/statement-add.js';
import type { BodyBudget } from './body-budget.js';
import { readBody } from './body-shell.js';
import type { Logger } from './log-shell.js';
import type { RouteContext } from './route.js';
import { send } from './send.js';
import type { WorkQueue } from './work-queue.js';

/** A batch of receipts with their inventories. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface ReceiptParts {
  readonly queue: WorkQueue;
  /** Memory for what strangers send. */
  readonly bodies: BodyBudget;
  readonly locked: RouteContext['locked'];
  readonly log: Logger;
}

/** Receipts are logged when nothing else waits; a receipt that is there already is a success, so a site may send it again. */
export async function takeReceipts(parts: ReceiptParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // a body that was cut off takes the socket with it
  const from = request.socket.remoteAddress;
  try {
    const body = await readBody(request, response, MAX_BODY_BYTES, parts.bodies);
    // what is no receipt is turned away before it takes anybody's turn
    readStatements(body, SOURCE, receiptsOnly);
    const logged = await parts.queue.run('low', () => parts.locked((promoter) => addStatements(promoter, body, SOURCE, receiptsOnly)));
    send(response, 201, JSON.stringify({ statements: logged }));
  } catch (error) {
    if (!(error instanceof SealaneError) || ERRORS[error.code].exit === 1) throw error;
    parts.log.warn({ from, code: error.code, reason: error.message }, 'refused a receipt');
    send(response, statusOf(error), 'refused\n', { connection: 'close' });
  }
}

const SOURCE = 'posted receipts';

function receiptsOnly(predicateType: string): string | undefined {
  return predicateType === PREDICATE.receipt ? undefined : 'a receipt';
}

/** The site keeps what it could not bring now, and brings it again. */
function statusOf({ code }: SealaneError): number {
  if (code === 'FILE_TOO_LARGE') return 413;
  // pending, away, or a ledger that a person has to see to: none of it says anything against the receipt
  return [5, 6, 8].includes(ERRORS[code].exit) ? 503 : 400;
}
