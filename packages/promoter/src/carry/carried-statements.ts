/** The folder in which a release goes from one lane to another by hand: `content/` (an OCI layout), `log/` (tiles), `statements.json` (bundles with proofs). */
import path from 'node:path';
import { type Digest, type JsonObject, LIMITS, parseStrictJson, PREDICATE, PromoterError } from '@sealane/core';
import { isOfRelease, MAX_ANCHORED, parseBundle, type ParsedBundle, readRelease, subjectDigests } from '@sealane/trust';
import { readNamed } from '../disk-shell.js';

/** Where its parts lie. */
export const CARRIED = { content: 'content', log: 'log', statements: 'statements.json' } as const;

/** A release as it was carried here; nothing of it is verified. */
export interface CarriedRelease {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
  readonly statements: readonly { readonly bundle: ParsedBundle; readonly json: JsonObject }[];
}

/**
 * Reads `statements.json`: bundles about one release, its own statement among them.
 *
 * @throws PromoterError `CONFIG_INVALID` no such file, none or too many statements, about no or more than one release; `EVIDENCE_SUBJECT` one is about
 * other bytes: it would be shown as what was said of this release; TrustError `TRUST_MALFORMED`
 */
export function readCarried(folder: string): CarriedRelease {
  const file = path.join(folder, CARRIED.statements);
  return parseCarried(file, readNamed(file, 'carried statements'));
}

/** As `readCarried`, of the bytes of that file. */
export function parseCarried(file: string, bytes: Uint8Array): CarriedRelease {
  const value = parseStrictJson(bytes, {
    maxBytes: LIMITS.evidenceBlobBytes,
    maxDepth: LIMITS.jsonDepth + 2,
  });
  const items = Array.isArray(value) ? (value as readonly JsonObject[]) : [];
  if (items.length === 0 || items.length > MAX_ANCHORED)
    throw new PromoterError('CONFIG_INVALID', `read ${file}: expected a list of 1 to ${MAX_ANCHORED} bundles, got ${items.length}`);
  const statements = items.map((json) => ({ json, bundle: parseBundle(json) }));
  const own = statements.map(({ bundle }) => bundle.statement).filter(({ predicateType }) => predicateType === PREDICATE.release);
  const releases = new Set(own.flatMap((statement) => subjectDigests(statement).slice(0, 1)));
  const [release] = releases;
  if (own[0] === undefined || release === undefined || releases.size > 1)
    throw new PromoterError('CONFIG_INVALID', `read ${file}: expected the statement of one release, got ${releases.size}`);
  const other = statements.find(({ bundle }) => !isOfRelease(bundle.statement, release));
  if (other !== undefined) throw aboutOthers(file, release, other.bundle);
  const { name, version } = readRelease(own[0]);
  return { release, name, version, statements };
}

function aboutOthers(file: string, release: Digest, { statementDigest, statement }: ParsedBundle): PromoterError {
  return new PromoterError(
    'EVIDENCE_SUBJECT',
    `read ${file}: expected statements about release ${release}, got ${statementDigest} (${statement.predicateType}) about other bytes`,
    { release },
    { hint: 'carry it again, as this wrote it: sealane evidence export RELEASE --out DIR' },
  );
}
