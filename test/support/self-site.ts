/** A site whose updater was installed as a package below a folder: the launcher, the program of the package, and releases that bring others. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeLane, type TestLane } from './lane.js';
import { type Answer, ROOT, runProgram, type RunOptions } from './run.js';
import { enrolSite, type TestSite } from './site.js';

/** Lane, site, and its updater. */
export interface SelfSite {
  readonly lane: TestLane;
  readonly site: TestSite;
  /** The program of the package, and where those lie that releases bring. */
  readonly library: string;
  readonly programs: string;
  /** Makes a release of an app and of the updater, whose tree is that of the package with these files changed, and promotes it. */
  publish(version: string, changed: Readonly<Record<string, string>> | null): Promise<string>;
  /** A site that was copied to another folder, with its updater. */
  at(dir: string): SelfSite;
  /** Runs the launcher as the unit of the service does: it may try a new program. */
  tried(words: readonly string[], options?: RunOptions): Promise<Answer>;
  /** Runs the launcher as a person does. */
  asked(words: readonly string[], options?: RunOptions): Promise<Answer>;
}

/** What makes a program that cannot be started at all, let alone take itself back. */
export const CRASHES = { 'launch.mjs': 'process.exit(1);\n' };

/** One that starts, and can fetch nothing ever again. */
export const CANNOT_FETCH = { 'sealane-site-fetch.mjs': 'process.exit(1);\n' };

/** Makes lane and package in `dir`, enrols the site in `dir/site`, installs an app of version 1.0.0 with the updater of the package. The caller stops the lane's witness. */
export async function makeSelfSite(dir: string, trialSeconds = 60): Promise<SelfSite> {
  const lane = await makeLane(dir);
  const here = path.join(dir, 'site');
  const site = await enrolSite(lane, here, {
    driver: { start: ['/bin/sh', '-c', 'exec sleep 600'], health: [{ command: ['/bin/sh', '-c', 'test -f app/version'] }] },
    yaml: 'self: {component: updater}\n',
    receiptsTo: './out',
  });
  const { layOutProgram, siteLauncher } = await packager();
  await layOutProgram(path.join(here, 'library'));
  const self = selfSite(lane, site, (places) => siteLauncher(places, process.execPath, { trialSeconds }));
  await self.publish('1.0.0', null);
  const { exit, stderr } = await self.tried(['update']);
  if (exit !== 0) throw new Error(`install the first release: got exit ${exit ?? ''}\n${stderr}`);
  return self;
}

function selfSite(lane: TestLane, site: TestSite, launcherOf: (places: object) => string): SelfSite {
  const library = path.join(site.dir, 'library');
  const programs = path.join(site.dir, 'programs');
  mkdirSync(programs, { recursive: true });
  const launcher = path.join(site.dir, 'sealane-site');
  const nowhere = { fetchSocket: '/-', operators: '/-', technicians: '/-' };
  writeFileSync(launcher, launcherOf({ library, programs, config: site.config, state: site.state, fetched: site.state, ...nowhere }));
  const run = async (words: readonly string[], options: RunOptions = {}): Promise<Answer> => {
    const ended = await runProgram('/bin/sh', [launcher, ...words, '--json'], options);
    return { ...ended, json: ended.stdout.startsWith('{') ? JSON.parse(ended.stdout) : undefined };
  };
  return {
    lane,
    site,
    library,
    programs,
    publish: (version, changed) => publish(lane, version, library, changed),
    at: (dir) => selfSite(lane, { ...site, dir, config: path.join(dir, 'site.yaml'), state: path.join(dir, 'state') }, launcherOf),
    tried: (words, options = {}) => run(words, { ...options, env: { ...options.env, SEALANE_MAY_TRY: '1' } }),
    asked: run,
  };
}

async function publish(
  lane: TestLane,
  version: string,
  library: string,
  changed: Readonly<Record<string, string>> | null,
): Promise<string> {
  const from = path.join(lane.dir, 'sources', version);
  mkdirSync(path.join(from, 'app'), { recursive: true });
  writeFileSync(path.join(from, 'app', 'version'), `${version}\n`);
  const parts = ['--files', `app=${path.join(from, 'app')}`];
  if (changed !== null) {
    cpSync(library, path.join(from, 'updater'), { recursive: true });
    for (const [name, text] of Object.entries(changed)) writeFileSync(path.join(from, 'updater', name), text);
    parts.push('--files', `updater=${path.join(from, 'updater')}`);
  }
  const words = ['release', 'create', '--name', 'readings', '--version', version, ...parts, '--key', 'author'];
  const { release } = (await lane.sealane(words)) as { readonly release: string };
  await lane.promote(release);
  return release;
}

/** What the package is made of. */
async function packager(): Promise<{
  readonly layOutProgram: (folder: string) => Promise<void>;
  readonly siteLauncher: (places: object, node: string, options: { readonly trialSeconds: number }) => string;
}> {
  const [packages, launcher] = await Promise.all(
    ['package-site.mjs', 'site-launcher.mjs'].map((name) => import(path.join(ROOT, 'bin', name))),
  );
  return { ...packages, ...launcher };
}
