/** Packs out of the places of an archive: the first place that has one gives it. */
import { LedgerError, SealaneError } from '@sealane/core';
import { decodeDocuments, type ReadDocuments } from './documents.js';
import { decodePack, type Payload } from './pack.js';
import { openPlace, type PackName } from './place-shell.js';

/** The archive of a ledger, to be read. */
export interface Archive {
  /**
   * The payloads in a pack, by entry.
   *
   * @throws LedgerError `ARCHIVE_UNREACHABLE` it may be in a place that was not reached; `ARCHIVE_DAMAGED` no place has it as it was
   */
  read(pack: PackName): Promise<ReadonlyMap<number, Payload>>;
}

/** An archive that keeps what it has read. */
export interface KeptArchive extends Archive {
  /** The documents in a pack, by digest. @throws as `read` */
  readonly readDocuments: ReadDocuments;
  /** Forgets all that it keeps: something was erased. */
  forget(): void;
}

/** Packs that are kept, by the bytes of their payloads. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** The archive in these places, none of which is opened yet. */
export function openArchive(places: readonly string[]): KeptArchive {
  const payloads = keeping(
    (pack) => readFirst(places, pack, decodePack),
    ({ payload }) => payload.length,
  );
  const documents = keeping(
    (pack) => readFirst(places, pack, decodeDocuments),
    ({ length }) => length,
  );
  return {
    read: payloads.read,
    readDocuments: documents.read,
    forget: () => {
      payloads.forget();
      documents.forget();
    },
  };
}

/** A reader of packs that keeps the last ones. */
function keeping<K, V>(
  read: (pack: PackName) => Promise<ReadonlyMap<K, V>>,
  bytesOf: (value: V) => number,
): { readonly read: (pack: PackName) => Promise<ReadonlyMap<K, V>>; readonly forget: () => void } {
  const kept = new Map<string, ReadonlyMap<K, V>>();
  let keptBytes = 0;
  const forget = (): void => {
    kept.clear();
    keptBytes = 0;
  };
  return {
    forget,
    read: async (pack) => {
      const known = kept.get(pack.digest);
      if (known !== undefined) return known;
      const found = await read(pack);
      const bytes = [...found.values()].reduce((sum, value) => sum + bytesOf(value), 0);
      if (keptBytes + bytes > MAX_KEPT_BYTES) forget();
      keptBytes += bytes;
      kept.set(pack.digest, found);
      return found;
    },
  };
}

async function readFirst<T>(places: readonly string[], pack: PackName, decode: (bytes: Uint8Array) => Promise<T>): Promise<T> {
  const failures: SealaneError[] = [];
  for (const name of places) {
    try {
      const place = await openPlace(name);
      return await decode(await place.read(pack));
    } catch (error) {
      // another place may have it
      if (!(error instanceof SealaneError)) throw error;
      failures.push(error);
    }
  }
  const why = failures.map(({ message }) => message).join('; ');
  if (places.length === 0 || failures.some(({ code }) => code === 'ARCHIVE_UNREACHABLE')) {
    const got = places.length === 0 ? 'no place: there is no archive.json beside the ledger' : why;
    throw new LedgerError('ARCHIVE_UNREACHABLE', `read pack ${pack.digest}: expected it in the archive of the ledger, got ${got}`, {
      digest: pack.digest,
    });
  }
  throw new LedgerError('ARCHIVE_DAMAGED', `read pack ${pack.digest}: expected it in the archive of the ledger, got ${why}`, {
    digest: pack.digest,
  });
}

/** The same archive, asked no more once it was not reached: a check of a million entries says so once and goes on. */
export function unlessUnreachable(archive: Archive): Archive {
  let refused: LedgerError | undefined;
  return {
    read: async (pack) => {
      if (refused !== undefined) throw refused;
      try {
        return await archive.read(pack);
      } catch (error) {
        if (error instanceof LedgerError && error.code === 'ARCHIVE_UNREACHABLE') refused = error;
        throw error;
      }
    },
  };
}
