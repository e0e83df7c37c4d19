/** The operator's pages: the commands of each are run in their order, in the situation that it is about. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/free-port.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson, ROOT, runProgram, type Server, startServer } from '../support/run.js';
import { enrolSite, siteAt, siteYaml, type TestSite, versionOnDisk } from '../support/site.js';

const PAGES = path.join(ROOT, 'docs', 'operate');
const BLOCK = /```sh(?: exit=(\d+)| (serve))?\n([^`]*?)```/g;
/** What a page writes to a file of that name before its commands. */
const DOCUMENT = /`([\w./]+)`:[^\n]*\n\n +```yaml\n([^`]*?)```/g;

let dir: string;
let lane: TestLane;
let bin: string;
const sites: TestSite[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-operate-'));
  bin = path.join(dir, 'bin');
  mkdirSync(bin);
  for (const program of ['sealane', 'sealane-site'])
    writeFileSync(path.join(bin, program), `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/bin/${program}.mjs" "$@"\n`, { mode: 0o755 });
  lane = await makeLane(dir);
  await lane.promote(await lane.release('1.0.0'));
  // where a way back is needed
  await running(placeOf('stuck-update').site);
  await lane.promote(await lane.release('1.1.0'));
});

afterAll(async () => {
  for (const site of sites) await site.stop();
  for (const server of servers) await server.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A folder with the lane as `my-lane` and a machine of the page's own in `site`. */
function placeOf(page: string): { readonly place: string; readonly site: TestSite } {
  const place = path.join(dir, page);
  const there = sites.find(({ name }) => name === `at-${page}`);
  if (there !== undefined) return { place, site: there };
  mkdirSync(path.join(place, 'site'), { recursive: true });
  symlinkSync(lane.home, path.join(place, 'my-lane'));
  const site = siteAt(path.join(place, 'site'), `at-${page}`);
  writeFileSync(site.config, siteYaml(lane, { name: site.name }));
  sites.push(site);
  return { place, site };
}

/** What a page says that is another word here, and that word. */
type Words = Readonly<Record<string, string>>;

async function follow(page: string, place: string, words: Words): Promise<void> {
  const all = Object.entries({ 'harbour-7': `at-${page}`, ...words });
  const text = all.reduce((told, [word, here]) => told.replaceAll(word, here), readFileSync(path.join(PAGES, `${page}.md`), 'utf8'));
  for (const [, name = '', document = ''] of text.matchAll(DOCUMENT))
    writeFileSync(path.join(place, name), document.replace(/^ {3}/gm, ''));
  for (const [, exit = '0', serves, commands = ''] of text.matchAll(BLOCK)) {
    if (serves !== undefined) {
      await startWitness(commands, place);
      continue;
    }
    const script = `set -e\n${commands.replaceAll(/^ +/gm, '')}`;
    const ended = await runProgram('/bin/sh', ['-c', script], { cwd: place, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
    expect({ page, exit: ended.exit }, `${commands}\n${ended.stdout}${ended.stderr}`).toEqual({ page, exit: Number(exit) });
  }
}

/** Starts the witness of a page as it says, on a port of its own, and tells the lane there. */
async function startWitness(command: string, place: string): Promise<void> {
  const [, ...words] = command.trim().split(' ');
  const at = words.map((word) =>
    word.startsWith('127.0.0.1:') ? '127.0.0.1:0' : /^(?:witness|my-lane)(?:$|\/)/.test(word) ? path.join(place, word) : word,
  );
  const server = await startServer('sealane', ['witness', 'serve', ...at.slice(2)]);
  servers.push(server);
  const file = path.join(place, 'my-lane', 'pipeline.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(words.at(-1) ?? '', new URL(server.url).host));
}

/** What the page is about, before its first command, and what must be so after its last one. */
interface Situation {
  readonly before?: (site: TestSite, place: string) => Promise<void>;
  readonly words?: () => Promise<Words>;
  readonly after: (site: TestSite) => Promise<void> | void;
}

const running = async (site: TestSite): Promise<void> => {
  await enrolSite(lane, site.dir, { name: site.name });
  await site.must(['update']);
};
const runs =
  (version: string) =>
  (site: TestSite): void =>
    expect(versionOnDisk(site.state)).toBe(version);

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'first-lane': {
    // the page makes one
    before: (site) => {
      rmSync(path.join(site.dir, '..', 'my-lane'));
      return Promise.resolve();
    },
    after: async (site) => {
      const home = path.join(site.dir, '..', 'my-lane');
      const { groups } = await expectJson('sealane', ['channel', 'show', 'prod', '--home', home]);
      expect(groups).toMatchObject([{ release: expect.stringMatching(/^sha256:/) }]);
    },
  },
  // at the lane of the first page, with what that one released
  'first-site': {
    before: async (site) => {
      const home = path.join(dir, 'first-lane', 'my-lane');
      if (!existsSync(path.join(home, 'lane'))) await walk('first-lane');
      const link = path.join(site.dir, '..', 'my-lane');
      rmSync(link);
      symlinkSync(home, link);
    },
    words: async () => {
      const server = await startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', path.join(dir, 'first-lane', 'my-lane')]);
      servers.push(server);
      return { 'https://lane.example': server.url, '8080': String(await freePort()) };
    },
    after: (site) => {
      expect(readFileSync(path.join(site.state, 'current', 'app', 'index.html'), 'utf8')).toBe('<p>hello</p>\n');
    },
  },
  'offline-medium': {
    before: async (site) => {
      await enrolSite(lane, site.dir, { name: site.name, upstreams: ['http://127.0.0.1:9'] });
    },
    after: async (site) => {
      runs('1.1.0')(site);
      expect((await lane.sealane(['audit', 'at', site.name])).answer).toMatchObject({ version: '1.1.0' });
    },
  },
  'stuck-update': {
    before: async (site) => {
      await site.must(['update']);
    },
    after: runs('1.0.0'),
  },
  'disk-full': { before: running, after: runs('1.1.0') },
  'lost-clock': { before: running, after: runs('1.1.0') },
  'break-glass': {
    before: running,
    after: async (site) => {
      expect((await lane.sealane(['exception', 'list'])).exceptions.length).toBeGreaterThan(0);
      runs('1.1.0')(site);
    },
  },
  'replace-a-node': {
    before: async (site, place) => {
      await running(site);
      for (const node of ['new', 'spare']) {
        mkdirSync(path.join(place, node));
        writeFileSync(path.join(place, node, 'site.yaml'), siteYaml(lane, { name: site.name }));
        sites.push(siteAt(path.join(place, node), site.name));
      }
    },
    after: (site) => {
      for (const node of ['new', 'spare']) expect(versionOnDisk(path.join(site.dir, '..', node, 'state'))).toBe('1.1.0');
    },
  },
  'what-runs-out': {
    before: running,
    after: async (site) => {
      expect((await lane.sealane(['trust', 'verify'])).versions.root).toBeGreaterThan(1);
      runs('1.1.0')(site);
    },
  },
  // last: the lane is another one after it
  'stolen-key': {
    before: running,
    after: async (site) => {
      expect((await site.must(['status'])).current.version).toBe('1.1.0');
      expect((await lane.sealane(['plan', 'readings@1.0.0', '--to', 'prod'], 3)).decision).toBe('refused');
    },
  },
};

async function walk(page: string): Promise<void> {
  const { before, words, after } = SITUATIONS[page] ?? {};
  const { place, site } = placeOf(page);
  await before?.(site, place);
  await follow(page, place, (await words?.()) ?? {});
  await after?.(site);
}

test.each(Object.keys(SITUATIONS))('docs/operate/%s.md', walk);

test('every page has its situation', () => {
  expect(readdirSync(PAGES).sort()).toEqual(
    Object.keys(SITUATIONS)
      .map((page) => `${page}.md`)
      .sort(),
  );
});
