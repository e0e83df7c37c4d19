/** SARIF 2.1.0 (OASIS), as scanners write it, into the in-toto predicate for vulnerabilities: one format for gates, whatever the scanner wrote. */
import { type JsonObject, TrustError } from '@sealane/core';
import { z } from 'zod';

const text = z.string().min(1).max(2048);
const rule = z.looseObject({ id: text, properties: z.looseObject({}).optional() });
const driver = z.looseObject({
  name: text,
  version: z.string().max(200).optional(),
  semanticVersion: z.string().max(200).optional(),
  informationUri: z.string().max(2048).optional(),
  rules: z.array(rule).max(100_000).optional(),
});
const result = z.looseObject({
  ruleId: text.optional(),
  ruleIndex: z.int().min(-1).optional(),
  kind: z.string().max(64).optional(),
  properties: z.looseObject({}).optional(),
});
const run = z.looseObject({
  tool: z.looseObject({ driver }),
  invocations: z
    .array(z.looseObject({ executionSuccessful: z.boolean(), endTimeUtc: z.string().max(64).optional() }))
    .max(100)
    .optional(),
  results: z.array(result).max(100_000),
  externalPropertyFileReferences: z.looseObject({}).optional(),
});
const sarifShape = z.looseObject({ version: z.literal('2.1.0'), runs: z.array(run).min(1).max(1) });

/** Results that say that nothing was found. */
const NOT_FOUND: readonly string[] = ['pass', 'notApplicable'];

/** What SARIF does not say, and the signer does. */
export interface ScanTimes {
  readonly finishedAt: string;
  readonly databaseAt?: string;
}

/** Whether a document says that it is SARIF. */
export function isSarif(document: JsonObject): boolean {
  return Array.isArray(document.runs) || (typeof document.$schema === 'string' && document.$schema.includes('sarif'));
}

/**
 * The predicate of a scan. A run that did not end well, has its results elsewhere or names no scanner is none; suppressed results count:
 * what may pass is said in policy, or in VEX.
 *
 * @throws TrustError `EVIDENCE_RESULT`
 */
export function scanOfSarif(document: JsonObject, times: ScanTimes): JsonObject {
  const parsed = sarifShape.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refused(`${issue?.path.join('.') ?? ''}: ${(issue?.message ?? 'another shape').slice(0, 200)}`);
  }
  const [first] = parsed.data.runs;
  if (first === undefined) throw refused('no run');
  if (first.externalPropertyFileReferences !== undefined) throw refused('results in another file');
  if ((first.invocations ?? []).some(({ executionSuccessful }) => !executionSuccessful)) throw refused('a run that failed');
  const { name, version, semanticVersion, informationUri, rules = [] } = first.tool.driver;
  const ended = (first.invocations ?? []).map(({ endTimeUtc }) => endTimeUtc).find((time) => time !== undefined);
  const scores = new Map(rules.map((each) => [each.id, securitySeverity(each.properties)]));
  const found = first.results
    .filter(({ kind = 'fail' }) => !NOT_FOUND.includes(kind))
    .map(({ ruleId, ruleIndex, properties }): JsonObject => {
      const id = ruleId ?? rules[ruleIndex ?? -1]?.id;
      if (id === undefined) throw refused('a result without a rule');
      const own = securitySeverity(properties) ?? scores.get(id);
      return { id, severity: own === undefined ? [] : [{ method: 'security-severity', score: own }] };
    });
  const said = version ?? semanticVersion;
  return {
    scanner: {
      uri: informationUri ?? name,
      ...(said === undefined ? {} : { version: said }),
      ...(times.databaseAt === undefined ? {} : { db: { lastUpdate: times.databaseAt } }),
      result: found,
    },
    metadata: { scanFinishedOn: ended ?? times.finishedAt },
  };
}

/** The CVSS score that scanners put into `security-severity`; SARIF's own levels are no severities. */
function securitySeverity(properties: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const value = properties?.['security-severity'];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function refused(problem: string): TrustError {
  return new TrustError('EVIDENCE_RESULT', `read a scan: expected SARIF 2.1.0 of one run of a named scanner, got ${problem}`);
}
