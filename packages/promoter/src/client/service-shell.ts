/** Calls to the promoter service: one token for the run, bounded in size and time, no redirects. Its answers are those of the commands. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { collectBounded, type Digest, digestHex, type ErrorCode, ERRORS, parseStrictJson, PromoterError } from '@sealane/core';
import type { CommandIo } from '@sealane/core/command-line';
import { outbound } from '@sealane/oci/outbound';
import { request } from 'undici';
import type { z } from 'zod';
import { failureShape } from '../service/answers.js';
import { idToken } from './id-token-shell.js';
import { keepsSecrets } from './service-address.js';

/** A promotion waits for its turn and for witnesses. In milliseconds. */
const ANSWER_TIMEOUT_MS = 180_000;
/** A large blob over a poor link. In milliseconds. */
const UPLOAD_TIMEOUT_MS = 3_600_000;
/** A plan over a large fleet, a release with many statements. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 64;

/** What a command of the service answered. */
export interface ServiceAnswer<T> {
  readonly exit: ExitOf;
  readonly json: T;
}
type ExitOf = (typeof ERRORS)[ErrorCode]['exit'] | 0;

/** What is sent: JSON, or bytes that are JSON already. */
export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, encoded. */
  readonly path: string;
  readonly json?: object;
  readonly bytes?: Uint8Array;
}

export interface Service {
  readonly address: string;
  /** @throws PromoterError what the service says went wrong; `SERVICE_UNREACHABLE` */
  call<T extends z.ZodType>(request: ServiceRequest, shape: T): Promise<ServiceAnswer<z.output<T>>>;
  /** Uploads a file as the blob of its digest, unless it is there. @throws as `call` */
  putBlob(digest: Digest, file: string): Promise<void>;
}

/** Opens the service at `address` with the token of this job. @throws PromoterError `USAGE` a token would be readable on the way; as `idToken` */
export async function openService(address: string, io: CommandIo): Promise<Service> {
  if (!keepsSecrets(address)) throw new PromoterError('USAGE', `call ${address}: expected https, since a token goes with the request`);
  const authorization = `Bearer ${await idToken(io, address)}`;
  const send = async (path: string, options: SendOptions, timeoutMs: number): Promise<Answered> => {
    try {
      const { headers, ...rest } = options;
      const answer = await request(`${address}${path}`, {
        ...rest,
        dispatcher: outbound(),
        headers: { ...headers, authorization },
        headersTimeout: timeoutMs,
        signal: AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]),
      });
      return {
        status: answer.statusCode,
        exit: Number(answer.headers['sealane-exit'] ?? NaN),
        bytes: await collectBounded(answer.body, MAX_ANSWER_BYTES, tooMuch),
      };
    } catch (cause) {
      if (cause instanceof PromoterError) throw cause;
      throw unreachable(address, cause instanceof Error ? cause.message || cause.name : String(cause), cause);
    }
  };
  return {
    address,
    call: async ({ method, path, json, bytes }, shape) => {
      const body = bytes ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)));
      const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const answered = await send(path, { method, headers, ...(body === undefined ? {} : { body }) }, ANSWER_TIMEOUT_MS);
      return read(address, answered, shape);
    },
    putBlob: async (digest, file) => {
      const { statusCode, body } = await request(`${address}/content/blobs/sha256/${digestHex(digest)}`, {
        method: 'HEAD',
        dispatcher: outbound(),
        signal: io.signal,
      }).catch((cause: unknown) => {
        throw unreachable(address, cause instanceof Error ? cause.message : String(cause), cause);
      });
      await body.dump();
      // a blob that is there was verified when it came
      if (statusCode === 200) return;
      const { size } = await stat(file);
      const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
      const sent = await send(`/api/v1/blobs/${digest}`, { method: 'PUT', headers, body: createReadStream(file) }, UPLOAD_TIMEOUT_MS);
      if (sent.status !== 200) throw failureOf(address, sent);
    },
  };
}

interface SendOptions {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
}

interface Answered {
  readonly status: number;
  readonly exit: number;
  readonly bytes: Uint8Array;
}

function read<T extends z.ZodType>(address: string, answered: Answered, shape: T): ServiceAnswer<z.output<T>> {
  if (answered.status !== 200) throw failureOf(address, answered);
  const parsed = shape.safeParse(parse(address, answered.bytes));
  const { exit } = answered;
  if (!parsed.success || !isExit(exit)) throw unreachable(address, 'expected an answer of a promoter service, got something else');
  return { exit, json: parsed.data };
}

/** What the service says went wrong, with its code: the exit code is that of the command here. */
function failureOf(address: string, { status, bytes }: Answered): PromoterError {
  const parsed = failureShape.safeParse(parse(address, bytes));
  if (!parsed.success) return unreachable(address, `expected an answer of a promoter service, got status ${status}`);
  const { code, message, hint } = parsed.data.error;
  return new PromoterError(isCode(code) ? code : 'INTERNAL', message, {}, { hint });
}

function parse(address: string, bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes: MAX_ANSWER_BYTES, maxDepth: MAX_DEPTH });
  } catch (cause) {
    throw unreachable(address, `expected JSON, got ${JSON.stringify(excerpt(bytes))}`, cause);
  }
}

function excerpt(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 80));
}

function tooMuch(): PromoterError {
  return new PromoterError('SERVICE_UNREACHABLE', `read an answer: expected at most ${MAX_ANSWER_BYTES} bytes`);
}

function unreachable(address: string, why: string, cause?: unknown): PromoterError {
  return new PromoterError('SERVICE_UNREACHABLE', `call ${address}: ${why}`, { address }, { cause });
}

function isExit(exit: number): exit is ExitOf {
  return Number.isInteger(exit) && exit >= 0 && exit <= 8;
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
