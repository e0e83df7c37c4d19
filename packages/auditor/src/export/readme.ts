/** `README.txt` of an export: how to check it with tools that everybody has. A test runs its commands. */
import { type AbsentDocument, absentText } from './erased.js';
import { notePath } from './export-package.js';
import type { ExportManifest } from './manifest.js';

/** What the text depends on. */
export interface ReadmeFacts {
  readonly manifest: ExportManifest;
  readonly statements: number;
  /** Where `trusted_root.json` lies. */
  readonly trustedRoot: string;
  /** How many statements each list for cosign has. */
  readonly byKey: number;
  readonly byIdentity: number;
  /** Statements that no list can name. */
  readonly unlisted: number;
  readonly hasBlobs: boolean;
  readonly absent: readonly AbsentDocument[];
  /** Whether policy asks that certificates were logged. */
  readonly needsCtLog: boolean;
  /** Witnesses that policy asks for under a checkpoint. */
  readonly quorum: number;
}

/** The text. Lines that are indented by four spaces are commands of one POSIX shell, run from top to bottom; the first that fails says what is wrong. */
export function readmeText(facts: ReadmeFacts): string {
  const { manifest, statements, quorum } = facts;
  return `${aboutText(facts)}
How to check it
===============

No program of Sealane is needed: sha256sum, find, sort and diff of coreutils, openssl 3, cosign 3, python3. Unpack the file into an empty folder and
enter the commands there, in this order, in one shell. Every command that succeeds ends with 0; with "set -e" the shell stops at the first that does not.

    set -eu
    work=$(mktemp -d)

1. Nothing was changed, added or lost since it was packed.

    test "$(grep -cv '^[0-9a-f]\\{64\\}  [!-~]*$' SHA256SUMS)" = 0
    sha256sum --check --quiet --strict SHA256SUMS
    cut -c 67- SHA256SUMS | LC_ALL=C sort > "$work/listed"
    find . -type f ! -path ./SHA256SUMS | cut -c 3- | LC_ALL=C sort | diff "$work/listed" -

2. The log is yours. Hold log/log-1.vkey and the keys log/witness-*.vkey against those that you know from elsewhere: from the lane's owners, or from an
   older export. Everything below rests on them, so do not take them from here. Each .pem file is the same key for openssl:

    for key in log/*.pem; do test "$(openssl pkey -pubin -in "$key" -outform DER | tail -c 32 | base64)" = "$(cut -d + -f 3- "\${key%.pem}.vkey" | base64 -d | tail -c 32 | base64)" || exit 1; done

3. The log signed its checkpoints (C2SP tlog-checkpoint), and witnesses cosigned them (C2SP tlog-cosignature). Each line of log/signatures.txt is a
   checkpoint, a key, how the line of the signature begins, and who signed. For witnesses the time is printed at which they saw it. Policy asks for
   ${quorum} of them.

    while read -r note key mark who; do
      sed '/^$/,$d' "$note" > "$work/text"
      grep "^— [^ ]* $mark" "$note" | cut -d ' ' -f 3 | base64 -d > "$work/blob"
      tail -c 64 "$work/blob" > "$work/signature"
      if test "$who" = witness; then
        seconds=$(tail -c 72 "$work/blob" | head -c 8 | od -An -tu8 --endian=big | tr -d ' ')
        { printf 'cosignature/v1\\ntime %s\\n' "$seconds"; cat "$work/text"; } > "$work/signed"
        echo "$note $key $seconds" >> "$work/seen"
        echo "$note was seen by $key at $(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ)"
      else
        cp "$work/text" "$work/signed"
      fi
      openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/signed" -sigfile "$work/signature" > "$work/said" || exit 1
    done < log/signatures.txt
    for note in log/checkpoint $(find log -path 'log/checkpoints/*'); do
      grep -q "^$note log/log-[0-9]*.pem [^ ]* log$" log/signatures.txt || exit 1
      test "$(grep "^$note " "$work/seen" | cut -d ' ' -f 2 | LC_ALL=C sort -u | wc -l)" -ge ${quorum} || exit 1
    done
${bordersText(facts)}
4. Every statement is in the log${manifest.period === null ? '' : ', and none of the period is missing'}${manifest.release === null ? '' : ', and is about the release or a part that its manifest names'}. check-log.py needs nothing but python3; read it first, it is short. Any tool for C2SP tlog-proof does the same
   for one statement: statements/N.entry is the entry, statements/N.tlog-proof its proof, statements/N.first.tlog-proof the proof under the first
   checkpoint that witnesses saw it in.

    python3 check-log.py

5. Keys are named by the SHA-256 of themselves.

    for key in keys/*.pem; do test "$(openssl pkey -pubin -in "$key" -outform DER | sha256sum | cut -c 1-64)" = "$(basename "$key" .pem)" || exit 1; done

6. Every statement is signed by its key, over the bytes in statements/N.json, and cosign finds it in the log as well. statements/by-key.txt has index, subject,
   key and predicate type of each.

${listedText(facts)}${cosignText(facts)}
${blobText(facts)}
What that does not show
=======================

- Whose keys they are. The policies in trust/ name people, builders, labs, stages and registrars by key; they are TUF targets under metadata that any TUF
  client verifies from trust/metadata/1.root.json. "sealane audit check" does it, and so do python-tuf and others.
- ${completeness(manifest)}
- index.html, tables/ and oscal/ are made from the statements, for reading. "sealane audit check FILE --root 1.root.json" makes them again and compares,
  byte by byte; where they contradict a statement, the statement counts.
- That these words are honest: whoever made the export wrote this file too. Who trusts nobody compares it with one of the same version from elsewhere, or
  runs "sealane audit check" with a root that did not come with it.
- What was never logged.
${facts.unlisted === 0 ? '' : `- ${facts.unlisted} statements have a predicate type that a list of lines cannot name: check them as those above, one by one.\n`}
${statements} statements; origin ${manifest.origin}; checkpoint of ${manifest.size} entries.
`;
}

function aboutText({ manifest }: ReadmeFacts): string {
  const { release, site, period } = manifest;
  const about =
    release !== null
      ? `the release ${release}, and what was said of its parts alone`
      : site !== null
        ? `the site ${site}`
        : `the period from ${period?.from ?? ''} to ${period?.to ?? ''}`;
  return `Audit export: ${about}

index.html        to read, opens from disk without a network
statements/       each signed statement as a Sigstore bundle, its payload (.json), its log entry (.entry), its proofs
blobs/            test reports and hardware inventories (CycloneDX) as they came${period === null ? ', manifests of releases and their images' : ''}, by SHA-256
keys/             public keys that signed
log/              the log's checkpoints with cosignatures, keys of log and witnesses${period === null ? '' : ', hash tiles'}
trust/            the lane's TUF repository: root, policies, trusted_root.json
tables/           the statements as CSV
oscal/            the same as OSCAL assessment results
`;
}

/** That the period is the one that it is called. */
function bordersText({ manifest: { period }, quorum }: ReadmeFacts): string {
  if (period === null) return '';
  const seenBy = (note: string, comparison: string, time: string): string =>
    `    test "$(while read -r note key seconds; do test "$note" = ${note} && test "$seconds" ${comparison} "$(date -u -d ${time} +%s)" && echo "$key"; done < "$work/seen" | LC_ALL=C sort -u | wc -l)" -ge ${quorum}\n`;
  const begin = period.first === 0 ? '' : seenBy(notePath(period.first), '-le', period.from);
  return `
   As many of them had seen ${period.first === 0 ? '' : `the ${period.first} entries before the period by ${period.from}, and `}the checkpoint at its end at ${period.to} or later.

${begin}${seenBy('log/checkpoint', '-ge', period.to)}`;
}

/** That the lists leave no statement out. */
function listedText({ unlisted }: ReadmeFacts): string {
  if (unlisted > 0) return '';
  return `    cat statements/by-*.txt | cut -d ' ' -f 1 | LC_ALL=C sort > "$work/named"
    find statements -name '*.bundle.json' | cut -c 12- | cut -d . -f 1 | LC_ALL=C sort | diff "$work/named" -
`;
}

function cosignText({ trustedRoot, byKey, byIdentity, needsCtLog }: ReadmeFacts): string {
  const loop = (fields: string, words: string, list: string): string => `    while read -r index subject ${fields} type; do
      cosign verify-blob-attestation ${words} --bundle "statements/$index.bundle.json" --trusted-root ${trustedRoot} --type "$type" --digest "$subject" --digestAlg sha256 < /dev/null > "$work/said" 2>&1 || { echo "FAILED: statement $index"; cat "$work/said"; exit 1; }
    done < ${list}
`;
  const sct = needsCtLog ? '' : ' --insecure-ignore-sct';
  return [
    byKey === 0 ? '' : loop('key', '--key "keys/$key.pem"', 'statements/by-key.txt'),
    byIdentity === 0
      ? ''
      : `   Those without a key of their own are signed by an identity, which a certificate and a timestamp vouch for:\n\n${loop('issuer identity', `--certificate-identity "$identity" --certificate-oidc-issuer "$issuer"${sct}`, 'statements/by-identity.txt')}`,
  ].join('\n');
}

function blobText({ hasBlobs, absent }: ReadmeFacts): string {
  const missing =
    absent.length === 0
      ? ''
      : `   Not here, since they were not there any more:\n${absent.map((one) => `   ${absentText(one)}\n`).join('')}`;
  if (!hasBlobs) return missing;
  return `7. Reports, inventories and manifests are those that are named.

    for blob in blobs/*; do test "$(sha256sum < "$blob" | cut -c 1-64)" = "$(basename "$blob")" || exit 1; done
${missing}`;
}

function completeness({ period, size }: ExportManifest): string {
  return period === null
    ? `That nothing about it was left out: leaves of the log do not say what they are about. An export of a period shows that, entry by entry.`
    : `What was logged before entry ${period.first} or from entry ${size} on. Witnesses had seen entry ${period.first - 1 < 0 ? 'none' : period.first - 1} by the beginning of the period, and saw the checkpoint at its end.`;
}
