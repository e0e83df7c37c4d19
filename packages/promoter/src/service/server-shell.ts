/** The promoter as a server: the API and the auditor’s pages for callers, lane files and health for everybody, receipts in; on one plain address and one with TLS. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import path from 'node:path';
import type { CommandIo } from '@sealane/core/command-line';
import { promoteTogether } from '../decision/promote.js';
import type { NoteSigner } from '@sealane/ledger';
import { readNamed } from '../disk-shell.js';
import type { Home } from '../home.js';
import { type KeepingIo, keepHome } from '../kept-home.js';
import { withLockedHome, withPromoter } from '../promoter.js';
import { recordsSignerAt } from '../records/record-log-shell.js';
import { takeRecords } from '../records/take-record.js';
import { readPrivateKey } from '../signers/key-file.js';
import { siteObjection } from '../site-ca/objection.js';
import { apiListener } from './api-shell.js';
import { bodyBudget } from './body-budget.js';
import { decideTogether } from './decide-together.js';
import { keepFresh } from './keep-fresh.js';
import { sendLaneFile } from './lane-files-shell.js';
import { lanePath } from './lane-path.js';
import { callerLimits, siteLimits } from './limits.js';
import { closed, connectionsOf, hostPort, listen } from './listen-shell.js';
import { letGoWhoStalls } from './stalled-shell.js';
import { type Logger, serviceLog } from './log-shell.js';
import { type Metrics, serviceMetrics } from './metrics.js';
import { OPEN } from './open-routes.js';
import { openApiDocument } from './openapi.js';
import { answerCertificateRequest } from './certificates.js';
import { takeReceipts } from './receipts.js';
import type { RouteContext } from './route.js';
import { ROUTES } from './routes/index.js';
import { send } from './send.js';
import type { ServiceConfig } from './service-file.js';
import { dueRefresh, refreshWhatIsDue } from '../trust/refresh-lane.js';
import { nowText } from '../clock.js';
import { tokenCheck } from './token-shell.js';
import { type WorkQueue, workQueue } from './work-queue.js';

/** A whole request may take this long: a large blob over a poor link. In milliseconds. */
const REQUEST_TIMEOUT_MS = 3_600_000;
/** Its headers only this: who sends them a byte at a time is let go. In milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often connections are looked at for that. */
const CHECK_INTERVAL_MS = 2000;
/** Who takes no byte of an answer, sends none of a request, or does not end a TLS handshake, is let go after this. In milliseconds. */
const STALL_MS = 60_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A token of 16 KiB and the few headers around it. */
const MAX_HEADER_BYTES = 24 * 1024;
/** Addresses that are for callers only. */
const FOR_CALLERS = /^\/(?:api\/(?!v2\/)|audit(?:[/?]|$))/;
/** Memory for bodies of callers, and for those of strangers. */
const CALLER_BODY_BYTES = 256 * 1024 * 1024;
const STRANGER_BODY_BYTES = 64 * 1024 * 1024;

export interface ServeOptions {
  readonly home: Home;
  readonly io: CommandIo;
  readonly config: ServiceConfig;
  /** Relative paths in the configuration are relative to this. */
  readonly configFolder: string;
  readonly host: string;
  readonly port: number;
}

/** A running service. `stop` takes no new requests, lets the open ones end for as long as the configuration says, then cuts them off. */
export interface RunningService {
  readonly url: string;
  readonly tlsUrl: string | undefined;
  stop(): Promise<void>;
}

/** Starts serving; resolves when every address is listened on. */
export async function startService(options: ServeOptions): Promise<RunningService> {
  const { config, host, port, io } = options;
  const log = serviceLog(io.talk);
  const drain = { began: false, over: new AbortController() };
  const servers: Server[] = [];
  const kept = keepHome(options.home);
  const recordsSigner = config.records === undefined ? undefined : await recordsSignerAt(options.home, io);
  const queue = workQueue({ nowMs: () => performance.now(), giveWay: kept.giveWay });
  const inside: KeepingIo = {
    kept,
    ...io,
    cwd: options.home.folder,
    isTerminal: false,
    signal: drain.over.signal,
    out: () => undefined,
    talk: (text) => log.warn(text.trim()),
  };
  const listener = listenerOf(options, { log, servers, isDraining: () => drain.began, queue, io: inside, recordsSigner });
  const open = async (server: Server, at: { readonly host: string; readonly port: number }): Promise<string> => {
    server.maxConnections = config.limits.connections;
    letGoWhoStalls(server, STALL_MS);
    servers.push(server);
    return await listen(server, at);
  };
  const url = `http://${await open(createServer(serverOptions(), listener), { host, port })}`;
  const tls = config.tls === undefined ? undefined : hostPort(config.tls.listen);
  const tlsUrl =
    tls === undefined ? undefined : `https://${await open(createTlsServer({ ...serverOptions(), ...tlsOptions(options) }, listener), tls)}`;
  log.info({ url, tlsUrl, callers: config.callers.length }, 'serving');
  const fresh = keepFresh({
    log,
    due: () => dueRefresh(options.home, nowText()),
    queue,
    refresh: () => withLockedHome(options.home, inside, refreshWhatIsDue),
    later: (look, ms) => {
      const timer = setTimeout(look, ms);
      return () => clearTimeout(timer);
    },
  });
  return {
    url,
    tlsUrl,
    stop: async () => {
      drain.began = true;
      log.info({ seconds: config.limits.drainSeconds }, 'stopping');
      const cut = setTimeout(() => {
        drain.over.abort(new Error('the service stopped'));
        for (const server of servers) server.closeAllConnections();
      }, config.limits.drainSeconds * 1000);
      await Promise.all([...servers.map(closed), fresh.stop()]);
      clearTimeout(cut);
      await kept.close();
      log.info('stopped');
    },
  };
}

interface Around {
  readonly log: Logger;
  readonly servers: readonly Server[];
  readonly isDraining: () => boolean;
  readonly queue: WorkQueue;
  /** For commands inside the service; its signal aborts what runs when the time to drain is over. */
  readonly io: KeepingIo;
  /** Of the log of records, where there is one. */
  readonly recordsSigner: NoteSigner | undefined;
}

function listenerOf(options: ServeOptions, { log, servers, isDraining, queue, io, recordsSigner }: Around): RequestListener {
  const { home, config } = options;
  const promote = decideTogether({
    queue,
    nowMs: () => performance.now(),
    pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
    decide: (wishes, goOn) => withLockedHome(home, io, (promoter) => promoteTogether(promoter, wishes, goOn)),
  });
  const waiting = (): number => queue.waiting() + promote.waiting();
  const metrics = serviceMetrics({ waiting, connections: async () => sum(await Promise.all(servers.map(connectionsOf))) });
  const base = { ...routeBase(home, io), promote };
  const limits = callerLimits(config.limits);
  const api = apiListener({
    config,
    routes: ROUTES,
    tokens: tokenCheck(config),
    limits,
    queue,
    bodies: bodyBudget(CALLER_BODY_BYTES),
    log,
    metrics,
    nowMs: () => performance.now(),
    isDraining,
    siteObjection: (facts) =>
      withPromoter({ args: [], options: { home: home.folder, lane: home.lane }, io }, (promoter) => siteObjection(promoter, facts)),
    base,
    page: (page, question) => page.show({ args: [], options: { home: home.folder, lane: home.lane }, io }, question),
  });
  const openApi = JSON.stringify(openApiDocument(ROUTES));
  const receipts = {
    sites: siteLimits(config.limits),
    queue,
    bodies: bodyBudget(STRANGER_BODY_BYTES),
    locked: base.locked,
    log,
    breathe: oneTurn,
  };
  const records =
    recordsSigner === undefined || config.records === undefined
      ? undefined
      : takeRecords({
          ...receipts,
          gather: oneTurn,
          home,
          signers: config.records.signers,
          signer: recordsSigner,
          witnesses: config.records,
          limits,
        });
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request;
    // a poll costs a site data: nothing is sent that it does not need
    response.sendDate = false;
    if (method === 'POST' && url === OPEN.receipts.path) return void (await takeReceipts(receipts, request, response));
    if (method === 'POST' && url === OPEN.certificates.path) return void (await answerCertificateRequest(receipts, request, response));
    if (method === 'POST' && url === OPEN.records.path && records !== undefined) return void (await records(request, response));
    if (FOR_CALLERS.test(url)) return void (await api(request, response));
    if (method !== 'GET' && method !== 'HEAD') return void send(response, 405, 'method not allowed\n', { connection: 'close' });
    if (url === OPEN.health.path) return void send(response, isDraining() ? 503 : 200, isDraining() ? 'stopping\n' : 'ok\n');
    if (url === OPEN.metrics.path) return void (await sendMetrics(metrics, response));
    if (url === OPEN.openapi.path) return void send(response, 200, openApi, { 'content-type': 'application/json' });
    const file = lanePath(url);
    if (file === undefined) return void send(response, 404, '');
    await sendLaneFile(home.lane, file, request, response);
  };
  return (request, response) => {
    // a connection that goes on is idle only after this, and must not keep the service from ending
    response.once('close', () => {
      if (isDraining()) setImmediate(() => servers.forEach((server) => server.closeIdleConnections()));
    });
    respond(request, response).catch((error: unknown) => {
      log.error({ method: request.method, reason: error instanceof Error ? error.message : String(error) }, 'fault');
      if (!response.headersSent) send(response, 500, 'internal error\n', { connection: 'close' });
      else response.destroy();
    });
  };
}

function oneTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Commands in this process, in this home; no option of theirs names a key. */
function routeBase(home: Home, io: KeepingIo): Pick<RouteContext, 'command' | 'locked' | 'content'> {
  return {
    content: home.content,
    command: async (spec, args, options) => await spec.run({ args, options: { ...options, home: home.folder, lane: home.lane }, io }),
    locked: (work) => withLockedHome(home, io, work),
  };
}

async function sendMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  const { type, text } = await metrics.text();
  send(response, 200, text, { 'content-type': type });
}

function serverOptions(): object {
  return {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
}

function tlsOptions({ config: { tls }, configFolder }: ServeOptions): object {
  if (tls === undefined) return {};
  const read = (file: string): Buffer => Buffer.from(readNamed(path.resolve(configFolder, file), 'TLS file'));
  return {
    cert: read(tls.certificate),
    key: readPrivateKey(path.resolve(configFolder, tls.key)).key.export({ type: 'pkcs8', format: 'pem' }),
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // a certificate is asked for; who has none may come with a token, and one that does not verify counts as none
    ...(tls.clientCa === undefined ? {} : { ca: read(tls.clientCa), requestCert: true, rejectUnauthorized: false }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
