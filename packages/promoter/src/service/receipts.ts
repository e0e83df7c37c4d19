/** Receipts that sites post. Each is signed by a site that the lane knows, so whoever brings them need not be known. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { envelopePayload, ERRORS, type JsonValue, PREDICATE, PromoterError, SealaneError } from '@sealane/core';
import { readReceipt } from '@sealane/trust';
import type { LoggedStatement } from '../log/log-statements.js';
import { addBrought, type Brought, readItem, readItems } from '../log/statement-add.js';
import type { BodyBudget } from './body-budget.js';
import { readBody } from './body-shell.js';
import type { SiteLimits } from './limits.js';
import type { Logger } from './log-shell.js';
import type { RouteContext } from './route.js';
import { send } from './send.js';
import type { WorkQueue } from './work-queue.js';

/** A batch of receipts with their inventories. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** One of them, in base64: an enrolment has such an inventory too, and takes at most 1 MiB. */
const MAX_RECEIPT_CHARACTERS = 2 * 1024 * 1024;

export interface ReceiptParts {
  readonly sites: SiteLimits;
  readonly queue: WorkQueue;
  /** Memory for what strangers send. */
  readonly bodies: BodyBudget;
  readonly locked: RouteContext['locked'];
  readonly log: Logger;
  /** Lets others have their turn. */
  readonly breathe: () => Promise<void>;
}

/** Receipts are logged when nothing else waits; a receipt that is there already is a success, so a site may send it again. */
export async function takeReceipts(parts: ReceiptParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // a body that was cut off takes the socket with it
  const from = request.socket.remoteAddress;
  try {
    const body = await readBody(request, response, MAX_BODY_BYTES, parts.bodies);
    // what is no receipt is turned away before it takes anybody's turn
    const brought = await readReceipts(body, parts.breathe);
    const logged = await logReceipts(parts, brought);
    send(response, 201, JSON.stringify({ statements: logged }));
  } catch (error) {
    if (!(error instanceof SealaneError) || ERRORS[error.code].exit === 1) throw error;
    parts.log.warn({ from, code: error.code, reason: error.message }, 'refused a receipt');
    const { retryAfterSeconds } = error.data;
    const later = typeof retryAfterSeconds === 'number' ? { 'retry-after': String(retryAfterSeconds) } : {};
    send(response, statusOf(error), 'refused\n', { connection: 'close', ...later });
  }
}

/** Who has stolen the key of a site can have receipts logged by it, which stay for good: only so many in an hour, whatever comes for other sites. */
async function logReceipts({ sites, queue, locked }: ReceiptParts, brought: readonly Brought[]): Promise<readonly LoggedStatement[]> {
  const names = new Set(brought.map(siteOf));
  const expectRoom = async (): Promise<void> => {
    for (const site of names) await sites.expectRoom(site);
  };
  // what has no room now takes nobody's turn; what was let in beside it may have used it up
  await expectRoom();
  return await queue.run('low', async () => {
    await expectRoom();
    return await locked(async (promoter) => {
      const before = await promoter.ledger.size();
      const logged = await addBrought(promoter, brought, SOURCE);
      for (const [at, each] of brought.entries())
        if ((logged[at]?.logIndex ?? 0) >= before) await sites.logged(siteOf(each), envelopePayload(each.bundle.envelope).length);
      return logged;
    });
  });
}

function siteOf({ statement }: Brought): string {
  return readReceipt(statement).site;
}

const SOURCE = 'posted receipts';

/** Reads one after another, and lets others have their turn between them: nobody knows yet who sent them. */
async function readReceipts(body: Uint8Array, breathe: () => Promise<void>): Promise<readonly Brought[]> {
  const brought: Brought[] = [];
  for (const item of readItems(body, SOURCE)) {
    if (payloadLength(item) > MAX_RECEIPT_CHARACTERS)
      throw new PromoterError(
        'FILE_TOO_LARGE',
        `read ${SOURCE}: expected each of at most ${MAX_RECEIPT_CHARACTERS} characters, got a larger one`,
      );
    brought.push(readItem(item, SOURCE, receiptsOnly));
    await breathe();
  }
  if (brought.length === 0) throw new PromoterError('USAGE', `read ${SOURCE}: expected at least one, got none`);
  return brought;
}

function payloadLength(bundle: JsonValue): number {
  const payload = memberOf(memberOf(bundle, 'dsseEnvelope'), 'payload');
  return typeof payload === 'string' ? payload.length : 0;
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function receiptsOnly(predicateType: string): string | undefined {
  return predicateType === PREDICATE.receipt ? undefined : 'a receipt';
}

/** The site keeps what it could not bring now, and brings it again. */
function statusOf({ code }: SealaneError): number {
  if (code === 'FILE_TOO_LARGE') return 413;
  if (code === 'CALLER_LIMITED') return 429;
  // pending, away, or a ledger that a person has to see to: none of it says anything against the receipt
  return [5, 6, 8].includes(ERRORS[code].exit) ? 503 : 400;
}
