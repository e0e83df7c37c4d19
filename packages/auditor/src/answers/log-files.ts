/** The published log beside the ledger: every file is what the rows say, and none that the checkpoint needs is missing. */
import {
  equalBytes,
  fromUtf8,
  LIMITS,
  parseCheckpoint,
  parseEntryBundle,
  parseTilePath,
  parseTimestampPath,
  SealaneError,
  sha256,
} from '@sealane/core';
import type { Ledger, LedgerProblem } from '@sealane/ledger';

/** A published log. Paths are relative to its folder and use `/`. */
export interface LogFolder {
  /** Every file in it. */
  readonly list: () => readonly string[];
  /** A file; undefined when it is not there or larger than `maxBytes`. */
  readonly read: (path: string, maxBytes: number) => Uint8Array | undefined;
}

/** What a publisher that was killed leaves beside a file. */
const LEFTOVER = /(^|\/)\.[^/]*\.tmp$/;
/** A bundle of 256 leaves of the greatest length. */
const MAX_FILE_BYTES = 256 * (LIMITS.logLeafBytes + 2);

/** Holds a published log against a ledger that is sound. An empty folder has nothing to say: nothing was published yet. */
export async function logFileProblems(ledger: Ledger, folder: LogFolder): Promise<readonly LedgerProblem[]> {
  const present = folder.list().filter((path) => !LEFTOVER.test(path));
  const { size, problems } = await publishedSize(ledger, folder, present);
  const missing = ledger.logPaths(size).filter((path) => !present.includes(path));
  const wrong: LedgerProblem[] = [];
  for (const path of present.filter((each) => each !== 'checkpoint')) wrong.push(...(await fileProblems(ledger, folder, path)));
  return [...problems, ...missing.map((path) => problem(path, 'a file that the checkpoint needs', 'no file')), ...wrong];
}

function problem(path: string, expected: string, actual: string): LedgerProblem {
  return { where: 'log-file', key: path, expected, actual };
}

/** The size of the checkpoint there, which must be one that the ledger saved with its cosignatures. */
async function publishedSize(
  ledger: Ledger,
  folder: LogFolder,
  present: readonly string[],
): Promise<{ readonly size: number; readonly problems: readonly LedgerProblem[] }> {
  const wrong = (actual: string): { size: number; problems: readonly LedgerProblem[] } => ({
    size: 0,
    problems: [problem('checkpoint', 'a cosigned checkpoint that the ledger saved', actual)],
  });
  const bytes = folder.read('checkpoint', LIMITS.checkpointBytes);
  // tiles are written first: a first publish that was killed has files and no checkpoint, and nobody can rely on them
  if (bytes === undefined) return present.includes('checkpoint') ? wrong('a file that is too large') : { size: 0, problems: [] };
  try {
    const note = fromUtf8(bytes);
    const { size } = parseCheckpoint(note);
    const saved = await ledger.firstCosignedCovering(size - 1, (each) => each === note);
    return saved === null ? wrong(`another of size ${size}`) : { size, problems: [] };
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return wrong(error.message);
  }
}

async function fileProblems(ledger: Ledger, folder: LogFolder, path: string): Promise<readonly LedgerProblem[]> {
  const wanted = await wantedFile(ledger, path);
  if (wanted === undefined) return [problem(path, 'no such file in a log of this size', 'a file')];
  const actual = folder.read(path, MAX_FILE_BYTES);
  if (actual !== undefined && equalBytes(actual, wanted)) return [];
  return [problem(path, sha256(wanted), actual === undefined ? 'a file that is too large' : differenceOf(path, wanted, actual))];
}

/** What lies beside the tree: the timestamps of keyless signatures. One that is missing makes nothing false: its statement counts for nothing then. */
async function wantedFile(ledger: Ledger, path: string): Promise<Uint8Array | undefined> {
  const index = parseTimestampPath(path);
  return index === undefined ? await ledger.logFile(path) : (await ledger.entries(index, 1))[0]?.certified?.timestamp;
}

/** Where a file differs: the entry of a bundle, the hash of a tile. */
function differenceOf(path: string, wanted: Uint8Array, actual: Uint8Array): string {
  if (parseTimestampPath(path) !== undefined) return sha256(actual);
  const { level, index, width } = parseTilePath(path);
  if (level !== 'entries') {
    const at = wanted.findIndex((byte, position) => byte !== actual[position]);
    return at < 0 ? `${actual.length} bytes for ${wanted.length}` : `another hash at position ${Math.floor(at / 32)}`;
  }
  try {
    const [left, right] = [parseEntryBundle(wanted, width), parseEntryBundle(actual, width)];
    return `another entry ${index * 256 + left.findIndex((leaf, at) => !equalBytes(leaf, right[at] ?? new Uint8Array()))}`;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return error.message;
  }
}
