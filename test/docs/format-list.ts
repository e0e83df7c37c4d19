/** Every format that has a page and a JSON Schema: its schema, where the code has one, and the parser that decides. */
import { type JsonObject, parseLogLeaf, parseStatement, PREDICATE, readCertificateRequest, readSiteRequest } from '@sealane/core';
import { parseArchive, parseDatabase } from '@sealane/ledger';
import { parseReleaseManifest } from '@sealane/oci';
import {
  parseBundle,
  parseChannel,
  parsePolicy,
  parseSealedSecret,
  parseSiteShard,
  parseWaybill,
  readAnchor,
  readApproval,
  readCarriedBundle,
  readDecision,
  readErasure,
  readException,
  readExceptionRequest,
  readOrder,
  readRecall,
  readReceipt,
  readRelease,
  readReview,
  readRootStatement,
  readRetirement,
  readRevocation,
  readRig,
  readRigRebuild,
  readSecret,
  readSiteCertificate,
  readSiteRecord,
  readTestResult,
} from '@sealane/trust';
import { z } from 'zod';
import { exportShape, parseExportManifest } from '../../packages/auditor/src/export/manifest.js';
import { backupShape, parseManifest } from '../../packages/promoter/src/backup/manifest.js';
import { parsePipeline } from '../../packages/promoter/src/pipeline/pipeline.js';
import { pipelineJsonSchema } from '../../packages/promoter/src/pipeline/schema.js';
import { parseServiceFile } from '../../packages/promoter/src/service/service-file.js';
import { serviceJsonSchema } from '../../packages/promoter/src/service/service-shape.js';
import { parseProposal } from '../../packages/promoter/src/trust/proposal.js';
import { parseConfig } from '../../packages/site/src/config.js';
import { siteJsonSchema } from '../../packages/site/src/config-shape.js';
import { parseTemplate, siteTemplateJsonSchema } from '../../packages/site/src/site-template.js';
import { fetchAnswerShape, operatorRequestShape, parseFetchAnswer, parseOperatorRequest } from '../../packages/site/src/service/wire.js';
import { bundleShape } from '../../packages/trust/src/evidence/bundle-shape.js';
import {
  anchorShape,
  approvalShape,
  carriedBundleShape,
  decisionShape,
  exceptionRequestShape,
  erasureShape,
  exceptionShape,
  orderShape,
  recallShape,
  receiptShape,
  releaseShape,
  reviewShape,
  retirementShape,
  delegationShape,
  readDelegation,
  revocationShape,
  rigRebuildShape,
  rigShape,
  rootShape,
  secretShape,
  siteCertificateShape,
  siteRecordShape,
} from '../../packages/trust/src/evidence/predicates.js';
import { channelShape } from '../../packages/trust/src/policy/channel.js';
import { policyShape } from '../../packages/trust/src/policy/policy.js';
import { sealedSecretShape } from '../../packages/trust/src/policy/sealed-secret.js';
import { siteShardShape } from '../../packages/trust/src/policy/site-shard.js';
import { conditionsShape, parseConditions } from '../../packages/trust/src/reports/conditions.js';
import { fidelityShape, parseFidelity } from '../../packages/trust/src/reports/fidelity.js';
import { parseRehearsal, rehearsalShape } from '../../packages/trust/src/reports/rehearsal.js';
import { parseTopology, topologyShape } from '../../packages/trust/src/reports/topology.js';
import { waybillShape } from '../../packages/trust/src/waybill/waybill.js';

/** One format. */
export interface Format {
  /** Name of the page and of the schema: `docs/formats/NAME.md`, `docs/formats/NAME.schema.json`. */
  readonly name: string;
  readonly kind: 'statement' | 'document' | 'yaml';
  /** The schema as the code's own shape gives it; `by-hand` when the parser has none, so that the file is written by people. */
  readonly schema: JsonObject | 'by-hand';
  /** The program's parser: throws for what it refuses. */
  readonly parse: (bytes: Uint8Array) => unknown;
  /** Fields that we write and other tools need not: the parser takes a document without them, and with others. */
  readonly othersMayLack?: readonly string[];
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** All of them. */
export const FORMATS: readonly Format[] = [
  statement('anchor', PREDICATE.anchor, anchorShape, readAnchor),
  statement('approval', PREDICATE.approval, approvalShape, readApproval),
  statement('carried-bundle', PREDICATE.carriedBundle, carriedBundleShape, readCarriedBundle),
  statement('decision', PREDICATE.decision, decisionShape, readDecision),
  statement('erasure', PREDICATE.erasure, erasureShape, readErasure),
  statement('exception', PREDICATE.exception, exceptionShape, readException),
  statement('exception-request', PREDICATE.exceptionRequest, exceptionRequestShape, readExceptionRequest),
  statement('review', PREDICATE.review, reviewShape, readReview),
  statement('order', PREDICATE.order, orderShape, readOrder),
  statement('recall', PREDICATE.recall, recallShape, readRecall),
  statement('receipt', PREDICATE.receipt, receiptShape, readReceipt),
  statement('release', PREDICATE.release, releaseShape, readRelease),
  statement('retirement', PREDICATE.retirement, retirementShape, readRetirement),
  statement('delegation', PREDICATE.delegation, delegationShape, readDelegation),
  statement('revocation', PREDICATE.revocation, revocationShape, readRevocation),
  statement('rig', PREDICATE.rig, rigShape, readRig),
  statement('rig-rebuild', PREDICATE.rigRebuild, rigRebuildShape, readRigRebuild),
  statement('root', PREDICATE.root, rootShape, readRootStatement),
  statement('secret', PREDICATE.secret, secretShape, readSecret),
  statement('site-certificate', PREDICATE.siteCertificate, siteCertificateShape, readSiteCertificate),
  statement('site-record', PREDICATE.siteRecord, siteRecordShape, readSiteRecord),
  {
    name: 'test-result',
    kind: 'statement',
    schema: 'by-hand',
    parse: (bytes) => readTestResult(parseStatement(bytes)),
    othersMayLack: ['passedTests', 'failedTests', 'salt'],
  },
  document('bundle', bundleShape, parseBundle),
  document('channel', channelShape, parseChannel),
  document('sealed-secret', sealedSecretShape, parseSealedSecret),
  document('site-shard', siteShardShape, parseSiteShard),
  document('policy', policyShape, parsePolicy),
  document('waybill', waybillShape, parseWaybill),
  document('backup', backupShape, parseManifest),
  document('export', exportShape, parseExportManifest),
  document('conditions', conditionsShape, parseConditions),
  document('fidelity', fidelityShape, parseFidelity),
  document('rehearsal', rehearsalShape, parseRehearsal),
  document('topology', topologyShape, parseTopology),
  document('fetch-answer', fetchAnswerShape, parseFetchAnswer),
  document('operator-request', operatorRequestShape, parseOperatorRequest),
  { name: 'database', kind: 'document', schema: 'by-hand', parse: (bytes) => parseDatabase(bytes, 'database.json') },
  { name: 'archive', kind: 'document', schema: 'by-hand', parse: (bytes) => parseArchive(bytes, 'archive.json') },
  { name: 'log-leaf', kind: 'document', schema: 'by-hand', parse: parseLogLeaf },
  { name: 'proposal', kind: 'document', schema: 'by-hand', parse: (bytes) => parseProposal(bytes, 'proposal.json') },
  { name: 'release-manifest', kind: 'document', schema: 'by-hand', parse: parseReleaseManifest },
  { name: 'certificate-request', kind: 'document', schema: 'by-hand', parse: readCertificateRequest },
  { name: 'site-request', kind: 'document', schema: 'by-hand', parse: readSiteRequest },
  {
    name: 'pipeline',
    kind: 'yaml',
    schema: described('pipeline', pipelineJsonSchema()),
    parse: (bytes) => parsePipeline(bytes, 'pipeline.yaml'),
  },
  {
    name: 'service',
    kind: 'yaml',
    schema: described('service', serviceJsonSchema()),
    parse: (bytes) => parseServiceFile(bytes, 'service.yaml'),
  },
  {
    name: 'site',
    kind: 'yaml',
    schema: described('site', siteJsonSchema()),
    parse: (bytes) => parseConfig(text(bytes), '/etc/sealane/site.yaml'),
  },
  {
    name: 'site-template',
    kind: 'yaml',
    schema: described('site-template', siteTemplateJsonSchema()),
    parse: (bytes) => parseTemplate(text(bytes), 'template.yaml'),
  },
];

/** The part of a document in which its own fields are: of a statement the predicate. */
export function bodyOf(format: Format, value: JsonObject): JsonObject {
  return format.kind === 'statement' ? (value['predicate'] as JsonObject) : value;
}

/** The schema of that part. */
export function bodySchema(format: Format, schema: JsonObject): JsonObject {
  return format.kind === 'statement' ? ((schema['properties'] as JsonObject)['predicate'] as JsonObject) : schema;
}

function statement(
  name: string,
  predicateType: string,
  shape: z.ZodType,
  read: (value: ReturnType<typeof parseStatement>) => unknown,
): Format {
  const { $schema: _, ...predicate } = z.toJSONSchema(shape, { io: 'input' }) as JsonObject;
  return {
    name,
    kind: 'statement',
    schema: described(name, inToto(predicateType, predicate)),
    parse: (bytes) => read(parseStatement(bytes)),
  };
}

function document(name: string, shape: z.ZodType, parse: Format['parse']): Format {
  return { name, kind: 'document', schema: described(name, z.toJSONSchema(shape, { io: 'input' })), parse };
}

/** The schema of an in-toto statement v1 around a predicate, as Sealane writes it. */
function inToto(predicateType: string, predicate: JsonObject): JsonObject {
  const digest = {
    type: 'object',
    properties: { sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
    required: ['sha256'],
    additionalProperties: false,
  };
  const subject = { type: 'object', properties: { name: { type: 'string' }, digest }, required: ['digest'], additionalProperties: false };
  return {
    type: 'object',
    properties: {
      _type: { const: 'https://in-toto.io/Statement/v1' },
      subject: { type: 'array', items: subject, minItems: 1, maxItems: 10_000 },
      predicateType: { const: predicateType },
      predicate,
    },
    required: ['_type', 'subject', 'predicateType', 'predicate'],
    additionalProperties: false,
  };
}

function described(name: string, schema: object): JsonObject {
  const { $schema: _schema, title: _title, ...rest } = JSON.parse(JSON.stringify(schema)) as JsonObject;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:sealane:schema:${name}:v1`,
    title: `Sealane ${name}`,
    ...rest,
  };
}
