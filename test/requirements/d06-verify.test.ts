/** Row D6: a statement is verified in the reader’s own browser, by keys that the reader brings, and a server that lies is found. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { testLog, testWitness } from '../../packages/trust/src/testing/test-log.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { ROOT, type Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { authorityOf, issueTo } from '../support/tls.js';

const browserPath = requireProgram('chromium');
const openssl = requireProgram('openssl');
const AUDITOR = 'auditor.example';
const AT = '2026-11-28T10:00:00Z';
/** JSON that is changed on its way. */
type Json = ReturnType<typeof JSON.parse>;

describe.skipIf(browserPath === undefined || openssl === undefined)(
  'D6 verifying in the browser (skipped without chromium and openssl)',
  () => {
    let dir: string;
    let lane: TestLane;
    let service: Server & { readonly first: { readonly tlsUrl?: string } };
    let browser: Browser;
    let context: BrowserContext;
    let decision: { readonly digest: string; readonly logIndex: number; readonly bundle: Json };
    let policy: string;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-verify-'));
      lane = await makeLane(dir);
      const release = await lane.release('1.0.0');
      await lane.promote(release, 'dev');
      const { statement } = (await lane.sealane(['audit', 'decisions', release])).answer.decisions[0];
      decision = await lane.sealane(['log', 'prove', statement]);
      const targets = path.join(lane.lane, 'trust', 'targets', 'policy');
      policy = path.join(targets, readdirSync(targets).find((file) => file.endsWith('.dev.json')) ?? '');
      const tls = path.join(dir, 'tls');
      mkdirSync(tls);
      for (const name of ['servers', 'callers']) authorityOf(tls, name);
      issueTo(tls, 'servers', 'service', '127.0.0.1');
      issueTo(tls, 'callers', AUDITOR, '127.0.0.1');
      service = await startService(lane, serviceFile(tls));
      browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] });
      context = await contextOf(tls);
    });

    afterAll(async () => {
      await browser.close();
      await service.stop();
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    function serviceFile(tls: string): string {
      const at = (file: string): string => path.join(tls, file);
      const rights = ['audit.trace', 'audit.decisions', 'log.prove'];
      return stringify({
        apiVersion: 'sealane/v1',
        kind: 'Service',
        tls: { listen: '127.0.0.1:0', certificate: at('service.pem'), key: at('service.key'), clientCa: at('callers.pem') },
        callers: [{ name: AUDITOR, certificate: { san: `DNS:${AUDITOR}` }, rights }],
      });
    }

    const origin = (): string => service.first.tlsUrl ?? '';

    async function contextOf(tls: string, options: BrowserContextOptions = {}): Promise<BrowserContext> {
      const certificate = {
        origin: origin(),
        certPath: path.join(tls, `${AUDITOR}.pem`),
        keyPath: path.join(tls, `${AUDITOR}.key`),
      };
      return await browser.newContext({ ignoreHTTPSErrors: true, clientCertificates: [certificate], ...options });
    }

    async function withPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
      const page = await context.newPage();
      try {
        return await work(page);
      } finally {
        await page.close();
      }
    }

    const address = (): string => `${origin()}/audit/verify?entry=${decision.logIndex}&statement=${encodeURIComponent(decision.digest)}`;

    /** The verdict, and what fails. */
    async function verdict(page: Page): Promise<readonly string[]> {
      await page.getByRole('button', { name: 'Verify' }).click();
      await page.locator('#result h2').waitFor();
      const failed = page.locator('#result li').filter({ hasText: 'fails' }).locator('strong');
      return [await page.locator('#result h2').innerText(), ...(await failed.allInnerTexts())];
    }

    /** Verifies what a server answers that changes what it was asked for. */
    async function afterServer(change: (bundle: Json) => unknown, pins: readonly string[] = [policy]): Promise<readonly string[]> {
      return await withPage(async (page) => {
        await page.route('**/api/v1/log/*', async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, json: { bundle: change((await response.json()).bundle) } });
        });
        await page.goto(address());
        await page.locator('#keys-file').setInputFiles([...pins]);
        return await verdict(page);
      });
    }

    test('D6 from a decision a reader comes to its statement, and verifies it with a policy that he has', async () => {
      await withPage(async (page) => {
        await page.goto(`${origin()}/audit/decision/${encodeURIComponent(decision.digest)}`);
        await page.getByRole('link', { name: decision.digest }).first().click();
        expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Statement: verification summary');
        expect(await page.locator('pre').first().innerText()).toContain('"verificationResult": "PASSED"');
        await keep(page, 'statement');
        await page.getByRole('link', { name: 'Verify in this browser' }).click();
        await keep(page, 'verify');
        await page.locator('#keys-file').setInputFiles(policy);
        await page.getByLabel('Remember the keys').check();
        expect(await verdict(page)).toEqual(['Verified']);
        expect(await page.locator('#result li').count()).toBe(7);
        expect(await page.locator('#result').innerText()).toContain('stage dev');
        await keep(page, 'verified');
        await page.reload();
        expect(await page.locator('#keys').inputValue()).toBe(readFileSync(policy, 'utf8'));
        await page.getByLabel('Remember the keys').uncheck();
        expect(await verdict(page)).toEqual(['Verified']);
        await page.reload();
        expect(await page.locator('#keys').inputValue()).toBe('');
      });
    });

    test('D6 a server that changes statement, key, proof or checkpoint is found, and what it changed is said', async () => {
      const SIGNATURE = 'Its signature is by the key in its log entry';
      const ENTRY = 'Its log entry is of these bytes and this signature';
      const INCLUSION = 'The entry is in the tree of the checkpoint';
      const LOG = 'The log that you trust signed the checkpoint';
      const WITNESSES = 'Witnesses that you trust have seen the checkpoint';
      const reencoded = (text: string, change: (text: string) => string): string =>
        Buffer.from(change(Buffer.from(text, 'base64').toString())).toString('base64');
      const first = (failing: number, ...names: readonly string[]): readonly string[] => [
        `Not verified: ${failing} of 7 checks fail`,
        ...names,
      ];
      const entryOf = (bundle: Json): Json => bundle.verificationMaterial.tlogEntries[0];
      expect(await afterServer((bundle) => bundle)).toEqual(['Verified']);
      const statement = await afterServer((bundle) => {
        const { dsseEnvelope: envelope } = bundle;
        envelope.payload = reencoded(envelope.payload, (text) => text.replace('"PASSED"', '"FAILED"'));
        return bundle;
      });
      expect(statement).toEqual(first(3, 'It is the statement that was asked for', SIGNATURE, ENTRY));
      const key = await afterServer((bundle) => {
        const entry = entryOf(bundle);
        const other = createHash('sha256').update('another').digest();
        entry.canonicalizedBody = reencoded(entry.canonicalizedBody, (text) =>
          text.replace(/"rawBytes":"[^"]+"/, (found) => `${found.slice(0, 60)}${other.toString('base64').slice(0, 20)}${found.slice(80)}`),
        );
        return bundle;
      });
      expect(key).toEqual(first(2, SIGNATURE, INCLUSION));
      const proof = await afterServer((bundle) => {
        entryOf(bundle).inclusionProof.hashes.reverse();
        return bundle;
      });
      expect(proof).toEqual(first(1, INCLUSION));
      const checkpoint = await afterServer((bundle) => {
        const { checkpoint: at } = entryOf(bundle).inclusionProof;
        at.envelope = at.envelope.replace(/\n(\d+)\n/, (_: string, size: string) => `\n${Number(size) + 1}\n`);
        return bundle;
      });
      expect(checkpoint.slice(-2)).toEqual([LOG, WITNESSES]);
      // a log of the same name by another key, with witnesses of its own: everything fits but what the reader brought
      const forged = testLog(lane.origin, [testWitness('witness.example')]);
      const another = await afterServer((bundle) => {
        const spki = new Uint8Array(
          Buffer.from(
            JSON.parse(Buffer.from(entryOf(bundle).canonicalizedBody, 'base64').toString()).spec.hashedRekordV002.signature.verifier
              .publicKey.rawBytes,
            'base64',
          ),
        );
        const index = forged.append(bundle.dsseEnvelope, spki);
        return forged.bundle({ envelope: bundle.dsseEnvelope, spki, index }, forged.checkpoint(AT));
      });
      expect(another).toEqual(first(2, LOG, WITNESSES));
    });

    test('D6 saved to a disk the page does the same without the service, for a statement in a file', async () => {
      const saved = path.join(dir, 'sealane-verify.html');
      await withPage(async (page) => {
        await page.goto(address());
        const answer = await page.request.get(`${origin()}/audit/verify`);
        expect(answer.headers()['content-security-policy']).toMatch(/script-src 'sha256-[^']+'; .*frame-ancestors 'none'/);
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'save the page' }).click()]);
        await download.saveAs(saved);
      });
      expect(readFileSync(saved, 'utf8')).toBe(readFileSync(path.join(ROOT, 'docs', 'verify.html'), 'utf8'));
      const file = path.join(dir, 'decision.json');
      writeFileSync(file, JSON.stringify(decision.bundle));
      const { logs, witnesses } = JSON.parse(readFileSync(policy, 'utf8'));
      const offline = await browser.newContext({ offline: true });
      const page = await offline.newPage();
      await page.goto(`file://${saved}`);
      expect(await page.getByText('save the page').isVisible()).toBe(false);
      await page.locator('#bundle').setInputFiles(file);
      await page.locator('#keys').fill([logs[0].vkey, ...witnesses].join('\n'));
      expect(await verdict(page)).toEqual(['Not verified: 1 of 6 checks fail', 'Witnesses that you trust have seen the checkpoint']);
      await page.locator('#quorum').fill('1');
      expect(await verdict(page)).toEqual(['Verified']);
      await page.locator('#asked').fill(`sha256:${'0'.repeat(64)}`);
      expect(await verdict(page)).toEqual(['Not verified: 1 of 7 checks fail', 'It is the statement that was asked for']);
      await offline.close();
    });

    test.each(['light', 'dark'] as const)('D6 axe finds nothing on these pages, %s', async (colorScheme) => {
      await withPage(async (page) => {
        await page.emulateMedia({ colorScheme });
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        for (const url of [`${origin()}/audit/statement/${encodeURIComponent(decision.digest)}`, address()]) {
          await page.goto(url);
          if (url === address()) {
            await page.locator('#keys-file').setInputFiles(policy);
            await page.locator('#asked').fill('sha256:0');
            await verdict(page);
            await keep(page, `not-verified-${colorScheme}`);
          }
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate<{ readonly violations: readonly { readonly id: string; readonly nodes: Json }[] }>(
            'axe.run()',
          );
          expect(violations, url).toEqual([]);
        }
        expect(complaints.filter((text) => text.includes('Content Security Policy'))).toEqual([]);
      });
    });

    /** Keeps a picture for people to look at, where CI says so. */
    async function keep(page: Page, name: string): Promise<void> {
      const folder = process.env['SEALANE_ARTIFACTS'];
      if (folder === undefined) return;
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: path.join(folder, `page-${name}.png`), fullPage: true });
    }
  },
);
