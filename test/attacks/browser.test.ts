/** Attacks through the browser of somebody whose certificate may do much: by what others put into the lane, and by the page of another web site. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PREDICATE } from '@sealane/core';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import type { Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { authorityOf, issueTo } from '../support/tls.js';

const browserPath = requireProgram('chromium');
const openssl = requireProgram('openssl');
const OPERATOR = 'operator.example';
/** A page that tells its address, by the anchor, what the service says to its reader. */
const THIEF = `<!doctype html><title>report</title><script>
  fetch('/api/v1/releases').then((answer) => answer.text()).then((text) => { location.hash = encodeURIComponent(text.slice(0, 40)); });
</script>`;

describe.skipIf(browserPath === undefined || openssl === undefined)('an operator’s browser (skipped without chromium and openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let service: Server & { readonly first: { readonly tlsUrl?: string } };
  let browser: Browser;
  let context: BrowserContext;
  let release: string;
  /** Another web site. */
  let other: HttpServer;

  const origin = (): string => service.first.tlsUrl ?? '';

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-browser-'));
    lane = await makeLane(dir);
    release = await lane.release('1.0.0');
    const tls = path.join(dir, 'tls');
    mkdirSync(tls);
    for (const name of ['servers', 'callers']) authorityOf(tls, name);
    issueTo(tls, 'servers', 'service', '127.0.0.1');
    issueTo(tls, 'callers', OPERATOR, '127.0.0.1');
    const file = (name: string): string => path.join(tls, name);
    const callers = [{ name: 'operator', certificate: { san: `DNS:${OPERATOR}` }, rights: ['release.list', 'release.show', 'revoke'] }];
    const listen = { listen: '127.0.0.1:0', certificate: file('service.pem'), key: file('service.key'), clientCa: file('callers.pem') };
    service = await startService(lane, stringify({ apiVersion: 'sealane/v1', kind: 'Service', tls: listen, callers }));
    other = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<title>another site</title>'));
    await new Promise<void>((resolve) => void other.listen(0, 'localhost', resolve));
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] });
    const certificate = { origin: origin(), certPath: file(`${OPERATOR}.pem`), keyPath: file(`${OPERATOR}.key`) };
    context = await browser.newContext({ ignoreHTTPSErrors: true, clientCertificates: [certificate] });
  });

  afterAll(async () => {
    await browser.close();
    other.close();
    await service.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('takes nothing that lies in the lane for a page: it would speak to the API for its reader', async () => {
    const page = await context.newPage();
    // the reader may: what follows is not stopped by something else
    const answer = await page.goto(`${origin()}/api/v1/releases`);
    expect([answer?.status(), answer?.headers()['x-content-type-options']]).toEqual([200, 'nosniff']);
    const file = `content/blobs/sha256/${createHash('sha256').update(THIEF).digest('hex')}`;
    writeFileSync(path.join(lane.lane, file), THIEF);
    const loaded = page.waitForEvent('download');
    await page.goto(`${origin()}/${file}`).catch(() => undefined);
    expect((await loaded).url()).toBe(`${origin()}/${file}`);
    expect(page.url()).not.toContain('#');
    await page.close();
  });

  test('lets the page of another web site change nothing', async () => {
    const page = await context.newPage();
    const { port } = other.address() as AddressInfo;
    await page.goto(`http://localhost:${port}/`);
    const sent = await page.evaluate(async (where) => {
      const body = JSON.stringify({ reason: 'because another web site says so' });
      // as any page may: the answer stays closed to it, and the certificate goes with it
      const answer = await fetch(where, { method: 'POST', mode: 'no-cors', credentials: 'include', body });
      return answer.type;
    }, `${origin()}/api/v1/releases/${release}/revocation`);
    expect(sent).toBe('opaque');
    const { statements } = await lane.sealane(['release', 'show', release]);
    expect(statements.map((each: { readonly predicateType: string }) => each.predicateType)).not.toContain(PREDICATE.revocation);
    await page.close();
  });
});
