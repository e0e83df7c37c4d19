/** Evidence about one image: a scan, what VEX says of it, what is in it. Read as gates will read it, before anybody signs. */
import { type Digest, encodeStatement, type JsonObject, PREDICATE, PromoterError } from '@sealane/core';
import { type ImagePart, imagePartsOf, isTime } from '@sealane/trust';
import { isSarif, readBom, readScan, readVex, scanOfSarif } from '@sealane/trust/promoter-gates';
import { readBlob } from '../content.js';
import { releaseDocument } from '../decision/gate-input.js';
import type { Promoter } from '../promoter.js';

/** Files of one call. `component` is the image that they are about; `databaseAt` when a scanner's database last changed, where SARIF does not say. */
export interface ImageEvidenceWish {
  readonly scan?: string;
  readonly vex?: string;
  readonly sbom?: string;
  readonly component?: string;
  readonly databaseAt?: string;
}

/** A statement that waits for its signature, and under which list of signers it counts. */
export interface UnsignedEvidence {
  readonly signers: 'scans' | 'vex' | 'sboms';
  readonly payload: Uint8Array;
}

/**
 * The statements for the files of a call. A whole in-toto statement keeps its subjects; anything else is said of the image and its platforms.
 *
 * @throws PromoterError `USAGE` which image is meant is not said; `EVIDENCE_SUBJECT` about other bytes; TrustError for what gates could not read
 */
export async function imageEvidence(
  promoter: Promoter,
  release: { readonly digest: Digest; readonly name: string },
  wish: ImageEvidenceWish,
  readJson: (file: string, what: string) => JsonObject,
): Promise<readonly UnsignedEvidence[]> {
  const { scan, vex, sbom } = wish;
  if (scan === undefined && vex === undefined && sbom === undefined) return [];
  const images = imagePartsOf({
    releaseDoc: await releaseDocument(promoter, release.digest),
    blob: (digest) => readBlob(promoter, digest),
  });
  if (!images.ok) throw new PromoterError(images.problem.code, `add evidence: ${images.problem.why}`);
  const parts = images.value;
  const made: UnsignedEvidence[] = [];
  const add = (signers: UnsignedEvidence['signers'], file: string, predicateType: string, document: JsonObject): JsonObject => {
    const { subject, predicate } = unwrap(document, predicateType, file);
    const known = new Set(
      [release.digest, ...parts.flatMap(({ digest, platforms }) => [digest, ...platforms])].map((digest) => digest.slice(7)),
    );
    const kept = subject?.filter(({ digest }) => known.has(digest.sha256));
    if (kept?.length === 0)
      throw new PromoterError(
        'EVIDENCE_SUBJECT',
        `read ${file}: expected a statement about an image of release ${release.digest}, got one about other bytes`,
      );
    made.push({
      signers,
      payload: encodeStatement({ subject: kept ?? subjectsOfImage(release, imageOf(parts, wish)), predicateType, predicate }),
    });
    return predicate;
  };
  if (scan !== undefined) {
    const document = readJson(scan, 'scan');
    if (wish.databaseAt !== undefined && !isTime(wish.databaseAt))
      throw new PromoterError('USAGE', `read --database-updated: expected a time as 2026-11-24T10:00:00Z, got ${wish.databaseAt}`);
    const times = { finishedAt: promoter.now(), ...(wish.databaseAt === undefined ? {} : { databaseAt: wish.databaseAt }) };
    const predicate = add('scans', scan, PREDICATE.vulnerabilities, isSarif(document) ? scanOfSarif(document, times) : document);
    readScan({ predicateType: PREDICATE.vulnerabilities, predicate });
  }
  if (vex !== undefined) readVex({ predicate: add('vex', vex, PREDICATE.cyclonedx, readJson(vex, 'VEX')) });
  if (sbom !== undefined) {
    const document = readJson(sbom, 'SBOM');
    const predicateType = typeOfBom(document);
    const components = readBom({ predicateType, predicate: add('sboms', sbom, predicateType, document) });
    if (components.length === 0) throw new PromoterError('EVIDENCE_RESULT', `read ${sbom}: expected an SBOM with components, got none`);
  }
  return made;
}

/** The one image that is meant. @throws PromoterError `USAGE` */
function imageOf(parts: readonly ImagePart[], { component }: ImageEvidenceWish): ImagePart {
  const names = parts.map(({ name }) => name).join(', ') || 'none';
  const found = component === undefined && parts.length === 1 ? parts[0] : parts.find(({ name }) => name === component);
  if (found !== undefined) return found;
  throw new PromoterError(
    'USAGE',
    `add evidence: expected --component with the image that it is about (${names}), got ${component ?? 'none'}`,
  );
}

interface Subject {
  readonly name?: string;
  readonly digest: { readonly sha256: string };
}

function subjectsOfImage(release: { readonly digest: Digest; readonly name: string }, image: ImagePart): Subject[] {
  const subject = (name: string, digest: Digest): Subject => ({ name, digest: { sha256: digest.slice('sha256:'.length) } });
  return [
    subject(release.name, release.digest),
    subject(image.name, image.digest),
    ...image.platforms.map((each) => subject(image.name, each)),
  ];
}

/** A whole statement's subjects and predicate; a document alone is the predicate. */
function unwrap(
  document: JsonObject,
  predicateType: string,
  file: string,
): { readonly subject: readonly Subject[] | undefined; readonly predicate: JsonObject } {
  if (document['_type'] === undefined) return { subject: undefined, predicate: document };
  const { subject, predicate } = document;
  if (document['predicateType'] !== predicateType || !Array.isArray(subject) || !isObject(predicate))
    throw new PromoterError('CONFIG_INVALID', `read ${file}: expected an in-toto statement of ${predicateType}, got another`);
  const subjects = (subject as readonly JsonObject[]).flatMap((each) => {
    const hex = isObject(each['digest']) ? each['digest']['sha256'] : undefined;
    return typeof hex === 'string' ? [{ digest: { sha256: hex } }] : [];
  });
  return { subject: subjects, predicate };
}

function typeOfBom(document: JsonObject): string {
  const inner = isObject(document['predicate']) ? document['predicate'] : document;
  return typeof inner['spdxVersion'] === 'string' ? PREDICATE.spdx : PREDICATE.cyclonedx;
}

function isObject(value: JsonObject[string] | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
