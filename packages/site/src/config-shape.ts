/** Zod's shape of site.yaml, and the JSON Schema for editors that is generated from it. */
import { siteVariablesShape } from '@sealane/trust';
import { z } from 'zod';
import { DAYS, isTimeZone } from './apply/windows.js';
import { absolutePath, kubeconfigPlace } from './config-kubeconfig.js';
import { MIN_BYTES_PER_SECOND } from './fetch/routes/place.js';

/** Longest command, in words. */
const MAX_WORDS = 256;

const word = z.string().min(1).max(4096);

/** A command as words; as one text it is given to /bin/sh. */
const command = z.union([z.array(word).min(1).max(MAX_WORDS), word.transform((text): string[] => ['/bin/sh', '-c', text])]);

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, 'expected lower-case letters, digits, dots, dashes');
/** How long one answer of a health check may take where site.yaml does not say. */
const ANSWER_MS = 2000;

const timeoutMs = z.int().min(1).max(600_000).default(ANSWER_MS).describe('how long one answer may take, in milliseconds');
const seconds = z.number().min(0).max(604_800);

const hostPort = z.string().regex(/^(?:\[[0-9a-f:]+\]|[^\s:]+):\d{1,5}$/, 'expected host:port');

const address = z.url({ protocol: /^https?$/ });
const httpProbe = z.strictObject({ http: address, status: z.int().min(100).max(599).optional(), timeoutMs });
const tcpProbe = z.strictObject({ tcp: hostPort, timeoutMs });
const commandProbe = z.strictObject({ command, timeoutMs });
/** An address alone. */
const bareProbe = address.transform((http): z.infer<typeof httpProbe> => ({ http, timeoutMs: ANSWER_MS }));

/** A property of a unit as systemd-run(1) takes it. */
const property = z
  .string()
  .regex(/^[A-Z][A-Za-z]+=[^\n]*$/, 'expected a unit property like User=www-data')
  .max(4096);

const watching = {
  unit: z
    .strictObject({
      properties: z
        .array(property)
        .max(64)
        .default([])
        .describe('of these units, as systemd-run takes them; of the workload with ${SEALANE_VAR_NAME} for variables of the release'),
    })
    .optional()
    .describe(
      'run workload, commands, probes and what looks at the hardware as units of systemd of their own, outside the updater: what a sandboxed updater needs',
    ),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
  oneWay: z
    .strictObject({
      snapshot: command.describe('saves what parts without a way back may spoil, before the first of them is touched'),
      apply: command.describe('brings these parts in; their names are in SEALANE_ONE_WAY'),
      again: z.enum(['run', 'hold']).default('hold').describe('when it was interrupted: run it again, or hold for a person'),
      seconds: seconds.default(1800).describe('how long each of both may take'),
    })
    .optional()
    .describe('how parts without a way back are brought in; without it a release that has such is refused'),
  health: z
    .array(z.union([bareProbe, httpProbe, tcpProbe, commandProbe]))
    .max(32)
    .default([]),
  healthIntervalMs: z.int().min(10).max(3_600_000).default(1000),
  healthFailures: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('rounds in a row in which a check fails, once all have passed, that take the release back'),
  startSeconds: seconds.default(15).describe('within this time every check must pass once'),
  probationSeconds: seconds.default(10).describe('how long health is watched before the release is committed'),
};

const strays = z
  .enum(['report', 'stop'])
  .default('report')
  .describe('what was started or changed by hand: say so, or stop it and put it back too');

const filesDriver = z.strictObject({
  use: z.literal('files'),
  start: command.describe('starts the workload; runs in the release folder, with SEALANE_RELEASE_DIR and others in its environment'),
  stop: command.optional().describe('stops it; without one its process group is sent SIGTERM'),
  stopGraceSeconds: seconds.default(10).describe('time to stop before SIGKILL'),
  strays,
  ...watching,
});

const hooks = {
  prepareSeconds: seconds.default(1800).describe('how long laying down beside what runs may take'),
  commandSeconds: seconds.default(120).describe('how long each other command may take'),
};

const commandDriver = z.strictObject({
  use: z.literal('command'),
  prepare: command.optional().describe('lays the release down beside what runs'),
  start: command.describe('makes it what runs; done again after a crash or a reboot'),
  stop: command.optional().describe('before another is started'),
  status: command.optional().describe('exit 0: it runs; without one, health alone can tell'),
  confirm: command.optional().describe('after health has passed: it stays'),
  ...hooks,
  ...watching,
});

/** Names as an engine takes them. */
const engineNames = z
  .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/, 'expected a name in the engine'))
  .max(64)
  .default([]);

const mayUse = z
  .strictObject({ volumes: engineNames, networks: engineNames, secrets: engineNames })
  .prefault({})
  .describe('what of this host’s own in the engine releases may use; else one that has such a name is refused');

const podmanDriver = z.strictObject({
  use: z.literal('podman'),
  engine: z.array(word).min(1).max(MAX_WORDS).default(['podman']).describe('the words that call podman'),
  network: z.array(word).max(8).default([]).describe('networks or a network mode for each pod'),
  stopGraceSeconds: seconds.default(10).describe('time to stop before SIGKILL'),
  engineConfig: absolutePath
    .optional()
    .describe('folder whose policy.json and registries.conf are kept so that the engine takes only images of admitted releases'),
  mirror: hostPort
    .optional()
    .describe('where `mirror serve` listens: from there the engine pulls what it may take; without it nobody but the driver does'),
  mayUse,
  strays,
  ...hooks,
  ...watching,
});

const quadletDriver = z.strictObject({
  use: z.literal('quadlet'),
  engineConfig: podmanDriver.shape.engineConfig,
  mirror: podmanDriver.shape.mirror,
  stopGraceSeconds: podmanDriver.shape.stopGraceSeconds,
  mayUse,
  strays,
  ...hooks,
  ...watching,
});

/** Kinds as manifests spell them. */
const kinds = z
  .array(z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'expected a kind as manifests spell it, as ClusterRole'))
  .max(64)
  .default([]);

const mayUseOfCluster = z
  .strictObject({
    namespaces: z.array(name).max(64).default([]).describe('of others'),
    kinds: kinds.describe('of the whole cluster, as ClusterRole'),
  })
  .prefault({})
  .describe('what of the cluster, beyond its namespace, releases may use; else one that does is refused');

const kubernetesDriver = z.strictObject({
  use: z.literal('kubernetes'),
  kubeconfig: kubeconfigPlace,
  namespace: name.default('default').describe('of objects that name none'),
  admission: z
    .strictObject({
      except: z.array(name).max(64).default(['kube-system']).describe('namespaces of the cluster itself, where anything may run'),
    })
    .optional()
    .describe('the cluster admits no pod with an image that no admitted release names'),
  mayUse: mayUseOfCluster,
  strays,
  commandSeconds: hooks.commandSeconds,
  ...watching,
});

const driver = z
  .discriminatedUnion('use', [filesDriver, commandDriver, podmanDriver, quadletDriver, kubernetesDriver])
  .refine((each) => each.use !== 'kubernetes' || typeof each.kubeconfig === 'string' || each.unit !== undefined, {
    path: ['unit'],
    message: 'expected unit: what systemd loads as a credential it gives to units',
  });

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM');

const timeZone = z
  .string()
  .min(1)
  .max(64)
  .refine(isTimeZone, 'expected the IANA name of a time zone, as Europe/Berlin')
  .describe('IANA name');

const span = {
  days: z
    .array(z.enum(DAYS))
    .min(1)
    .max(7)
    .default([...DAYS])
    .describe('days on which it begins'),
  from: clockTime,
  to: clockTime.describe('at or before `from`: on the next day'),
};

const windows = z.strictObject({ timeZone, open: z.array(z.strictObject(span)).min(1).max(32) });

/** Bulk slower than this is none: a span of it would take minutes. */
const MIN_RATE = 1024;

const rates = z.strictObject({
  timeZone,
  limits: z
    .array(z.strictObject({ ...span, bytesPerSecond: z.int().min(MIN_RATE).max(1_000_000_000) }))
    .min(1)
    .max(32),
});

const tls = z
  .strictObject({ ca: word, certificate: word, key: word })
  .describe('PEM files: whose certificates are taken, and what is shown');

const upstreamObject = z.strictObject({
  at: word.describe('http(s) address or folder'),
  carries: z
    .array(z.enum(['trust', 'content']))
    .min(1)
    .max(2)
    .default(['trust', 'content'])
    .describe('classes of traffic that are asked of it'),
  dailyBytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe('content in one day (UTC); trust is never held back'),
  minBytesPerSecond: z.number().min(0).max(1_000_000_000).default(MIN_BYTES_PER_SECOND).describe('a slower one is left for the next one'),
  proxy: z
    .string()
    .max(300)
    .regex(/^http:\/\/[A-Za-z0-9.:[\]-]+:\d{1,5}$/)
    .refine((text) => URL.canParse(text), 'expected http://HOST:PORT')
    .optional()
    .describe('http://HOST:PORT of the proxy on the way to an https address'),
  rates: rates.optional().describe('limits by time of day'),
  tls: tls
    .partial({ certificate: true, key: true })
    .optional()
    .describe('PEM files: whose certificates are taken, and what is shown, if anything'),
});

/** One word is a place with nothing more to say of it. */
const upstream = z.union([word, upstreamObject]);

/** The shape. Unknown keys are refused: a misspelt one would silently be a default. */
export const siteShape = z.strictObject({
  apiVersion: z.literal('sealane/v1').default('sealane/v1'),
  kind: z.literal('Site').default('Site'),
  name,
  stage: name,
  upstreams: z
    .array(upstream)
    .max(16)
    .default([])
    .describe('lanes or mirrors, tried in order: http(s) addresses or folders, or objects with one'),
  receiptsTo: z
    .union([word, z.array(word).min(1).max(8)])
    .optional()
    .describe('where receipts go, tried in order: addresses of a promoter, or folders'),
  receiptQueue: z
    .int()
    .min(16)
    .max(4096)
    .default(256)
    .describe('receipts that may wait to be sent before older refusals are summed up in one'),
  mirrorBytes: z
    .int()
    .min(1024 * 1024)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('most content that the mirror may hold, in bytes: more is not begun; without it as much as the disk has room for'),
  neighbours: z
    .strictObject({
      listen: z.string().min(1).max(255).describe('HOST:PORT on the LAN'),
      tls,
      carries: z
        .array(z.enum(['certificates', 'receipts']))
        .max(2)
        .default([])
        .describe('what they may hand up through this site, over its own link, to the places of receiptsTo'),
    })
    .optional()
    .describe('sealane-site mirror serve hands the lane to other sites here, over mutual TLS'),
  allowExampleKeys: z.boolean().default(false).describe('take a lane made from the well-known example keys: never at a real site'),
  driver,
  self: z
    .strictObject({ component: name.describe('the part of a release that is the program of the updater itself') })
    .optional()
    .describe('releases replace the updater itself too, last of all; where it was installed as a package'),
  inventory: z
    .strictObject({
      root: word.default('/').describe('where the host is seen: / or, in a container, where it is mounted'),
      devices: z
        .array(word)
        .max(8)
        .default([])
        .describe('CycloneDX files whose components are attached devices, or parts that the host cannot see'),
    })
    .prefault({}),
  windows: windows.optional().describe('when a release may take the place of the one that runs; without them at any time'),
  variables: siteVariablesShape.default({}).describe('values of the variables that releases declare; another name is refused'),
  unpack: z
    .strictObject({
      setuid: z.enum(['refuse', 'strip']).default('refuse'),
      unchanged: z
        .enum(['write', 'link'])
        .default('write')
        .describe(
          'files that the running release has too: written again, or given a second name in the new one, for workloads that never write to their release',
        ),
    })
    .prefault({}),
  keep: z.int().min(2).max(64).default(2).describe('slots: the current release and those kept to go back to'),
  pollSeconds: z.number().min(1).max(86_400).default(60).describe('how often sealane-site run looks for news'),
});

/** site.yaml as parsed. */
export type SiteDocument = z.output<typeof siteShape>;

/** JSON Schema of site.yaml (what a person may write, before defaults). */
export function siteJsonSchema(): object {
  return z.toJSONSchema(siteShape, { io: 'input', unrepresentable: 'any' });
}
