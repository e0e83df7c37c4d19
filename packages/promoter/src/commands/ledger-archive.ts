/** `sealane ledger archive`: moves what old entries say out of the database, into folders and registries. */
import { counted, LedgerError, PREDICATE, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { archivePlace, archivePlaces, type MovedOut } from '@sealane/ledger';
import { ARCHIVED_BY_DEFAULT, DOCUMENTS, predicateTypesOf, sizeBefore } from '../archive/choose.js';
import { archiveDocuments } from '../archive/documents.js';
import { type Promoter, textOption, withLockedPromoter } from '../promoter.js';

export const command: CommandSpec = {
  name: 'ledger archive',
  summary: 'move what old entries say, and documents of test results, into an archive; leaves, proofs and answers stay',
  options: [
    { flags: '--before <index|time>', description: 'entries below this index, or logged before this time (RFC 3339)', required: true },
    {
      flags: '--to <place>',
      description: 'oci:DIR or docker://HOST/REPOSITORY; may be repeated, each gets all (default: the places of ledger/archive.json)',
      repeat: true,
    },
    {
      flags: '--type <type>',
      description: `kinds to move: ${Object.keys(PREDICATE).join(', ')}, a predicate type, or ${DOCUMENTS}: what test results name and no channel offers; may be repeated (default: ${ARCHIVED_BY_DEFAULT.join(', ')})`,
      repeat: true,
    },
  ],
  example: 'sealane ledger archive --before 10 --to oci:cold --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await withLockedPromoter(call, async (promoter) => {
    const places = placesOf(call, promoter);
    const before = await sizeBefore(promoter.ledger, textOption(call, 'before'));
    const kinds = textsOf(call, 'type');
    const statements = kinds.filter((kind) => kind !== DOCUMENTS);
    const predicateTypes = kinds.length > 0 && statements.length === 0 ? [] : predicateTypesOf(statements);
    // documents first: what names them is still at hand
    const documents = kinds.includes(DOCUMENTS) ? await archiveDocuments(promoter, before, places) : NOTHING;
    const moved = predicateTypes.length === 0 ? NOTHING : await promoter.ledger.moveOut({ before, predicateTypes, places });
    if (moved.entries > 0) await promoter.ledger.compact('room');
    const { entries, packs, bytes, payloadBytes } = moved;
    return {
      exit: 0,
      json: {
        before,
        entries,
        packs,
        bytes,
        payloadBytes,
        documents: { count: documents.entries, packs: documents.packs, bytes: documents.bytes, documentBytes: documents.payloadBytes },
        places,
      },
      text:
        entries + documents.entries === 0
          ? 'nothing to archive'
          : [...archived('entry', moved), ...archived('document', documents), `read back from ${places.join(', ')}`].join('\n'),
    };
  });
}

const NOTHING: MovedOut = { entries: 0, packs: 0, bytes: 0, payloadBytes: 0 };

function archived(what: string, { entries, packs, bytes, payloadBytes }: MovedOut): readonly string[] {
  return entries === 0
    ? []
    : [`archived ${counted(entries, what)}: ${counted(payloadBytes, 'byte')} in ${counted(packs, 'pack')} of ${bytes}`];
}

function placesOf(call: CommandCall, { home }: Promoter): readonly string[] {
  const named = textsOf(call, 'to').map((place) => placeNamed(place, call.io.cwd));
  const places = [...new Set(named.length === 0 ? archivePlaces(home.ledger) : named)];
  if (places.length > 0) return places;
  throw new PromoterError(
    'USAGE',
    'archive: expected a place, got none',
    {},
    { hint: 'name one: --to oci:DIR or --to docker://HOST/REPOSITORY' },
  );
}

function placeNamed(text: string, folder: string): string {
  try {
    return archivePlace(text, folder);
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new PromoterError('USAGE', cause.message.replace(/^read /, 'read --to: '), {}, { cause });
  }
}

function textsOf({ options }: CommandCall, name: string): readonly string[] {
  const given = options[name];
  return (Array.isArray(given) ? given : []).filter((text) => typeof text === 'string');
}
