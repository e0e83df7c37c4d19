/**
 * Reads a tar stream entry by entry, refusing everything that two honest readers could take differently.
 *
 * Our own and not tar-stream's: that one skips over zero blocks, takes `-1` and `9` for octal, ends quietly at a pax record
 * of a wrong length, and none of it can be switched off. Names and links are not judged here (`safe-path.ts` does).
 */
import { byteReader, type ByteReader } from './byte-reader.js';
import type { UnpackLimits } from './limits.js';
import { isZeroBlock, parseTarHeader, TAR_BLOCK_BYTES, type TarHeader, tarText, unsafe } from './tar-header.js';
import { checkGlobalPax, parsePax, type PaxFields } from './tar-pax.js';

/** What an entry is. Devices, fifos, sparse files and types unknown never come out of the reader. */
export type TarEntryKind = 'file' | 'dir' | 'symlink' | 'hardlink';

/** One entry. `name` and `linkTarget` are the archive's own words. */
export interface TarEntry {
  readonly kind: TarEntryKind;
  readonly name: string;
  readonly linkTarget: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedSeconds: number | null;
  readonly capability: boolean;
  /** The content, once; what is left unread is skipped when the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
  /** All of the content, where it is at hand already: most files are small. Until the next entry is asked for. */
  readonly whole?: Uint8Array;
}

/** Zeros after the end: tars are padded to 10 KiB by default, to 1 MiB by the largest blocking factor in use. */
const MAX_PADDING_BYTES = 1024 * 1024;

const KINDS: Readonly<Record<string, TarEntryKind>> = { '0': 'file', '7': 'file', '1': 'hardlink', '2': 'symlink', '5': 'dir' };

/**
 * Yields the entries of `source` in order and reads it to its end. The budget (entries, bytes) is that of this archive alone
 * unless `spent` of an earlier one is passed on.
 *
 * @throws OciError `CONTENT_UNSAFE` malformed, cut, over a limit, a kind that is not laid down; errors of `source` as they are
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: UnpackLimits,
  spent: Budget = newBudget(),
): AsyncGenerator<TarEntry> {
  const reader = byteReader(source);
  try {
    for (let head = await readHead(reader, limits, spent); head !== undefined; head = await readHead(reader, limits, spent)) {
      const { entry, finish } = openEntry(reader, head, limits, spent);
      yield entry;
      // a step that need not be waited for costs more than most entries
      if (finish !== undefined) await finish();
    }
    await readPadding(reader);
  } finally {
    await reader.close();
  }
}

/** What has been spent of the limits so far. */
export interface Budget {
  entries: number;
  totalBytes: number;
}

/** A budget of which nothing is spent. */
export const newBudget = (): Budget => ({ entries: 0, totalBytes: 0 });

interface Head {
  readonly header: TarHeader;
  readonly pax: PaxFields;
  readonly longName: string | undefined;
  readonly longTarget: string | undefined;
}

/** Reads extended headers, each kind once, and the header they belong to; undefined at the end of the archive. */
async function readHead(reader: ByteReader, limits: UnpackLimits, spent: Budget): Promise<Head | undefined> {
  let pax: PaxFields | undefined;
  let longName: string | undefined;
  let longTarget: string | undefined;
  for (;;) {
    const block = reader.takeNow(TAR_BLOCK_BYTES) ?? (await readBlock(reader));
    if (isZeroBlock(block)) {
      if (pax !== undefined || longName !== undefined || longTarget !== undefined)
        throw unsafe('read a tar', 'the entry of an extended header', 'the end');
      return undefined;
    }
    const header = parseTarHeader(block);
    spendEntry(limits, spent);
    if (header.type === 'x' && pax === undefined) pax = parsePax(await readExtended(reader, header, limits));
    else if (header.type === 'g') checkGlobalPax(await readExtended(reader, header, limits));
    else if (header.type === 'L' && longName === undefined) longName = tarText(await readExtended(reader, header, limits), 'GNU long name');
    else if (header.type === 'K' && longTarget === undefined)
      longTarget = tarText(await readExtended(reader, header, limits), 'GNU long link');
    else if ('xLK'.includes(header.type))
      throw unsafe('read a tar', 'one extended header of a kind for an entry', `a second ${header.type}`);
    else return { header, pax: pax ?? { capability: false }, longName, longTarget };
  }
}

/** Joins headers and content; pax wins over GNU, GNU over the plain header, as every tar does. */
function openEntry(
  reader: ByteReader,
  head: Head,
  limits: UnpackLimits,
  spent: Budget,
): { entry: TarEntry; finish: (() => Promise<void>) | undefined } {
  const { header, pax, longName, longTarget } = head;
  const name = pax.path ?? longName ?? header.name;
  const kind = KINDS[header.type];
  if (kind === undefined) {
    throw unsafe(`read tar entry ${JSON.stringify(name)}`, 'a file, folder or link', `type ${JSON.stringify(header.type)}`);
  }
  const sizeBytes = pax.sizeBytes ?? header.sizeBytes;
  spendBytes(kind, sizeBytes, limits, spent);
  const { finish, ...body } = entryBody(reader, sizeBytes);
  const linkTarget = pax.linkTarget ?? longTarget ?? header.linkTarget;
  const modifiedSeconds = pax.modifiedSeconds !== undefined ? pax.modifiedSeconds : header.modifiedSeconds;
  return { entry: { kind, name, linkTarget, mode: header.mode, sizeBytes, modifiedSeconds, capability: pax.capability, ...body }, finish };
}

async function readBlock(reader: ByteReader): Promise<Uint8Array> {
  const block = await reader.take(TAR_BLOCK_BYTES);
  if (block.length !== TAR_BLOCK_BYTES)
    throw unsafe('read a tar header', `${TAR_BLOCK_BYTES} bytes or two zero blocks`, `${block.length} bytes`);
  return block;
}

async function readExtended(reader: ByteReader, header: TarHeader, limits: UnpackLimits): Promise<Uint8Array> {
  const { sizeBytes } = header;
  if (sizeBytes > limits.maxPaxBytes)
    throw unsafe('read an extended tar header', `at most ${limits.maxPaxBytes} bytes`, `${sizeBytes} bytes`);
  const padded = await reader.take(sizeBytes + paddingOf(sizeBytes));
  if (padded.length !== sizeBytes + paddingOf(sizeBytes)) throw cut('an extended tar header', sizeBytes, padded.length);
  return padded.subarray(0, sizeBytes);
}

/** Counts one header. Extended headers count as entries: a flood of them is a flood. @throws OciError `CONTENT_UNSAFE` */
export function spendEntry(limits: UnpackLimits, spent: Budget): void {
  spent.entries += 1;
  // Two headers for an entry are the rule with long names, so twice the limit bounds the work; `extract` counts what it lays down.
  if (spent.entries > 2 * limits.maxEntries) throw unsafe('read a tar', `at most ${2 * limits.maxEntries} headers`, 'more');
}

/** Counts the content of one entry. @throws OciError `CONTENT_UNSAFE` */
export function spendBytes(kind: TarEntryKind, sizeBytes: number, limits: UnpackLimits, spent: Budget): void {
  // Readers differ on whether content follows the header of a link or a folder.
  if (kind !== 'file' && sizeBytes !== 0) throw unsafe(`read a tar entry of kind ${kind}`, 'no content', `${sizeBytes} bytes`);
  spent.totalBytes += sizeBytes;
  if (spent.totalBytes > limits.maxTotalBytes)
    throw unsafe('read a tar', `at most ${limits.maxTotalBytes} bytes of content`, `${spent.totalBytes} bytes`);
}

type EntryBody = Pick<TarEntry, 'content' | 'whole'> & {
  /** Skips what was not read, and the padding; there is none where both were at hand. */
  readonly finish: (() => Promise<void>) | undefined;
};

function entryBody(reader: ByteReader, sizeBytes: number): EntryBody {
  const atHand = reader.takeNow(sizeBytes + paddingOf(sizeBytes));
  return atHand === undefined ? bodyToCome(reader, sizeBytes) : bodyAtHand(atHand.subarray(0, sizeBytes));
}

function bodyAtHand(whole: Uint8Array): EntryBody {
  async function* content(): AsyncGenerator<Uint8Array> {
    if (whole.length > 0) yield await Promise.resolve(whole);
  }
  return { content: content(), whole, finish: undefined };
}

function bodyToCome(reader: ByteReader, sizeBytes: number): EntryBody {
  let left = sizeBytes;
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const chunk of reader.stream(left)) {
      left -= chunk.length;
      yield chunk;
    }
    if (left > 0) throw cut('a tar entry', sizeBytes, sizeBytes - left);
  }
  async function finish(): Promise<void> {
    for await (const chunk of content()) void chunk;
    const padding = paddingOf(sizeBytes);
    const skipped = await reader.take(padding);
    if (skipped.length !== padding) throw cut('the padding of a tar entry', padding, skipped.length);
  }
  return { content: content(), finish };
}

/** POSIX: two zero blocks end the archive. Bytes after them are another archive to a reader that goes on, so only zeros may follow. */
async function readPadding(reader: ByteReader): Promise<void> {
  if (!isZeroBlock(await readBlock(reader))) throw unsafe('read the end of a tar', 'two zero blocks', 'one');
  let seen = 0;
  for await (const chunk of reader.stream(Number.MAX_SAFE_INTEGER)) {
    seen += chunk.length;
    if (seen > MAX_PADDING_BYTES) throw unsafe('read the end of a tar', `at most ${MAX_PADDING_BYTES} bytes of padding`, 'more');
    if (!isZeroBlock(chunk)) throw unsafe('read the end of a tar', 'zeros only', 'other bytes');
  }
}

const paddingOf = (sizeBytes: number): number => (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;

const cut = (what: string, expected: number, got: number) =>
  unsafe(`read ${what}`, `${expected} bytes`, `${got} bytes: the archive is cut`);
