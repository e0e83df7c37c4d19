/** Takes out of a ledger and lane what an export holds of a release, a site or a period. */
import { AuditorError, canonicalJson, type Digest, logId, parseCheckpoint, parseTilePath, parseVkey, TILE_WIDTH } from '@sealane/core';
import type { Ledger, LedgerEntry } from '@sealane/ledger';
import { encodeBundle, IMAGE_EVIDENCE, isAuthorsWord, isEnrolment, namedBlobs, subjectDigests, type TufRead } from '@sealane/trust';
import { withArchived } from '../answers/archived.js';
import type { AuditContext } from '../answers/context.js';
import { FIRST_ROOT, readLaneTrust } from '../lane-trust.js';
import type { ExportedStatement, ExportPackage } from './export-package.js';
import { type ExportSubject, makeManifest } from './manifest.js';
import { choosePeriod, type PeriodWish } from './period.js';
import { partNamed, releaseParts } from './release-parts.js';

/** What to export: one of the three. */
export type ExportWish = { readonly release: Digest } | { readonly site: string } | { readonly period: PeriodWish };

/** More would not be held in memory, nor read by anybody: a period is to be cut then. */
const MAX_STATEMENTS = 100_000;

/**
 * Collects an export. Deterministic: the same ledger and lane give the same.
 *
 * @throws AuditorError `RELEASE_UNKNOWN`, `SITE_UNKNOWN`; `LOG_WITNESS` nothing of it is cosigned yet; `USAGE` a period that is too long or no period
 */
export async function collectExport(context: AuditContext, trust: TufRead, wish: ExportWish): Promise<ExportPackage> {
  return await withArchived(context, (reading) => collect(reading, trust, wish));
}

async function collect(context: AuditContext, trust: TufRead, wish: ExportWish): Promise<ExportPackage> {
  const gone: Digest[] = [];
  const ledger = 'period' in wish ? context.ledger : context.ledger.noting(({ statementDigest }) => void gone.push(statementDigest));
  const chosen = await choose({ ...context, ledger }, wish);
  const { size } = parseCheckpoint(chosen.checkpoint);
  const entries = chosen.entries.filter(({ index }) => index < size).sort((a, b) => a.index - b.index);
  if (entries.length > MAX_STATEMENTS)
    throw new AuditorError('USAGE', `export: expected at most ${MAX_STATEMENTS} statements, got ${entries.length}`);
  const statements: ExportedStatement[] = [];
  for (const entry of entries) statements.push(await exported(ledger, entry, chosen.checkpoint));
  const named = [...new Set([...entries.flatMap((entry) => namedBlobs(entry.statement)), ...chosen.manifests])].sort();
  const blobs = new Map(
    named.flatMap((digest) => {
      const bytes = context.readBlob(digest);
      return bytes === undefined ? [] : [[digest, bytes] as const];
    }),
  );
  const missing = [...new Set([...gone, ...named.filter((digest) => !blobs.has(digest))])].sort();
  const { subject } = chosen;
  return {
    manifest: makeManifest({ origin: ledger.origin, size, ...subject, missing }),
    checkpoint: chosen.checkpoint,
    notes: distinct([...statements.map(({ first }) => first.note), chosen.begin ?? chosen.checkpoint], chosen.checkpoint),
    statements,
    blobs,
    trust: trustFiles(trust),
    tiles: subject.period === null ? new Map() : await tilesOf(ledger, size, subject.period.first),
  };
}

interface Chosen {
  readonly subject: ExportSubject;
  readonly entries: readonly LedgerEntry[];
  /** Blobs that say what the parts of its releases are. */
  readonly manifests: readonly Digest[];
  readonly checkpoint: string;
  /** The checkpoint with which a period begins; null at the beginning of the log. */
  readonly begin: string | null;
}

async function choose(context: AuditContext, wish: ExportWish): Promise<Chosen> {
  const { ledger } = context;
  if ('period' in wish) {
    const { begin, end, ...period } = await choosePeriod(context, wish.period);
    const entries = await ledger.entries(period.first, Math.min(parseCheckpoint(end).size - period.first, MAX_STATEMENTS + 1));
    return {
      subject: { release: null, site: null, period },
      entries: await withEnrolments(context, entries),
      manifests: [],
      checkpoint: end,
      begin,
    };
  }
  const checkpoint = await ledger.latestCosigned();
  if (checkpoint === null) throw new AuditorError('LOG_WITNESS', `export of ${ledger.origin}: expected a cosigned checkpoint, got none`);
  const found = 'release' in wish ? await aboutRelease(context, wish.release) : await aboutSite(context, wish.site);
  const subject = { release: 'release' in wish ? wish.release : null, site: 'site' in wish ? wish.site : null, period: null };
  return { subject, entries: await withEnrolments(context, found.entries), manifests: found.manifests, checkpoint, begin: null };
}

type Found = Pick<Chosen, 'entries' | 'manifests'>;

async function aboutRelease(context: AuditContext, release: Digest): Promise<Found> {
  const { ledger } = context;
  if ((await ledger.releases(release)).length === 0)
    throw new AuditorError('RELEASE_UNKNOWN', `export ${release}: there is no such release in the ledger`, { release });
  const ofParts = await aboutParts(context, release);
  return { ...ofParts, entries: unique([...(await ledger.statementsAbout(release)), ...ofParts.entries]) };
}

/**
 * What was said of the parts of a release and does not name it. Scans and lists of packages count for whatever has the image, as they do for gates; how another
 * release with the same image was built, tested and judged is told of that one.
 */
async function aboutParts({ ledger, policies, readBlob }: AuditContext, release: Digest): Promise<Found> {
  const { parts, manifests } = releaseParts(release, readBlob);
  const digests = new Set(parts.flatMap(({ digest, platforms }) => [digest, ...platforms]));
  const found: LedgerEntry[] = [];
  for (const digest of digests) found.push(...(await ledger.statementsAbout(digest)));
  const named = found.flatMap(({ statement }) => subjectDigests(statement)).filter((digest) => digest !== release && !digests.has(digest));
  // who may name no release hides nothing by calling something one
  const known = (await ledger.releases([...new Set(named)])).filter((row) => isAuthorsWord(policies, row));
  const others = new Set(known.map((row) => row.release));
  const isTold = ({ statement }: LedgerEntry): boolean =>
    partNamed(statement, parts) !== undefined &&
    (IMAGE_EVIDENCE.includes(statement.predicateType) || !subjectDigests(statement).some((digest) => others.has(digest)));
  return { manifests, entries: found.filter(isTold) };
}

/** A site's records and receipts, and what was said of each release that it names, and of its parts. */
async function aboutSite(context: AuditContext, site: string): Promise<Found> {
  const { ledger } = context;
  const records = await ledger.sites(site);
  if (records.length === 0) throw new AuditorError('SITE_UNKNOWN', `export ${site}: there is no such site in the ledger`, { site });
  const receipts = await ledger.receiptsOf(site);
  const releases = new Set(receipts.flatMap(({ release }) => (release === null ? [] : [release])));
  const own = await ledger.entriesAt([...records, ...receipts].map(({ index }) => index));
  const about: LedgerEntry[] = [];
  const manifests: Digest[] = [];
  for (const release of releases) {
    const ofParts = await aboutParts(context, release);
    about.push(...(await ledger.evidenceAbout(release)), ...ofParts.entries);
    manifests.push(...ofParts.manifests);
  }
  return { entries: unique([...own, ...about]), manifests };
}

/** With the registrar's records of the rigs and sites whose keys signed something of it: else nobody can say whose keys they are. */
async function withEnrolments({ ledger, policies }: AuditContext, entries: readonly LedgerEntry[]): Promise<readonly LedgerEntry[]> {
  const signers = new Set(entries.map(({ keyId }) => keyId));
  const registrars = new Set(policies.flatMap(({ registrar }) => registrar));
  const records: LedgerEntry[] = [];
  for (const registrar of registrars) {
    for (const entry of await ledger.statementsBy(registrar)) {
      const { key } = entry.statement.predicate as { readonly key?: { readonly id?: string } };
      if (isEnrolment(entry.statement) && key?.id !== undefined && signers.has(key.id)) records.push(entry);
    }
  }
  return unique([...entries, ...records]);
}

function unique(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  return [...new Map(entries.map((entry) => [entry.index, entry])).values()];
}

async function exported(ledger: Ledger, entry: LedgerEntry, checkpoint: string): Promise<ExportedStatement> {
  const { size, root } = parseCheckpoint(checkpoint);
  const bundle = encodeBundle({
    ...entry,
    proof: {
      logIndex: entry.index,
      treeSize: size,
      rootHash: root,
      hashes: await ledger.inclusionProof(entry.index, size),
      checkpoint,
      logId: logId(parseVkey(ledger.proofKey(checkpoint))),
    },
  });
  const note = (await ledger.firstCosignedCovering(entry.index)) ?? checkpoint;
  const hashes = await ledger.inclusionProof(entry.index, parseCheckpoint(note).size);
  return { index: entry.index, bundle: canonicalJson(bundle), first: { hashes, note } };
}

/** One note of each size, without that at the head: whoever asks for the first one of a size gets the same. */
function distinct(notes: readonly string[], head: string): readonly string[] {
  const bySize = new Map(notes.filter((note) => note !== head).map((note) => [parseCheckpoint(note).size, note]));
  return [...bySize].sort(([a], [b]) => a - b).map(([, note]) => note);
}

/** All that a verifier reads of the TUF repository, from its first root on. */
function trustFiles(trust: TufRead): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const keep: TufRead = (name, maxBytes) => {
    const bytes = trust(name, maxBytes);
    if (bytes !== undefined) files.set(name, bytes);
    return bytes;
  };
  readLaneTrust(keep(FIRST_ROOT, Number.MAX_SAFE_INTEGER) ?? new Uint8Array(), keep);
  return files;
}

/** The tiles that lead from every entry from `first` on, and from the trees at both ends of the period, to the root. */
async function tilesOf(ledger: Ledger, size: number, first: number): Promise<ReadonlyMap<string, Uint8Array>> {
  const low = Math.floor(Math.max(first - 1, 0) / TILE_WIDTH);
  const tiles = new Map<string, Uint8Array>();
  for (const path of ledger.logPaths(size)) {
    const { level, index } = parseTilePath(path);
    if (level === 'entries' || (level === 0 && index < low)) continue;
    const bytes = await ledger.logFile(path);
    if (bytes !== undefined) tiles.set(path, bytes);
  }
  return tiles;
}
