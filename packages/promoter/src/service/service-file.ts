/** `service.yaml`: who may call the promoter service, what each caller may do, and how much of it. */
import { checkWitnesses } from '../pipeline/pipeline.js';
import { parseYaml, readShape, type YamlFile } from '../pipeline/yaml-file.js';
import { type CallerRule, type ServiceConfig, serviceShape, WITHOUT_CALLERS } from './service-shape.js';

export type { CallerRule, IssuerRule, RecordSigner, ServiceConfig } from './service-shape.js';

/**
 * Reads a service file. Every problem is named with line and column.
 *
 * @throws PromoterError `CONFIG_INVALID`
 */
export function parseServiceFile(bytes: Uint8Array, file: string): ServiceConfig {
  const yaml = parseYaml(bytes, file);
  const config = readShape(yaml, serviceShape);
  checkIssuers(config, yaml);
  config.callers.forEach((caller, index) => checkCaller(config, caller, index, yaml));
  checkRecordSigners(config, yaml);
  checkRecordWitnesses(config, yaml);
  return config;
}

/** A service without a file serves the lane and takes receipts; nobody may call it. */
export function serviceWithoutCallers(): ServiceConfig {
  return serviceShape.parse(WITHOUT_CALLERS);
}

function checkIssuers({ issuers }: ServiceConfig, { fail }: YamlFile): void {
  issuers.forEach(({ issuer, jwks }, index) => {
    if (issuers.findIndex((other) => other.issuer === issuer) !== index)
      throw fail(['issuers', index, 'issuer'], `expected each issuer once, got ${issuer} again`);
    // who can answer for the keys of an issuer is that issuer: on the way to another host nobody may
    if (!jwks.startsWith('https:') && !isLoopback(jwks)) throw fail(['issuers', index, 'jwks'], `expected an https address, got ${jwks}`);
  });
}

function checkCaller({ callers, issuers, tls }: ServiceConfig, caller: CallerRule, index: number, { fail }: YamlFile): void {
  const at = ['callers', index];
  if (callers.findIndex(({ name }) => name === caller.name) !== index)
    throw fail([...at, 'name'], `expected each caller once, got ${caller.name} again`);
  if ((caller.token === undefined) === (caller.certificate === undefined))
    throw fail(at, `caller ${caller.name}: expected either token or certificate`);
  if (caller.token !== undefined && !issuers.some(({ issuer }) => issuer === caller.token?.issuer))
    throw fail([...at, 'token', 'issuer'], `expected one of issuers, got ${caller.token.issuer}`);
  if (caller.token !== undefined && Object.keys(caller.token.claims).length === 0)
    throw fail([...at, 'token', 'claims'], `caller ${caller.name}: expected at least one claim`);
  const wild = Object.entries(caller.token?.claims ?? {}).find(([, value]) => typeof value === 'string' && /[*?]/.test(value));
  if (wild !== undefined)
    throw fail(
      [...at, 'token', 'claims', wild[0]],
      `expected the whole value: claims are compared letter for letter, there are no wildcards`,
    );
  if (caller.certificate !== undefined && tls?.clientCa === undefined)
    throw fail([...at, 'certificate'], 'expected tls.clientCa, which issues the certificates of callers');
  if (caller.certificate !== undefined && (caller.certificate.key === undefined) === (caller.certificate.san === undefined))
    throw fail([...at, 'certificate'], 'expected either key or san');
  if (caller.rights.includes('promote') !== caller.stages.length > 0)
    throw fail([...at, 'stages'], `caller ${caller.name}: expected stages exactly where rights name promote`);
}

/** A signature means one signer, and a name in the log too. */
function checkRecordSigners({ records }: ServiceConfig, { fail }: YamlFile): void {
  const signers = records?.signers ?? [];
  signers.forEach(({ name, key }, index) => {
    if (signers.findIndex((other) => other.name === name || other.key === key) !== index)
      throw fail(['records', 'signers', index], `expected each name and each key once, got ${name} again`);
  });
}

/** Without witnesses there is no quorum. */
function checkRecordWitnesses({ records }: ServiceConfig, yaml: YamlFile): void {
  if (records !== undefined && (records.witnesses.length > 0 || records.quorum > 1)) checkWitnesses(records, yaml, ['records']);
}

/** Whether an address leads to this host only. */
function isLoopback(url: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(new URL(url).hostname);
}
