/**
 * What others saw of the log, as they quote it in what they signed: an approval or a receipt from elsewhere proves a fork, whoever brings it (THREATS T8). So does
 * a root that a site was shown (T16).
 */
import {
  AuditorError,
  base64,
  fromBase64,
  hex,
  type JsonValue,
  keyIdOf,
  parseStrictJson,
  LIMITS,
  PREDICATE,
  restate,
  verifyEnvelope,
} from '@sealane/core';
import type { Ledger, LedgerReport } from '@sealane/ledger';
import { hintOf, isRegistrarsWord, parseBundle, type ParsedBundle, readApproval, readReceipt, readSiteRecord } from '@sealane/trust';
import type { AuditContext } from './context.js';
import { rootSeen } from './root-problems.js';

/** A file may hold one bundle or an array of them, as receipts come. */
const MAX_STATEMENTS = 1000;

/** A file that somebody brought. */
export interface BroughtFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/**
 * Holds the log against what statements quote of it, and against roots: a problem for each that it is no extension of, by the digest of the statement, and for
 * each root that it does not name.
 *
 * @throws AuditorError `STATEMENT_SIGNATURE` not signed by a key that a policy, a site record or the root before names, which proves nothing;
 * `CONFIG_INVALID` no statements and no root, or a statement that quotes no checkpoint
 */
export async function seenElsewhere(context: AuditContext, files: readonly BroughtFile[]): Promise<LedgerReport['problems']> {
  const problems: LedgerReport['problems'][number][] = [];
  for (const { file, bytes } of files) {
    const value = valueIn(bytes, file);
    if (isRoot(value)) {
      problems.push(...(await rootSeen(context, bytes, file)));
      continue;
    }
    for (const bundle of bundlesIn(value, file)) {
      await expectKnownSigner(context, bundle, file);
      problems.push(...(await problemOf(context, bundle, file)));
    }
  }
  return problems;
}

function valueIn(bytes: Uint8Array, file: string): JsonValue {
  const read = (): JsonValue => parseStrictJson(bytes, { maxBytes: LIMITS.evidenceBlobBytes, maxDepth: LIMITS.jsonDepth + 2 });
  return restate('CONFIG_INVALID', read, (why) => `read ${file}: expected statements or a root as JSON: ${why}`);
}

/** A root, as a site's mirror has it: `{signatures, signed: {_type: "root"}}`. */
function isRoot(value: JsonValue): boolean {
  const signed = typeof value === 'object' && value !== null && 'signed' in value ? value.signed : undefined;
  return typeof signed === 'object' && signed !== null && '_type' in signed && signed['_type'] === 'root';
}

function bundlesIn(value: JsonValue, file: string): readonly ParsedBundle[] {
  const items: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  if (items.length > MAX_STATEMENTS)
    throw new AuditorError('CONFIG_INVALID', `read ${file}: expected at most ${MAX_STATEMENTS} statements, got ${items.length}`, { file });
  return items.map((item) =>
    restate(
      'CONFIG_INVALID',
      () => parseBundle(item),
      (why) => `read ${file}: ${why}`,
    ),
  );
}

async function problemOf(
  { ledger }: AuditContext,
  { statement, statementDigest }: ParsedBundle,
  file: string,
): Promise<LedgerReport['problems']> {
  const seen = quotedIn(statement, file);
  // a site that had seen none yet says so
  if (seen === null) return [];
  const actual = seen.origin === ledger.origin ? await otherThanQuoted(ledger, seen) : `the log ${ledger.origin}`;
  if (actual === undefined) return [];
  const expected = `root ${hex(fromBase64(seen.root))} at size ${seen.size} of ${seen.origin}, as it quotes`;
  return [{ where: 'seen', key: statementDigest, expected, actual }];
}

/** A checkpoint that somebody quotes of a log: how many entries, and their root, base64. */
export interface Quote {
  readonly size: number;
  readonly root: string;
}

/** What the log has in place of what is quoted of it; undefined where that is the same. */
export async function otherThanQuoted(ledger: Pick<Ledger, 'size' | 'rootAt'>, quote: Quote): Promise<string | undefined> {
  const size = await ledger.size();
  if (quote.size > size) return `a log of ${size} entries`;
  const root = await ledger.rootAt(quote.size);
  return base64(root) === quote.root ? undefined : `root ${hex(root)}`;
}

function quotedIn(statement: ParsedBundle['statement'], file: string): ReturnType<typeof readReceipt>['checkpoint'] {
  if (statement.predicateType === PREDICATE.approval) return readApproval(statement).checkpoint;
  if (statement.predicateType === PREDICATE.receipt) return readReceipt(statement).checkpoint;
  throw new AuditorError(
    'CONFIG_INVALID',
    `read ${file}: expected approvals or receipts, which quote a checkpoint, got ${statement.predicateType}`,
    { file },
  );
}

/** Anybody can write down another root: it proves something only over the signature of somebody whom this lane knows. */
async function expectKnownSigner(
  context: AuditContext,
  { envelope, statement, statementDigest, hint }: ParsedBundle,
  file: string,
): Promise<void> {
  const named = context.policies.flatMap(({ keys }) => Object.values(keys)).map(({ spki }) => spki);
  const keys = [...named, ...(statement.predicateType === PREDICATE.receipt ? await siteKeys(context, readReceipt(statement)) : [])].map(
    fromBase64,
  );
  const spki = keys.find((key) => hintOf(key) === hint);
  if (spki !== undefined && verifyEnvelope(envelope, spki)) return;
  const got = spki === undefined ? 'another' : `a wrong one by ${keyIdOf(spki)}`;
  throw new AuditorError(
    'STATEMENT_SIGNATURE',
    `read ${file}: expected statement ${statementDigest} signed by a key that a policy or site record names, got ${got}`,
    {
      file,
    },
  );
}

async function siteKeys({ ledger, policies }: AuditContext, { site }: { readonly site: string }): Promise<readonly string[]> {
  const rows = (await ledger.sites(site)).filter((row) => isRegistrarsWord(policies, row));
  const entries = await ledger.entriesAt(rows.map(({ index }) => index));
  return entries.map((entry) => readSiteRecord(entry.statement).key.spki);
}
