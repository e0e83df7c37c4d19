/** The files of an export, made from what it is made of: the same package gives the same bytes, so a reader can make them again and compare. */
import { canonicalJson, digestHex, envelopePayload, formatTlogProof, formatVkey, parseCheckpoint, sha256, utf8 } from '@sealane/core';
import { type Policy, verifyTrustOf } from '@sealane/trust';
import { CHECK_LOG } from './check-log.js';
import { statementsCsv } from './csv.js';
import { absentDocuments } from './erased.js';
import { type ExportPackage, notePath, stemOf } from './export-package.js';
import { indexPage } from './index-page.js';
import { isWitness, knownSignatures, type NoteKey, noteKeys, pemOf, spkiOf } from './keys.js';
import { encodeExportManifest, malformed } from './manifest.js';
import { assessmentResults } from './oscal.js';
import { readmeText } from './readme.js';
import { type StatementRow, statementRows } from './statement-rows.js';

/** Files by path. */
export type ExportFiles = ReadonlyMap<string, Uint8Array>;

/** What a word of a line of a list may be: nothing that a shell or `read` takes apart. */
const WORD = /^[!-~]+$/;

/**
 * Every file of the export, `SHA256SUMS` included. `policies` are those that `trust` in the package says.
 *
 * @throws TrustError a bundle or checkpoint that is not what it should be; AuditorError `EXPORT_MALFORMED` a package without a policy of its log
 */
export function renderExport(exported: ExportPackage, policies: readonly Policy[]): ExportFiles {
  const [policy] = policies;
  if (policy === undefined) throw malformed('a policy', 'none');
  const rows = statementRows(exported, policies);
  const absent = absentDocuments(exported.manifest, rows, policies);
  const keys = noteKeys(policy, exported.manifest.origin);
  const files = new Map<string, Uint8Array>([
    ['manifest.json', encodeExportManifest(exported.manifest)],
    ['check-log.py', utf8(CHECK_LOG)],
    ['index.html', utf8(indexPage(exported, rows, absent))],
    ['tables/statements.csv', utf8(statementsCsv(rows))],
    ['oscal/assessment-results.json', canonicalJson(assessmentResults(exported, rows))],
    ...logFiles(exported, keys),
    ...statementFiles(exported, rows),
    ...[...exported.blobs].map(([digest, bytes]) => [`blobs/${digestHex(digest)}`, bytes] as const),
    ...[...exported.trust].map(([name, bytes]) => [`trust/${name}`, bytes] as const),
  ]);
  const { byKey, byIdentity } = lists(rows);
  if (byKey.length > 0) files.set('statements/by-key.txt', utf8(byKey.join('')));
  if (byIdentity.length > 0) files.set('statements/by-identity.txt', utf8(byIdentity.join('')));
  files.set(
    'README.txt',
    utf8(
      readmeText({
        manifest: exported.manifest,
        statements: rows.length,
        trustedRoot: [...files.keys()].find((name) => name.endsWith('.trusted_root.json')) ?? '',
        byKey: byKey.length,
        byIdentity: byIdentity.length,
        unlisted: rows.length - byKey.length - byIdentity.length,
        hasBlobs: exported.blobs.size > 0,
        absent,
        needsCtLog: verifyTrustOf(policy).needsCtLog,
        quorum: verifyTrustOf(policy).quorum,
      }),
    ),
  );
  return files.set('SHA256SUMS', sums(files));
}

function logFiles({ checkpoint, notes, tiles }: ExportPackage, keys: readonly NoteKey[]): readonly (readonly [string, Uint8Array])[] {
  const all = [['log/checkpoint', checkpoint] as const, ...notes.map((note) => [notePath(parseCheckpoint(note).size), note] as const)];
  const signatures = all.flatMap(([path, note]) =>
    knownSignatures(note, keys).map(({ key, mark }) => `${path} ${key.stem}.pem ${mark} ${isWitness(key) ? 'witness' : 'log'}\n`),
  );
  return [
    ...all.map(([path, note]) => [path, utf8(note)] as const),
    ['log/signatures.txt', utf8(signatures.join(''))] as const,
    ...keys.flatMap((key) => [
      [`${key.stem}.vkey`, utf8(`${formatVkey(key.vkey)}\n`)] as const,
      [`${key.stem}.pem`, utf8(pemOf(spkiOf(key)))] as const,
    ]),
    ...[...tiles].map(([path, bytes]) => [`log/${path}`, bytes] as const),
  ];
}

function statementFiles({ statements }: ExportPackage, rows: readonly StatementRow[]): readonly (readonly [string, Uint8Array])[] {
  return statements.flatMap(({ index, bundle: bytes, first }, at) => {
    const row = rows[at];
    const logged = row?.bundle.logged;
    if (row === undefined || logged === undefined || logged === null) throw malformed(`a log entry in bundle ${index}`, 'none');
    const stem = stemOf(index);
    const { hashes, checkpoint } = logged.proof;
    return [
      [`${stem}.bundle.json`, bytes],
      [`${stem}.json`, envelopePayload(row.bundle.envelope)],
      [`${stem}.entry`, logged.leafBytes],
      [`${stem}.tlog-proof`, utf8(formatTlogProof({ index, hashes, checkpoint }))],
      [`${stem}.first.tlog-proof`, utf8(formatTlogProof({ index, hashes: first.hashes, checkpoint: first.note }))],
      ...(row.key === null ? [] : [[`keys/${row.key.id}.pem`, utf8(pemOf(row.key.spki))] as const]),
    ] as const;
  });
}

/** Lines for the loops of README.txt. */
function lists(rows: readonly StatementRow[]): { readonly byKey: readonly string[]; readonly byIdentity: readonly string[] } {
  const line = (row: StatementRow, ...words: readonly string[]): readonly string[] => {
    const all = [stemOf(row.index).slice('statements/'.length), row.subjects[0] ?? '', ...words, row.predicateType];
    return all.every((word) => WORD.test(word)) ? [`${all.join(' ')}\n`] : [];
  };
  return {
    byKey: rows.flatMap((row) => (row.key === null ? [] : line(row, row.key.id))),
    byIdentity: rows.flatMap((row) => (row.identity === null ? [] : line(row, row.identity.issuer, row.identity.identity))),
  };
}

/** As sha256sum writes it, by name. */
function sums(files: ExportFiles): Uint8Array {
  const names = [...files.keys()].sort();
  return utf8(names.map((name) => `${digestHex(sha256(files.get(name) ?? new Uint8Array()))}  ${name}\n`).join(''));
}
