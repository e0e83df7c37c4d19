/** The shape of `pipeline.yaml` and its defaults. The JSON Schema for editors is generated from it (`docs/formats/pipeline.schema.json`). */
import { DEFAULT_REQUIRED_FACTS, HARDWARE_FACTS, OciError } from '@sealane/core';
import { parseRepository } from '@sealane/oci';
import { classFilterShape, EXCEPTION_KINDS } from '@sealane/trust';
import { z } from 'zod';

/** Most stages, groups, people, witnesses or gates in one place: what policies can carry. */
const MAX_LIST = 64;

/** The lane's name in a file that says none: a name for trying things out, as every one that ends in `.example`. */
const DEFAULT_LANE = 'lane.example';

const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, 'expected a name of lower-case letters, digits, dots and dashes')
  .describe('a name: lower-case letters, digits, dots, dashes');
const keyName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected the name of a key under HOME/keys')
  .describe('the name of a key: HOME/keys/NAME.pem or NAME.pub.pem');
const keyNames = oneOr(keyName, z.array(keyName).max(MAX_LIST));
const someKeyNames = oneOr(keyName, z.array(keyName).min(1).max(MAX_LIST));
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,126}$/, 'expected a label');
const fact = z.enum(HARDWARE_FACTS);

const gate = known({
  use: z.string().max(64).describe('the gate, by its name'),
  with: z.record(z.string(), z.unknown()).default({}).describe("the gate's settings"),
});

const stage = known({
  name: name
    .refine(
      (value) => !['root', 'targets', 'snapshot', 'timestamp'].includes(value),
      'expected a name that is no TUF role (root, targets, snapshot, timestamp)',
    )
    .describe('name of the stage'),
  from: oneOr(name, z.array(name).max(MAX_LIST)).default([]).describe('the stages that a release must have passed; none for a first stage'),
  key: keyName.exactOptional().describe("the stage's key (default: the stage's name)"),
  repository: z
    .string()
    .max(512)
    .refine(isRepository, 'expected docker://REGISTRY/REPOSITORY')
    .exactOptional()
    .describe('docker://REGISTRY/REPOSITORY: where `release copy --stage` takes releases of this stage'),
  gates: z.array(gate).max(MAX_LIST).default([]),
});

const group = known({
  name,
  match: z.record(z.string(), label).default({}).describe('labels that a site must have; none matches every site'),
});
const person = known({ id: name, keys: someKeyNames });

const signers = known({
  release: keyNames.default(['author']).describe('who may make releases'),
  provenance: keyNames.default([]).describe('builders'),
  tests: keyNames.default([]).describe('labs whose test results count'),
  hardware: keyNames.default([]).describe('labs whose inventories count'),
  scans: keyNames.default([]).describe('scanners whose vulnerability scans count'),
  vex: keyNames.default([]).describe('who may say that a vulnerability does not affect a release'),
  sboms: keyNames.default([]).describe('who lists what is in a release'),
  secrets: keyNames.default([]).describe('who may seal secrets to sites (default: nobody); never a stage’s own key'),
});

const scope = known({
  team: name.describe('whose boundary it is'),
  releases: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}\*?$/, 'expected the name of a release, or its beginning and *'))
    .min(1)
    .max(MAX_LIST)
    .describe('names of releases, or their beginning and *'),
  classes: classFilterShape.prefault({}).describe('classes of workload that it is for (default: all)'),
  signers: keyNames.default([]).describe('keys that sign nothing outside of it'),
  people: z.array(name).max(MAX_LIST).default([]).describe('people who approve nothing outside of it'),
  repositories: z.array(z.string().min(1).max(2048)).max(MAX_LIST).default([]).describe('sources that provenance must name (default: any)'),
});

const exact = z.string().regex(/^[\x21-\x7e]{1,2048}$/, 'expected printable ASCII without spaces');

const identity = known({
  identity: exact.describe('the subject alternative name of its certificates, letter for letter'),
  issuer: exact.describe('who vouches for it, as the certificates say, letter for letter'),
});

const pem = z.string().min(1).max(65_536);
const authority = known({
  url: z.url({ protocol: /^https?$/ }).describe('where it is asked'),
  chain: pem.describe('its certificates in PEM, its own first, a self-signed root last'),
});

const authorities = known({
  certificates: z.array(authority).min(1).max(16).describe('who vouches for identities (Fulcio); the first is asked for new certificates'),
  timestamps: z.array(authority).min(1).max(16).describe('who vouches for times (RFC 3161); the first is asked for new ones'),
  ctLogs: z
    .array(known({ url: z.url({ protocol: /^https?$/ }), key: pem.describe('its public key in PEM') }))
    .max(16)
    .default([])
    .describe('logs of certificates, one of which must have each certificate (default: none is asked for)'),
});

/** A witness and where it is asked. */
export const witnessShape = known({
  vkey: z.string().max(512).describe("the witness's verifier key (type 0x04)"),
  url: z.url({ protocol: /^https?$/ }).describe('where it is asked; not signed, may change at any time'),
});

const equivalence = known({
  classes: z
    .array(z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected the digest of a hardware class'))
    .min(2)
    .max(MAX_LIST),
  owner: name.describe('who answers for it'),
  expiresAt: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'expected a time as 2026-11-24T10:00:00Z'),
});

const exception = known({
  kind: z.enum(EXCEPTION_KINDS).describe('what is let through; see the format of exceptions'),
  people: z.array(name).min(1).max(MAX_LIST).describe('who may grant it, by ids of people'),
  need: z.int().min(1).max(MAX_LIST).describe('how many of them must sign'),
  maxDays: z.int().min(1).max(366).describe('longest that one may hold'),
  maxUses: z.int().min(1).max(64).describe('most decisions that may rest on one'),
});

const hardware = known({
  require: z
    .array(fact)
    .default([...DEFAULT_REQUIRED_FACTS])
    .describe('facts that must be known at the lab and at the site'),
  equivalences: z.array(equivalence).max(MAX_LIST).default([]),
});

/** Zod's shape of the whole file. */
export const pipelineShape = known({
  apiVersion: z.literal('sealane/v1').default('sealane/v1'),
  kind: z.literal('Pipeline').default('Pipeline'),
  lane: z
    .string()
    .regex(/^(?!.* - \d+$)[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, 'expected a bare host name')
    .default(DEFAULT_LANE)
    .describe("the lane's name: a bare host name, the origin of its log (default: lane.example, to try things out)"),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .exactOptional()
    .describe('where the lane is served (default: https://LANE)'),
  stages: z.array(stage).min(1).max(MAX_LIST),
  groups: z
    .record(z.string(), z.array(group).min(1).max(MAX_LIST))
    .default({})
    .describe('groups of sites by stage, in rollout order (default: one, all)'),
  people: z.array(person).max(MAX_LIST).default([]).describe('who may approve; quorums count people, not keys'),
  signers: signers.prefault({}),
  identities: z
    .record(keyName, identity)
    .default({})
    .describe('who signs without a key that lasts; their names stand wherever a key of a person or a signer does'),
  authorities: authorities.exactOptional().describe('who vouches for identities and for the time of their signatures'),
  exceptions: z
    .array(exception)
    .max(EXCEPTION_KINDS.length)
    .default([])
    .describe('who may let something through that does not hold, one entry a kind (default: nobody)'),
  scopes: z.array(scope).max(MAX_LIST).default([]).describe('what each team may sign; keys and people in none are for every release'),
  registrar: someKeyNames.prefault('registrar').describe('who enrols sites'),
  witnesses: z.array(witnessShape).min(1).max(MAX_LIST).describe('who cosigns the log; not on this host'),
  quorum: z.int().min(1).default(1).describe('how many witnesses must cosign'),
  hardware: hardware.prefault({}),
});

/** A pipeline, defaults filled in. */
export type Pipeline = z.output<typeof pipelineShape>;

/** The JSON Schema of the file as people write it. */
export function pipelineJsonSchema(): object {
  return { title: 'Sealane pipeline', ...z.toJSONSchema(pipelineShape, { io: 'input' }) };
}

function isRepository(text: string): boolean {
  try {
    parseRepository(text);
    return true;
  } catch (error) {
    if (error instanceof OciError) return false;
    throw error;
  }
}

/** A list; one item may stand without the brackets. */
function oneOr(item: z.ZodString, list: z.ZodArray<z.ZodString>): z.ZodType<string[], string | string[]> {
  return z.union([item, list]).transform((value) => [value].flat());
}

/** An object of exactly these keys; a stranger's message lists them. */
export function known<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}: expected one of ${keys}`
        : undefined,
  });
}
