/** A route of the API: its address, its shapes, the right that it needs, what it does. The server and the OpenAPI document are made from these. */
import { LIMITS, parseStrictJson, PromoterError } from '@sealane/core';
import type { CommandResult, CommandSpec } from '@sealane/core/command-line';
import { z } from 'zod';
import type { Promoter } from '../promoter.js';
import type { PromoteTogether } from './decide-together.js';
import type { Right } from './rights.js';
import type { Urgency } from './work-queue.js';

/** A body of a few named values. */
const MAX_JSON_BYTES = 64 * 1024;

/** What a route needs of the service. */
export interface RouteContext {
  /** Runs a command in the home of the service, as its command line would, without a key of anybody. */
  readonly command: (spec: CommandSpec, args: readonly string[], options: CommandOptions) => Promise<CommandResult>;
  /** Promotes as the command does, together with what others ask for at the same time. */
  readonly promote: PromoteTogether;
  /** Opens the home under the publish lock, as commands that log do. */
  readonly locked: <T>(work: (promoter: Promoter) => Promise<T>) => Promise<T>;
  /** The folder of the lane's content. */
  readonly content: string;
  /** @throws PromoterError `CALLER_DENIED` the caller has no right to promote to that stage */
  readonly expectStage: (stage: string) => void;
  /** The body, at most so many bytes. @throws PromoterError `FILE_TOO_LARGE`, `SERVICE_BUSY`, `FETCH_TOO_SLOW` */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
  /** The body as it comes. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** The length that the request says. */
  readonly contentLength: number;
}

export type CommandOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Values as they stand in an address. */
export type Texts = Readonly<Record<string, string>>;

/** A route with its shapes erased. */
export interface Route {
  readonly id: Right;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** In OpenAPI's notation: `/api/v1/releases/{release}`. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: RouteBody;
  readonly answer: z.ZodType;
  /** Whose turn it is among the routes that change the lane; undefined for those that do not. */
  readonly urgency: Urgency | undefined;
  /** Parses and answers. @throws SealaneError for input that does not fit, and as the command does */
  readonly run: (input: { readonly params: Texts; readonly query: Texts }, context: RouteContext) => Promise<CommandResult>;
}

/** What a route takes beside its address. */
export type RouteBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly shape: z.ZodType }
  | { readonly kind: 'bytes'; readonly mediaType: string; readonly description: string };

interface RouteSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  readonly id: Right;
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly json?: B;
  readonly bytes?: { readonly mediaType: string; readonly description: string };
  readonly answer: z.ZodType;
  readonly urgency?: Urgency;
  readonly run: (
    input: { readonly params: z.output<P>; readonly query: z.output<Q>; readonly json: z.output<B> },
    context: RouteContext,
  ) => Promise<CommandResult>;
}

/** A route out of its typed description. */
export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(spec: RouteSpec<P, Q, B>): Route {
  const { id, method, path, summary, answer, urgency } = spec;
  const params: z.ZodType = spec.params ?? z.strictObject({});
  const query: z.ZodType = spec.query ?? z.strictObject({});
  const json: z.ZodType = spec.json ?? z.undefined();
  return {
    id,
    method,
    path,
    summary,
    params: spec.params ?? z.strictObject({}),
    query: spec.query ?? z.strictObject({}),
    body:
      spec.bytes !== undefined
        ? { kind: 'bytes', ...spec.bytes }
        : spec.json !== undefined
          ? { kind: 'json', shape: spec.json }
          : { kind: 'none' },
    answer,
    urgency,
    run: async (input, context) => {
      const given = spec.json === undefined ? undefined : parseJson(await context.body(MAX_JSON_BYTES));
      return await spec.run(
        {
          params: fit(params as P, input.params, 'the address'),
          query: fit(query as Q, input.query, 'the query'),
          json: fit(json as B, given, 'the body'),
        },
        context,
      );
    },
  };
}

function parseJson(bytes: Uint8Array): unknown {
  return parseStrictJson(bytes, { maxBytes: MAX_JSON_BYTES, maxDepth: LIMITS.jsonDepth });
}

function fit<T extends z.ZodType>(shape: T, value: unknown, where: string): z.output<T> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  throw new PromoterError('USAGE', `read ${where}${at === '' ? '' : ` at ${at}`}: ${issue?.message ?? 'expected another shape'}`);
}
