/** The shape of `service.yaml` and its defaults. The JSON Schema for editors is generated from it (`docs/formats/service.schema.json`). */
import { z } from 'zod';
import { known, witnessShape } from '../pipeline/schema.js';
import { RIGHTS } from './rights.js';

/** Most issuers, callers, claims or stages in one place. */
const MAX_LIST = 1024;
const [MIB, GIB] = [1024 ** 2, 1024 ** 3];

const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, 'expected a name of lower-case letters, digits, dots and dashes')
  .describe('a name: lower-case letters, digits, dots, dashes');
const file = z.string().min(1).max(4096);
const keyId = z.string().regex(/^[0-9a-f]{64}$/, 'expected a key id of 64 hex digits');

const tls = known({
  listen: z
    .string()
    .regex(/^.{1,255}:\d{1,5}$/, 'expected HOST:PORT')
    .describe('where callers with TLS are served, beside --listen'),
  certificate: file.describe('PEM chain of the service'),
  key: file.describe('its private key, PEM, readable by its owner only'),
  clientCa: file.exactOptional().describe('PEM of the authority that issues the certificates of callers'),
});

const issuer = known({
  issuer: z.url({ protocol: /^https?$/ }).describe('the iss of its tokens, letter for letter'),
  audience: z.string().min(1).max(1024).describe('the one aud that its tokens must have'),
  jwks: z.url({ protocol: /^https?$/ }).describe('where its keys are; https, or http on this host'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .max(10)
    .default(['RS256'])
    .describe('how its tokens are signed'),
  keysMaxAgeSeconds: z.int().min(1).max(86_400).default(600).describe('how long its keys count when it cannot be reached'),
});

const token = known({
  issuer: z.string().min(1).max(2048).describe('one of issuers'),
  claims: z
    .record(z.string().min(1).max(128), z.union([z.string().max(2048), z.number(), z.boolean()]))
    .describe('claims that the token must have with exactly these values'),
});

const certificate = known({
  key: keyId.exactOptional().describe('key id of the certificate: SHA-256 of its SubjectPublicKeyInfo'),
  san: z.string().min(1).max(1024).exactOptional().describe('one of its subject alternative names, as DNS:… or URI:…'),
});

const caller = known({
  name: name.describe('what the log calls it'),
  token: token.exactOptional().describe('known by an OIDC token'),
  certificate: certificate.exactOptional().describe('known by a client certificate under tls.clientCa'),
  rights: z.array(z.enum(RIGHTS)).min(1).max(RIGHTS.length).describe('routes that it may call'),
  stages: z.array(name).max(64).default([]).describe('stages that it may promote to'),
});

const records = known({
  signers: z
    .array(known({ name: name.describe('what the log calls it'), key: keyId.describe('key id: SHA-256 of its SubjectPublicKeyInfo') }))
    .min(1)
    .max(MAX_LIST)
    .describe('whose signatures are logged; each key once'),
  witnesses: z.array(witnessShape).max(64).default([]).describe('who cosigns this log; not on this host (default: nobody)'),
  quorum: z.int().min(1).default(1).describe('how many of them must cosign a record before it is answered'),
});

const limits = known({
  requestsPerMinute: z.int().min(1).max(1_000_000).default(600).describe('requests of one caller in a minute'),
  uploadBytesPerHour: z
    .int()
    .min(1)
    .max(1024 * GIB)
    .default(16 * GIB)
    .describe('bytes that one caller may upload in an hour'),
  receiptBytesPerHour: z
    .int()
    .min(1)
    .max(1024 * GIB)
    .default(64 * MIB)
    .describe('bytes of receipts of one site that are logged in an hour: a site that was cut off keeps at most 64 MiB'),
  connections: z.int().min(1).max(1_000_000).default(8192).describe('open connections of each address that is listened on'),
  drainSeconds: z.int().min(0).max(600).default(20).describe('how long open requests may take after SIGTERM'),
});

/** Zod's shape of the whole file. */
export const serviceShape = known({
  apiVersion: z.literal('sealane/v1'),
  kind: z.literal('Service'),
  tls: tls.exactOptional().describe('a second address, with TLS'),
  issuers: z.array(issuer).max(64).default([]).describe('whose tokens are taken'),
  callers: z.array(caller).max(MAX_LIST).default([]).describe('who may call; exactly one must fit'),
  records: records.exactOptional().describe('who may log with cosign: see sealane records init'),
  limits: limits.prefault({}),
});

/** The file, defaults filled in. */
export type ServiceConfig = z.output<typeof serviceShape>;
export type IssuerRule = ServiceConfig['issuers'][number];
export type CallerRule = ServiceConfig['callers'][number];
export type RecordSigner = NonNullable<ServiceConfig['records']>['signers'][number];

/** The file that says nothing. */
export const WITHOUT_CALLERS = { apiVersion: 'sealane/v1', kind: 'Service' } as const;

/** The JSON Schema of the file as people write it. */
export function serviceJsonSchema(): object {
  return { title: 'Sealane service', ...z.toJSONSchema(serviceShape, { io: 'input' }) };
}
