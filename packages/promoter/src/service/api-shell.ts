/** The API and the auditor’s pages: who calls, may he, then the route. A stranger gets one constant answer whatever he asks; the log has the reasons. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { fromUtf8, PromoterError, SealaneError, utf8 } from '@sealane/core';
import { type AuditPage, auditPages, PAGE_POLICY, type PageQuestion, problemPage, type QuestionName } from '@sealane/auditor';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type FailureAnswer, failureAnswer, strangerAnswer } from './api-errors.js';
import type { BodyBudget } from './body-budget.js';
import { readBody, streamBody } from './body-shell.js';
import { callerByCertificate, type CertificateFacts, type Found, mayCall } from './callers.js';
import { nowText } from '../clock.js';
import { certificateFacts } from './certificate-shell.js';
import { isFromAnotherSite } from './cross-site.js';
import { GATE_QUESTIONS } from './gate-questions.js';
import type { CallerLimits } from './limits.js';
import type { Logger } from './log-shell.js';
import type { Metrics } from './metrics.js';
import type { Right } from './rights.js';
import type { Route, RouteContext } from './route.js';
import type { CallerRule, ServiceConfig } from './service-file.js';
import type { TokenCheck } from './token-shell.js';
import type { WorkQueue } from './work-queue.js';

/** What the API is made of. */
export interface ApiParts {
  readonly config: ServiceConfig;
  readonly routes: readonly Route[];
  readonly tokens: TokenCheck;
  readonly limits: CallerLimits;
  readonly queue: WorkQueue;
  readonly bodies: BodyBudget;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly isDraining: () => boolean;
  /** Why the certificate of a site of this lane counts no more; undefined for any other. */
  readonly siteObjection: (facts: CertificateFacts) => Promise<string | undefined>;
  /** What routes need beside the request. */
  readonly base: Pick<RouteContext, 'command' | 'locked' | 'content' | 'promote'>;
  /** A page for people, of the home of the service. */
  readonly page: (page: AuditPage, question: PageQuestion) => Promise<string>;
}

interface Env {
  readonly Bindings: HttpBindings;
  readonly Variables: { caller: CallerRule | undefined; route: string };
}

/** How long a caller that found the service full should wait, in seconds. */
const RETRY_SECONDS = '2';

/** Handles requests below `/api/` and `/audit/`. */
export function apiListener(parts: ApiParts): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return getRequestListener(apiApp(parts).fetch, { overrideGlobalObjects: false, autoCleanupIncoming: false });
}

/** The application, before it is put on a server. */
function apiApp(parts: ApiParts): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const began = parts.nowMs();
    c.set('route', 'none');
    await next();
    c.header('x-content-type-options', 'nosniff');
    const route = c.get('route');
    const ms = Math.round(parts.nowMs() - began);
    parts.metrics.answered(route, c.res.status, ms / 1000);
    parts.log.info({ caller: c.var.caller?.name, method: c.req.method, route, status: c.res.status, ms }, 'answered');
  });
  app.use(async (c, next) => await identify(parts, c, next));
  for (const route of parts.routes) {
    app.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), async (c) => {
      c.set('route', route.id);
      return await answer(parts, route, c);
    });
  }
  for (const page of auditPages(GATE_QUESTIONS)) {
    app.get(page.path, async (c) => await show(parts, page, c));
    if (page.takes !== undefined) app.post(page.path, async (c) => await show(parts, page, c));
  }
  app.get('/audit', (c) => c.redirect('/audit/', 308));
  app.notFound((c) =>
    fail(c, failureAnswer(new PromoterError('USAGE', `call ${c.req.method} ${c.req.path.slice(0, 200)}: there is no such route`))),
  );
  app.onError((error, c) => {
    if (error instanceof SealaneError) parts.log.warn({ route: c.get('route'), code: error.code, reason: error.message }, 'refused');
    else parts.log.error({ route: c.get('route'), reason: error.message, stack: error.stack }, 'fault');
    return fail(c, failureAnswer(error), retryAfter(error));
  });
  return app;
}

/** Nothing about the request but who sends it is looked at before this has passed. */
async function identify(parts: ApiParts, c: Context<Env>, next: () => Promise<void>): Promise<Response | undefined> {
  if (parts.isDraining()) {
    parts.metrics.refused('draining');
    return fail(c, failureAnswer(new PromoterError('SERVICE_BUSY', 'answer the request: the service is about to stop')), RETRY_SECONDS);
  }
  const found = await findCaller(parts, c);
  if ('reason' in found) {
    parts.metrics.refused('stranger');
    parts.log.warn({ from: c.env.incoming.socket.remoteAddress, reason: found.reason }, 'stranger');
    c.header('www-authenticate', 'Bearer');
    return fail(c, strangerAnswer());
  }
  c.set('caller', found.caller);
  await parts.limits.request(found.caller.name).catch((error: unknown) => {
    parts.metrics.refused('limit');
    throw error;
  });
  await next();
  return undefined;
}

/** A token, where one is given, speaks for the caller; else the certificate of the connection. */
async function findCaller({ tokens, config, siteObjection }: ApiParts, c: Context<Env>): Promise<Found> {
  const { method, headers } = c.env.incoming;
  // a proxy that signs people in hands their token on with what any page has their browser send
  if (isFromAnotherSite(method, headers)) return { reason: 'a page of another web site: nobody speaks through one' };
  const { authorization } = headers;
  const [, token] = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization ?? '') ?? [];
  if (token !== undefined) return await tokens(token);
  if (authorization !== undefined) return { reason: 'authorization: expected a bearer token, got something else' };
  const facts = certificateFacts(c.env.incoming.socket, nowText());
  if (facts === undefined) return { reason: 'expected a token or a certificate of the authority of callers, got neither' };
  const reason = await siteObjection(facts);
  return reason === undefined ? callerByCertificate(config, facts) : { reason };
}

async function answer(parts: ApiParts, route: Route, c: Context<Env>): Promise<Response> {
  const caller = c.get('caller');
  if (caller === undefined) throw new PromoterError('INTERNAL', `call ${route.id}: expected a caller, got none`);
  const deny = (what: string): PromoterError => {
    parts.metrics.refused('right');
    return new PromoterError('CALLER_DENIED', `call ${route.id} as ${caller.name}: expected the right to ${what}`);
  };
  // for a route with a stage in it: whether any is allowed; which one, when the body has been read
  if (!mayCall(caller, route.id, caller.stages[0])) throw deny(route.id);
  const contentLength = lengthOf(c);
  await parts.limits.upload(caller.name, contentLength);
  const { base, queue } = parts;
  const { urgency } = route;
  const context: RouteContext = {
    content: base.content,
    promote: (wish) => base.promote(wish, caller.name),
    contentLength,
    command: (...words) => (urgency === undefined ? base.command(...words) : queue.run(urgency, () => base.command(...words), caller.name)),
    locked: (work) => queue.run(urgency ?? 'normal', () => base.locked(work), caller.name),
    stream: streamBody(c.env.incoming),
    body: (maxBytes) => readBody(c.env.incoming, c.env.outgoing, maxBytes, parts.bodies),
    expectStage: (stage) => {
      if (!mayCall(caller, route.id, stage)) throw deny(`${route.id} to ${stage}`);
    },
  };
  const { exit, json } = await route.run({ params: c.req.param(), query: c.req.query() }, context);
  c.header('sealane-exit', String(exit));
  return c.json(json);
}

/** A page needs the right of the question that it answers; what it finds beside that, those of theirs. */
async function show(parts: ApiParts, page: AuditPage, c: Context<Env>): Promise<Response> {
  c.set('route', `page.${page.question}`);
  const caller = c.get('caller');
  if (caller === undefined) throw new PromoterError('INTERNAL', `read ${page.path}: expected a caller, got none`);
  const may = (question: QuestionName): boolean => mayCall(caller, rightOf(question), undefined);
  if (!may(page.question)) {
    parts.metrics.refused('right');
    throw new PromoterError('CALLER_DENIED', `read ${page.path} as ${caller.name}: expected the right to ${rightOf(page.question)}`);
  }
  const form = await formOf(parts, page, caller.name, c);
  const { asOf = '', asKnown = '', ...query } = form?.fields ?? c.req.query();
  const times = { asOf: asOf === '' ? undefined : asOf, asKnown: asKnown === '' ? undefined : asKnown };
  const question = { subject: c.req.param('subject') ?? '', query, ...times, may };
  return pageOf(c, 200, await parts.page(page, form === undefined ? question : { ...question, brought: form.brought }), page.policy);
}

/** What was posted to a page that takes a document: its other fields, and the document. Undefined where nothing was. */
async function formOf(
  { limits, bodies }: ApiParts,
  { takes, path }: AuditPage,
  caller: string,
  c: Context<Env>,
): Promise<{ readonly fields: Readonly<Record<string, string>>; readonly brought: Uint8Array } | undefined> {
  if (takes === undefined || c.req.method !== 'POST') return undefined;
  const type = c.env.incoming.headers['content-type'] ?? 'none';
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new PromoterError('USAGE', `read the form of ${path}: expected application/x-www-form-urlencoded, got ${type.slice(0, 80)}`);
  await limits.upload(caller, lengthOf(c));
  const form = new URLSearchParams(fromUtf8(await readBody(c.env.incoming, c.env.outgoing, takes.maxFormBytes, bodies)));
  const { [takes.name]: document = '', ...fields } = Object.fromEntries(form);
  return { fields, brought: utf8(document) };
}

/** The right to the route that answers the question of a page. */
function rightOf(question: QuestionName): Right {
  return question === 'prove' ? 'log.prove' : `audit.${question}`;
}

/** Nobody keeps a copy, puts it into a frame, or runs anything in it that the page does not say. */
function pageOf(c: Context<Env>, status: number, text: string, policy = PAGE_POLICY): Response {
  c.header('content-security-policy', policy);
  c.header('referrer-policy', 'no-referrer');
  c.header('cross-origin-resource-policy', 'same-origin');
  c.header('cache-control', 'no-store');
  return c.html(text, status as ContentfulStatusCode);
}

/** What a caller is about to send counts before it comes. */
function lengthOf(c: Context<Env>): number {
  const { 'content-length': text, 'transfer-encoding': coding } = c.env.incoming.headers;
  if (text === undefined && (coding !== undefined || c.req.method !== 'GET'))
    throw new PromoterError('USAGE', `call ${c.req.method} ${c.req.path.slice(0, 200)}: expected content-length, got none`);
  return Number(text ?? 0);
}

function retryAfter(error: unknown): string | undefined {
  if (!(error instanceof SealaneError)) return undefined;
  const { retryAfterSeconds } = error.data;
  if (typeof retryAfterSeconds === 'number') return String(retryAfterSeconds);
  return failureAnswer(error).status === 503 ? RETRY_SECONDS : undefined;
}

function fail(c: Context<Env>, { status, exit, body }: FailureAnswer, retryAfterSeconds?: string): Response {
  c.header('sealane-exit', String(exit));
  if (retryAfterSeconds !== undefined) c.header('retry-after', retryAfterSeconds);
  // what is left of a body is not read: the connection goes with it
  if (c.req.method !== 'GET') c.header('connection', 'close');
  const { code, message, hint } = body.error;
  if (c.req.path.startsWith('/audit')) return pageOf(c, status, problemPage(code, message, hint));
  return c.json(body, status as ContentfulStatusCode);
}
