/** `https://in-toto.io/attestation/vulns/v0.2`: what a scanner found in an image, and how fresh its database was. */
import { PREDICATE, type Statement, TrustError } from '@sealane/core';
import { z } from 'zod';
import { type Severities, severitiesOf } from './severity.js';

/** One vulnerability that a scanner found. */
export interface FoundVulnerability extends Severities {
  readonly id: string;
  readonly purl: string | undefined;
}

/** A scan; times are seconds since 1970, undefined where it does not say. */
export interface Scan {
  readonly scanner: string;
  readonly finishedAt: number | undefined;
  readonly databaseAt: number | undefined;
  readonly found: readonly FoundVulnerability[];
}

/** Far above any scan seen: a large image has a few thousand. */
const MAX_RESULTS = 100_000;

const text = z.string().min(1).max(2048);
const score = z.union([z.string().max(200), z.number()]);
const resultShape = z.looseObject({
  id: text,
  severity: z.array(z.looseObject({ method: z.string().max(200).optional(), score })).max(100),
  annotations: z.array(z.record(z.string(), z.unknown())).max(1000).optional(),
});
const scanShape = z.looseObject({
  scanner: z.looseObject({
    uri: text,
    version: z.string().max(200).optional(),
    db: z.looseObject({ lastUpdate: z.string().max(64).optional() }).optional(),
    result: z.array(resultShape).max(MAX_RESULTS),
  }),
  metadata: z.looseObject({ scanFinishedOn: z.string().max(64).optional() }).optional(),
});

/** Reads a scan. @throws TrustError `TRUST_MALFORMED` another shape: no scanner named, no list of results */
export function readScan({ predicateType, predicate }: Pick<Statement, 'predicateType' | 'predicate'>): Scan {
  const parsed = scanShape.safeParse(predicate);
  if (predicateType !== PREDICATE.vulnerabilities || !parsed.success) {
    const issue = parsed.error?.issues[0];
    throw new TrustError(
      'TRUST_MALFORMED',
      `read a scan: expected ${PREDICATE.vulnerabilities}, got ${issue === undefined ? predicateType.slice(0, 200) : `${issue.path.join('.')}: ${issue.message.slice(0, 200)}`}`,
    );
  }
  const { scanner, metadata } = parsed.data;
  return {
    // a scanner's next version is the same scanner
    scanner: scanner.uri.replace(/@.*$/, ''),
    finishedAt: secondsOf(metadata?.scanFinishedOn),
    databaseAt: secondsOf(scanner.db?.lastUpdate),
    found: scanner.result.flatMap(({ id, severity, annotations = [] }) => {
      const purls = annotations.map(({ purl }) => purl).filter((each) => typeof each === 'string');
      // one in several packages is one in each: VEX about the first says nothing of the others
      const places = purls.length === 0 ? [undefined] : [...new Set(purls)];
      return places.map((purl) => ({ id, ...severitiesOf(severity.map((each) => each.score)), purl }));
    }),
  };
}

/** RFC 3339, fractions and offsets included; a time that is none is as if it were not said. */
function secondsOf(time: string | undefined): number | undefined {
  if (time === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(time)) return undefined;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? undefined : Math.floor(parsed / 1000);
}
