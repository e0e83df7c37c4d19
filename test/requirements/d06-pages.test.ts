/** Row D6: the auditor’s pages in a real browser, that comes with a client certificate and runs no script of theirs. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { writeMachine } from '../support/hardware.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { expectJson, type Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { authorityOf, issueTo } from '../support/tls.js';

const browserPath = requireProgram('chromium');
const openssl = requireProgram('openssl');
/** Each question that has a page of its own, and what is filled in there. */
const ASKED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  devices: { release: 'readings@1.1.0' },
  approvals: { release: 'readings@1.1.0' },
  changes: { release: 'readings@1.1.0', from: 'readings@1.0.0' },
  cases: { release: 'readings@1.1.0' },
  decisions: { release: 'readings@1.1.0', stage: 'dev' },
  waivers: { open: '1' },
  population: { stage: 'prod' },
  exposure: { release: 'readings@1.0.0' },
  awareness: { release: 'readings@1.0.0' },
  remedy: { vulnerability: 'CVE-2026-1234' },
  parity: { site: 'abbey' },
  unit: { unit: 'NR0001' },
  keys: {},
  drift: { stage: 'prod' },
  snapshot: {},
  rollbacks: {},
  evidence: { release: 'readings@1.1.0', within: '400' },
  automatic: {},
};
const QUESTIONS = [...Object.keys(ASKED), 'trace', 'coverage', 'at', 'replay', 'policy'];
/** A person’s browser, as its service.yaml names it. */
const AUDITOR = 'auditor.example';

describe.skipIf(browserPath === undefined || openssl === undefined)('D6 pages for people (skipped without chromium and openssl)', () => {
  let dir: string;
  let lane: TestLane;
  let service: Server & { readonly first: { readonly tlsUrl?: string } };
  let browser: Browser;
  let release: string;
  let refused: string;
  let proposal: string;
  const sites: TestSite[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-pages-'));
    lane = await makeLane(dir, {
      pipeline: (text) => text.replace('require: [arch, cpu]', 'require: [vendor, model, revision, firmware]'),
    });
    const lab = writeMachine(path.join(dir, 'lab'), { serial: 'NR0001', cameras: { 'OK-9': '10.12' } });
    await expectJson('sealane-site', ['inventory', '--root', lab.root, '--devices', lab.devices, '--out', lane.hardware]);
    await enrol('abbey', { serial: 'NR0101', cameras: { 'OK-1': '10.12' } });
    release = await lane.release('1.0.0');
    await lane.promote(release);
    for (const site of sites) await site.must(['update']);
    await enrol('brook', { serial: 'NR0102', nic: '9.40' });
    const next = await lane.release('1.1.0');
    await lane.sealane(['promote', next, '--to', 'dev'], 3);
    refused = (await lane.sealane(['audit', 'decisions', next])).answer.decisions[0].statement;
    await lane.promote(next);
    for (const site of sites) await site.run(['update']);
    await carryReceipts();
    proposal = await propose();
    mkdirSync(path.join(dir, 'tls'));
    for (const name of ['servers', 'callers']) authorityOf(path.join(dir, 'tls'), name);
    issueTo(path.join(dir, 'tls'), 'servers', 'service', '127.0.0.1');
    for (const name of [AUDITOR, 'narrow.example']) issueTo(path.join(dir, 'tls'), 'callers', name, '127.0.0.1');
    service = await startService(lane, serviceFile());
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser.close();
    await service.stop();
    for (const site of sites) await site.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function enrol(name: string, machine: Parameters<typeof writeMachine>[1]): Promise<void> {
    const { root, devices } = writeMachine(path.join(dir, name), machine);
    sites.push(await enrolSite(lane, path.join(dir, name), { name, yaml: `inventory: { root: ${root}, devices: [${devices}] }` }));
  }

  /** A proposal that asks for more tests than there are; the pipeline stays as it was. */
  async function propose(): Promise<string> {
    const pipeline = path.join(lane.home, 'pipeline.yaml');
    const text = readFileSync(pipeline, 'utf8');
    writeFileSync(pipeline, text.replaceAll('minPassed: 5', 'minPassed: 50'));
    await lane.sealane(['trust', 'propose'], 5);
    writeFileSync(pipeline, text);
    return readFileSync(path.join(lane.home, 'proposal.json'), 'utf8');
  }

  async function carryReceipts(): Promise<void> {
    for (const site of sites) {
      const folder = path.join(dir, 'receipts', site.name);
      await site.must(['receipt', 'export', folder]);
      await lane.sealane(['statement', 'add', ...readdirSync(folder).map((file) => path.join(folder, file))]);
    }
  }

  const tlsFile = (name: string): string => path.join(dir, 'tls', name);

  function serviceFile(): string {
    const caller = (name: string, questions: readonly string[]): object => {
      return { name, certificate: { san: `DNS:${name}` }, rights: questions.map((question) => `audit.${question}`) };
    };
    const tls = {
      listen: '127.0.0.1:0',
      certificate: tlsFile('service.pem'),
      key: tlsFile('service.key'),
      clientCa: tlsFile('callers.pem'),
    };
    const callers = [caller(AUDITOR, QUESTIONS), caller('narrow.example', ['snapshot'])];
    return stringify({ apiVersion: 'sealane/v1', kind: 'Service', tls, callers });
  }

  const origin = (): string => service.first.tlsUrl ?? '';

  async function contextOf(who: string | undefined, options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const certificate = { origin: origin(), certPath: tlsFile(`${who}.pem`), keyPath: tlsFile(`${who}.key`) };
    const known = who === undefined ? {} : { clientCertificates: [certificate] };
    return await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, ...known, ...options });
  }

  /** The pages, as a reader without scripts meets them. */
  async function withPage<T>(options: BrowserContextOptions, work: (page: Page) => Promise<T>): Promise<T> {
    const context = await contextOf(AUDITOR, options);
    try {
      return await work(await context.newPage());
    } finally {
      await context.close();
    }
  }

  const pages = (): Readonly<Record<string, string>> => ({
    ledger: '/audit/',
    found: '/audit/?q=readings',
    release: '/audit/release/readings@1.1.0',
    hardware: '/audit/?q=NR0001',
    coverage: '/audit/coverage/readings@1.1.0?stage=prod',
    site: '/audit/site/abbey',
    decision: `/audit/decision/${encodeURIComponent(refused)}`,
    problem: '/audit/site/nowhere',
    'ask-replay': asked('replay', { decision: refused }),
    'ask-policy': '/audit/ask/policy',
    ...Object.fromEntries(Object.entries(ASKED).map(([name, query]) => [`ask-${name}`, asked(name, query)])),
  });

  const asked = (name: string, query: Readonly<Record<string, string>>): string =>
    `/audit/ask/${name}?${new URLSearchParams({ ...query, ask: '1' }).toString()}`;

  test('D6 without scripts a reader goes from the search over a release to a refusal, check by check', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}/audit`);
      await page.locator('main').waitFor();
      expect(await page.locator('dl').innerText()).toContain('witnessed');
      // two releases, two sites: the list is of statements that were verified, not of what an index says
      expect(await page.locator('section[aria-labelledby=rests]').innerText()).toMatch(
        /4 statements, each proved to be in the log of \d+ entries/,
      );
      await page.getByRole('searchbox').or(page.locator('#find')).fill('readings@1.1.0');
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByRole('region', { name: 'By digest, name or version' }).getByRole('link', { name: 'readings@1.1.0' }).click();
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('readings@1.1.0');
      expect(await page.locator('ol.path > li h3').allInnerTexts()).toEqual(['dev', 'edge-preprod', 'prod']);
      await page.getByText('1 earlier decision').click();
      await page.getByRole('link', { name: 'failed', exact: true }).click();
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('readings@1.1.0 for dev: refused');
      const rows = page.getByRole('region', { name: 'What each gate expected and found' }).getByRole('row');
      expect(await rows.filter({ hasText: 'fail' }).count()).toBeGreaterThan(0);
      expect(await page.getByRole('heading', { name: 'What changed until it passed' }).count()).toBe(1);
    });
  });

  test('D6 the matrix shows which site has hardware that no test covered, the time line what ran', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}${pages()['coverage'] ?? ''}`);
      expect(await page.locator('table.matrix thead th').allInnerTexts()).toEqual(['Kind', 'brook', 'abbey']);
      const card = page.locator('table.matrix tbody tr').filter({ hasText: '9.40' });
      expect(await card.locator('td').allTextContents()).toEqual(['✗not covered', '·not there']);
      await page.getByRole('link', { name: 'abbey' }).first().click();
      expect(await page.locator('svg desc').textContent()).toMatch(/^abbey ran: readings@1\.0\.0 from .*readings@1\.1\.0 from .* on\./);
      expect(await page.locator('svg rect.run').count()).toBe(2);
      expect(await page.getByRole('region', { name: 'What the site told' }).getByRole('row').count()).toBeGreaterThan(2);
    });
  });

  test.each(Object.entries(ASKED))('D6 the page of %s says all that the command says', async (name, { open, ...query }) => {
    const positional = ['release', 'site', 'vulnerability', 'unit'].find((one) => one in query && name !== 'exposure');
    const options = Object.entries(query).flatMap(([key, value]) => (key === positional ? [] : [`--${key}`, value]));
    const words = [...(positional === undefined ? [] : [query[positional] ?? '']), ...options, ...(open === undefined ? [] : ['--open'])];
    const { answer, statements } = (await lane.sealane(['audit', name, ...words])) as { answer: object; statements: { digest: string }[] };
    await withPage({ javaScriptEnabled: false }, async (page) => {
      expect((await page.goto(`${origin()}${asked(name, { ...query, ...(open === undefined ? {} : { open }) })}`))?.status()).toBe(200);
      const text = (await page.locator('main').textContent()) ?? '';
      const said = text.replace(/\s+/g, ' ');
      const missing = textsIn(answer).filter((one) => !said.includes(one.replace(/\s+/g, ' ')));
      expect(missing).toEqual([]);
      for (const { digest } of statements) expect(text).toContain(digest);
    });
  });

  test('D6 without scripts a question is chosen, filled in and answered', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}/audit/`);
      await page.getByRole('link', { name: 'What changed from the release before?' }).click();
      await page.locator('#ask-release').fill('readings@1.1.0');
      await page.locator('#ask-from').fill('readings@1.0.0');
      await page.getByRole('button', { name: 'Ask' }).click();
      expect(await page.getByRole('region', { name: 'Components' }).getByRole('row').count()).toBeGreaterThan(1);
      expect(await page.locator('#ask-from').inputValue()).toBe('readings@1.0.0');
      // what reads the whole log waits until it is asked
      await page.goto(`${origin()}/audit/ask/population`);
      expect(await page.locator('section[aria-labelledby=rests]').count()).toBe(0);
      await page.getByRole('button', { name: 'Ask' }).click();
      expect(await page.locator('section[aria-labelledby=rests]').count()).toBe(1);
      await page.goto(`${origin()}${asked('changes', { release: 'readings@1.1.0' })}`);
      expect(await page.locator('main').innerText()).toContain('expected one of --from and --site');
    });
  });

  test('D6 without scripts a decision is made again from its own page', async () => {
    const { answer } = await lane.sealane(['audit', 'replay', refused]);
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}${pages()['decision'] ?? ''}`);
      await page.getByRole('link', { name: `sealane audit replay ${refused}` }).click();
      const said = ((await page.locator('main').textContent()) ?? '').replace(/\s+/g, ' ');
      expect(textsIn(answer).filter((one) => !said.includes(one.replace(/\s+/g, ' ')))).toEqual([]);
    });
  });

  test('D6 without scripts a proposal is pasted, and its page says all that the command says', async () => {
    const file = path.join(dir, 'pasted.json');
    writeFileSync(file, proposal);
    const { answer, statements } = await lane.sealane(['audit', 'policy', file]);
    expect(answer.refuses.length).toBeGreaterThan(0);
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}/audit/`);
      await page.getByRole('link', { name: 'What would a policy change have let through?' }).click();
      expect(await page.locator('section[aria-labelledby=rests]').count()).toBe(0);
      await page.locator('#ask-proposal').fill(proposal);
      await page.getByRole('button', { name: 'Ask' }).click();
      const text = (await page.locator('main').textContent()) ?? '';
      const said = text.replace(/\s+/g, ' ');
      expect(textsIn(answer).filter((one) => !said.includes(one.replace(/\s+/g, ' ')))).toEqual([]);
      for (const { digest } of statements) expect(text).toContain(digest);
      await page.locator('#ask-proposal').fill('{"kind":"Pipeline"}');
      await page.getByRole('button', { name: 'Ask' }).click();
      expect(await page.locator('main').innerText()).toContain('CONFIG_INVALID');
    });
  });

  test('D6 the answer to what was pasted is as clean as all pages: axe finds nothing, and a phone shows it whole', async () => {
    await withPage({ viewport: { width: 390, height: 844 } }, async (page) => {
      await page.goto(`${origin()}/audit/ask/policy`);
      await page.locator('#ask-proposal').fill(proposal);
      await page.getByRole('button', { name: 'Ask' }).click();
      await keep(page, 'ask-policy-answer-phone');
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<{ readonly violations: readonly { readonly id: string }[] }>('axe.run()');
      expect(violations.map(({ id }) => id)).toEqual([]);
    });
  });

  test('D6 a form is taken from a page of the service, from who may ask, and no other way', async () => {
    const page = await contextOf(AUDITOR);
    const send = async (headers: Readonly<Record<string, string>>, data: string, where = 'policy'): Promise<number> =>
      (await page.request.post(`${origin()}/audit/ask/${where}`, { headers, data })).status();
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const filled = new URLSearchParams({ proposal }).toString();
    expect(await send(form, filled)).toBe(200);
    expect(await send({ ...form, origin: 'https://elsewhere.example' }, filled)).toBe(401);
    expect(await send({ ...form, 'sec-fetch-site': 'cross-site' }, filled)).toBe(401);
    expect(await send({ 'content-type': 'text/plain' }, filled)).toBe(400);
    expect(await send(form, `proposal=${'%20'.repeat(3 * 1024 * 1024)}`)).toBe(413);
    // no other page takes anything
    expect(await send(form, 'release=readings@1.1.0', 'trace')).toBe(400);
    expect(await send(form, 'stage=prod', 'drift')).toBe(400);
    await page.close();
    const narrow = await contextOf('narrow.example');
    expect((await narrow.request.post(`${origin()}/audit/ask/policy`, { headers: form, data: filled })).status()).toBe(403);
    await narrow.close();
  });

  test('D6 how many sites run a release is drawn over time, and told as a table', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}/audit/release/readings@1.0.0`);
      expect(await page.locator('svg desc').textContent()).toBe('0 sites ran it at the end, 1 at most. The table below has each change.');
      await page.getByText('As a table').click();
      const rows = page.getByRole('region', { name: 'Each site that began or ceased to run it' }).locator('tbody tr');
      expect(await rows.locator('td').allInnerTexts()).toEqual(['abbey', 'began', '1', 'abbey', 'ended', '0']);
      await page.goto(`${origin()}${pages()['release'] ?? ''}`);
      expect(await page.locator('main').innerText()).toContain('1 site runs it now');
    });
  });

  test('D6 a search by digest, version, site, serial, firmware and person leads to what is meant', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      const words = {
        [release]: ['Releases found', 'readings@1.0.0'],
        '1.1.0': ['Releases found', 'readings@1.1.0'],
        [refused]: ['Decision found', refused],
        abbey: ['Site found', 'abbey'],
        NR0001: ['Hardware found', 'readings@1.0.0'],
        'firmware 9.40': ['Hardware found', 'brook'],
        alice: ['Person found', release],
      } as const;
      for (const [text, [heading, link]] of Object.entries(words)) {
        await page.goto(`${origin()}/audit/?q=${encodeURIComponent(text)}`);
        expect(await page.getByRole('heading', { level: 2 }).first().innerText(), text).toBe(heading);
        expect(await page.getByRole('link', { name: link }).count(), text).toBeGreaterThan(0);
      }
      await page.goto(`${origin()}/audit/?q=abbey`);
      await page.getByRole('link', { name: 'Look for hardware of this name too' }).click();
      expect(await page.getByRole('link', { name: 'Look for hardware' }).count()).toBe(0);
      await page.goto(`${origin()}/audit/?q=nobody`);
      expect(await page.locator('main').innerText()).toContain('Nothing in the ledger is called nobody');
    });
  });

  test('D6 a page is asked of another time, and read with the keyboard alone', async () => {
    await withPage({}, async (page) => {
      await page.goto(`${origin()}${pages()['site'] ?? ''}`);
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').innerText()).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').innerText()).toBe('readings@1.1.0');
      await page.getByLabel('What was so at').fill('2026-01-01T00:00:00Z');
      await page.keyboard.press('Enter');
      await page.waitForURL(/asOf=2026-01-01/);
      expect(await page.locator('dl').innerText()).toContain('nothing');
    });
  });

  test.each(['light', 'dark'] as const)('D6 axe finds nothing on any page, %s', async (colorScheme) => {
    await withPage({ colorScheme }, async (page) => {
      for (const [name, address] of Object.entries(pages())) {
        const complaints: string[] = [];
        page.removeAllListeners('console').on('console', (message) => complaints.push(message.text()));
        await page.goto(`${origin()}${address}`);
        await keep(page, `${name}-${colorScheme}`);
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate<{
          readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
          readonly passes: readonly { readonly id: string }[];
        }>('axe.run()');
        expect(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`),
          name,
        ).toEqual([]);
        expect(passes.map(({ id }) => id)).toContain('color-contrast');
        expect(
          complaints.filter((text) => text.includes('Content Security Policy')),
          name,
        ).toEqual([]);
      }
    });
  });

  test('D6 a phone shows each page whole: only tables and drawings scroll sideways', async () => {
    await withPage({ viewport: { width: 390, height: 844 } }, async (page) => {
      for (const [name, address] of Object.entries(pages())) {
        await page.goto(`${origin()}${address}`);
        await keep(page, `${name}-phone`);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(390);
      }
    });
  });

  test('D6 a table shows how a digest begins in one line, and has the whole of it on paper and for who copies it', async () => {
    const cut = '[...document.querySelectorAll("td .digest")].filter((one) => one.scrollWidth > one.clientWidth).length';
    const lines =
      'Math.max(...[...document.querySelectorAll("td .digest")].map((one) => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight)))';
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${origin()}/audit/ask/automatic?ask=1`);
      expect(await page.evaluate<number>(cut)).toBeGreaterThan(0);
      expect(await page.evaluate<number>(lines)).toBeLessThan(1.5);
      expect(await page.locator('table').first().innerText()).toContain(release);
      await page.emulateMedia({ media: 'print' });
      expect(await page.evaluate<number>(cut)).toBe(0);
    });
  });

  test('D6 what a browser may do with a page is said, and on paper nothing is asked for', async () => {
    await withPage({}, async (page) => {
      const answer = await page.goto(`${origin()}${pages()['release'] ?? ''}`);
      expect(answer?.headers()).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      expect(answer?.headers()['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/);
      // what is folded away on a screen is on paper too: there nobody can open it
      const folded = page.locator('section[aria-labelledby=rests] details table');
      expect(await folded.isVisible()).toBe(false);
      await page.emulateMedia({ media: 'print' });
      expect(await page.locator('form:visible').count()).toBe(0);
      expect(await folded.isVisible()).toBe(true);
      await keep(page, 'release-paper');
    });
  });

  test('D6 who may not ask may not read, and a stranger learns nothing', async () => {
    const narrow = await contextOf('narrow.example');
    const page = await narrow.newPage();
    expect((await page.goto(`${origin()}/audit/?q=readings`))?.status()).toBe(200);
    expect(await page.locator('main').innerText()).not.toContain(release);
    expect((await page.goto(`${origin()}/audit/release/readings@1.0.0`))?.status()).toBe(403);
    await narrow.close();
    const stranger = await contextOf(undefined);
    const asked = await stranger.newPage();
    const texts: string[] = [];
    for (const address of ['/audit/', '/audit/release/readings@1.0.0', '/audit/nothing']) {
      expect((await asked.goto(`${origin()}${address}`))?.status()).toBe(401);
      texts.push(await asked.content());
    }
    expect(new Set(texts).size).toBe(1);
    await stranger.close();
  });

  /** Keeps a picture for people to look at, where CI says so. */
  async function keep(page: Page, name: string): Promise<void> {
    const folder = process.env['SEALANE_ARTIFACTS'];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: path.join(folder, `page-${name}.png`), fullPage: true });
  }
});

/** Every text in an answer, times as pages write them. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string')
    return [/^\d{4}-\d\d-\d\dT[\d:]+(?:\.\d+)?Z$/.test(value) ? value.replace('T', ' ').replace(/(?:\.\d+)?Z$/, ' UTC') : value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
