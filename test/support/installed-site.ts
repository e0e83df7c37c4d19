/** The site updater as an administrator installs it: the package in a machine with systemd, enrolled at a lane that is served on loopback. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type LaneOptions, type TestLane, makeLane } from './lane.js';
import { bootMachine, type Debian, type Machine } from './machine.js';
import type { Isolated } from './netns.js';
import { ROOT, runProgram, type Server } from './run.js';
import { startService } from './service.js';

/** The watchdog of these units: long enough for a loaded test machine, short enough to wait for. */
const WATCHDOG_SECONDS = 6;

/** Keys of site.yaml, where they are not the usual ones; `receiptsTo` null: receipts wait at the site. */
export interface SiteSettings {
  readonly driver?: object;
  readonly pollSeconds?: number;
  readonly self?: object;
  readonly upstreams?: readonly string[];
  readonly receiptsTo?: string | null;
}

/** Lane, machine, and the site in it. */
export interface InstalledSite {
  readonly lane: TestLane;
  readonly machine: Machine;
  readonly server: Server;
  /** Makes the package that comes after the installed one, of the same programs; returns its path in the machine. */
  nextPackage(): Promise<string>;
  /** Runs `sealane-site` in the machine; the exit code is the caller's to judge. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
  site(...words: readonly string[]): Promise<{ readonly exit: number | null; readonly json: any; readonly stderr: string }>;
  /** Sets keys of site.yaml in the machine. */
  configure(more: SiteSettings): void;
  /** A property of a unit. */
  show(unit: string, property: string): Promise<string>;
  stop(): Promise<void>;
}

/** Makes a lane, packages the site, boots a machine, installs, and enrols. Nothing is enabled yet. */
export async function installSite(debian?: Debian, options?: LaneOptions, network?: Isolated): Promise<InstalledSite> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sealane-installed-'));
  const lane = await makeLane(dir, options);
  const server = await startService(lane, stringify({ apiVersion: 'sealane/v1', kind: 'Service', issuers: [], callers: [] }));
  const deb = await makePackage(dir, '1');
  const machine = await bootMachine(debian, network);
  const share = (file: string): string => {
    cpSync(file, path.join(machine.root, 'root', path.basename(file)));
    return path.join('/root', path.basename(file));
  };
  const site: InstalledSite['site'] = async (...words) => {
    const { exit, stdout, stderr } = await machine.run('sealane-site', ...words, '--json');
    return { exit, stderr, json: stdout === '' ? undefined : JSON.parse(stdout) };
  };
  const configure: InstalledSite['configure'] = (settings) => {
    mkdirSync(path.join(machine.root, 'etc', 'sealane-site'), { recursive: true });
    writeFileSync(path.join(machine.root, 'etc', 'sealane-site', 'site.yaml'), siteYaml(server, settings));
  };
  await machine.must('dpkg', '-i', share(deb));
  configure({});
  await machine.must('sealane-site', 'enroll', '--name', 'harbour-7', '--out', '/root/request.json');
  const [request, record] = [path.join(machine.root, 'root', 'request.json'), path.join(dir, 'record.json')];
  await lane.sealane(['site', 'add', request, '--stage', 'prod', '--label', 'region=north', '--key', 'registrar', '--out', record]);
  const root = share(path.join(lane.lane, 'trust', 'metadata', '1.root.json'));
  await machine.must('sealane-site', 'enroll', '--record', share(record), '--root', root);
  return {
    lane,
    machine,
    server,
    nextPackage: async () => share(await makePackage(dir, '2')),
    site,
    configure,
    show: async (unit, property) => (await machine.must('systemctl', 'show', unit, '--value', '-p', property)).trim(),
    stop: async () => {
      await machine.stop();
      await server.stop();
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function makePackage(dir: string, release: string): Promise<string> {
  const code = `
    const { packageSite } = await import(${JSON.stringify(path.join(ROOT, 'bin', 'package-site.mjs'))});
    const options = { out: ${JSON.stringify(dir)}, node: process.execPath, release: ${JSON.stringify(release)}, watchdogSeconds: ${WATCHDOG_SECONDS} };
    console.log(JSON.stringify(await packageSite(options)));`;
  const { exit, stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', code]);
  if (exit !== 0) throw new Error(`package the site: got exit ${exit ?? ''}\n${stderr}`);
  return (JSON.parse(stdout) as { readonly deb: string }).deb;
}

function siteYaml({ url }: Server, { driver = {}, pollSeconds = 3600, self, upstreams = [url], receiptsTo = url }: SiteSettings): string {
  return stringify({
    apiVersion: 'sealane/v1',
    kind: 'Site',
    name: 'harbour-7',
    stage: 'prod',
    allowExampleKeys: true,
    upstreams,
    ...(receiptsTo === null ? {} : { receiptsTo }),
    pollSeconds,
    self,
    driver: {
      use: 'files',
      unit: { properties: ['User=daemon'] },
      start: ['/bin/sh', '-c', 'test ! -f app/srv/bad && exec sleep 600'],
      health: [{ command: ['/bin/sh', '-c', 'test ! -f app/srv/sick'] }],
      healthIntervalMs: 200,
      probationSeconds: 0.5,
      stopGraceSeconds: 2,
      ...driver,
    },
  });
}
