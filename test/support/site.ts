/** A real site: enrolled at a real lane, its workload a small shell script whose health is a file. */
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Answer, expectJson, runJson, type RunOptions } from './run.js';
import type { TestLane } from './lane.js';

export interface SiteOptions {
  readonly name?: string;
  /** Its stage; prod when it is not given. */
  readonly stage?: string;
  /** Labels as `KEY=VALUE`. */
  readonly labels?: readonly string[];
  /** A file with what stands at the site, for its record. */
  readonly topology?: string;
  readonly upstreams?: readonly string[];
  readonly receiptsTo?: string;
  /** More lines for site.yaml, or lines of the driver. */
  readonly yaml?: string;
  readonly driver?: Readonly<Record<string, unknown>>;
}

/** An enrolled site in `dir`. */
export interface TestSite {
  readonly name: string;
  readonly dir: string;
  readonly config: string;
  readonly state: string;
  /** Runs `sealane-site` here; the exit code is the caller's to judge. */
  run(words: readonly string[], options?: RunOptions): Promise<Answer>;
  /** As `run`, but it must end with `exit` (default 0). */
  must(words: readonly string[], exit?: number): Promise<Answer['json']>;
  stop(): Promise<void>;
}

/** Enrols a site at the lane, under the registrar's example key. */
export async function enrolSite(lane: TestLane, dir: string, options: SiteOptions = {}): Promise<TestSite> {
  const { name = 'harbour-7', stage = 'prod', labels = ['region=north'] } = options;
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'site.yaml'), siteYaml(lane, { ...options, name }));
  const site = siteAt(dir, name);
  const [request, record] = [path.join(dir, 'request.json'), path.join(dir, 'record.json')];
  await site.must(['enroll', '--name', name, '--out', request]);
  const given = [
    ...labels.flatMap((label) => ['--label', label]),
    ...(options.topology === undefined ? [] : ['--topology', options.topology]),
  ];
  await lane.sealane(['site', 'add', request, '--stage', stage, ...given, '--key', 'registrar', '--out', record]);
  await site.must(['enroll', '--record', record, '--root', path.join(lane.lane, 'trust', 'metadata', '1.root.json')]);
  return site;
}

/** A site whose `site.yaml` and `state/` lie in `dir`: one that was enrolled there, or a copy of one. */
export function siteAt(dir: string, name = 'harbour-7'): TestSite {
  const [config, state] = [path.join(dir, 'site.yaml'), path.join(dir, 'state')];
  const words = (more: readonly string[]): readonly string[] => [...more, '--config', config, '--state', state];
  return {
    name,
    dir,
    config,
    state,
    run: (more, run) => runJson('sealane-site', words(more), run),
    must: (more, exit = 0) => expectJson('sealane-site', words(more), exit),
    stop: async () => void (await runJson('sealane-site', words(['stop']))),
  };
}

/** `site.yaml` of a site of a lane. */
export function siteYaml(
  lane: TestLane,
  { name, stage = 'prod', upstreams = [lane.lane], receiptsTo, yaml = '', driver = {} }: SiteOptions,
): string {
  const start = ['/bin/sh', '-c', 'exec sleep 600'];
  const health = [{ command: ['/bin/sh', '-c', 'test -f app/srv/version'] }];
  const settings = { use: 'files', start, health, healthIntervalMs: 50, probationSeconds: 0.2, stopGraceSeconds: 1, ...driver };
  return [
    'apiVersion: sealane/v1',
    'kind: Site',
    `name: ${name ?? ''}`,
    `stage: ${stage}`,
    'allowExampleKeys: true',
    `upstreams: ${JSON.stringify(upstreams)}`,
    ...(receiptsTo === undefined ? [] : [`receiptsTo: ${receiptsTo}`]),
    `driver: ${JSON.stringify(settings)}`,
    yaml,
    '',
  ].join('\n');
}

/** The version whose files the `current` link leads to; undefined when nothing was ever switched to. */
export function versionOnDisk(state: string): string | undefined {
  try {
    readlinkSync(path.join(state, 'current'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  return readFileSync(path.join(state, 'current', 'app', 'srv', 'version'), 'utf8').trim();
}
