/** The first questions: what the promoter's gates and the auditor's answers look up. Every answer is in log order. */
import { type Digest, digestFromHex, digestHex, fromHex, hex, PREDICATE } from '@sealane/core';
import type { LedgerEntry } from '../log/entry.js';
import type { EntryReader } from '../log/entry-rows.js';
import { inLists } from '../store/in-list.js';
import { bytesAt, integerAt, textAt } from '../store/rows.js';
import type { Queries, Row, SqlValue } from '../store/store.js';
import { type FleetRecord, fleetOf } from './fleet.js';
import type { HardwareSought, SitesNaming } from './hardware-sites.js';
import {
  type ApprovalRecord,
  type CountRecord,
  type DecisionRecord,
  type KeyRecord,
  type ReceiptRecord,
  records,
  type ReleaseRecord,
  type RevocationRecord,
  type SiteRecord,
  type Source,
  type TestRecord,
} from './records.js';
import { type ReceiptLink, type ReceiptLinks } from './receipt-links.js';
import { releasesBeing } from './releases-being.js';
import { type RowSigner, signedBy } from './signed-by.js';
import { statementsNaming, type WordSought } from './statements-naming.js';

/** The questions; `release` is a release's digest. */
export interface Projection {
  /** Entries that have this digest among their subjects, of these predicate types when some are given. */
  statementsAbout(subject: Digest, predicateTypes?: string | readonly string[]): Promise<readonly LedgerEntry[]>;
  /** As `statementsAbout`, but for receipts: a release that ten thousand sites run has as many of them, and no gate reads one. */
  evidenceAbout(release: Digest): Promise<readonly LedgerEntry[]>;
  /** As `evidenceAbout`, of many releases in one look; each that was asked for is there. */
  evidenceAboutEach(releases: readonly Digest[]): Promise<ReadonlyMap<Digest, readonly LedgerEntry[]>>;
  /** All entries of these predicate types. */
  statementsOf(predicateTypes: readonly string[]): Promise<readonly LedgerEntry[]>;
  /** Where statements are that may hold a word: for whoever reads them a few at a time. */
  statementsNaming(sought: WordSought): Promise<readonly number[]>;
  /** Whether a statement of this type was ever logged; asked of the past, whether one has been by now. */
  knowsType(predicateType: string): Promise<boolean>;
  /** Entries that this key signed: what is void when it is revoked. */
  statementsBy(keyId: string): Promise<readonly LedgerEntry[]>;
  /** Where these are: for whoever reads them a few at a time. */
  indexesBy(keyId: string): Promise<readonly number[]>;
  /** How many statements of each type each key signed. */
  statementCounts(): Promise<readonly CountRecord[]>;
  /** How many of the first `size` entries are of each type, in the order in which types were first logged. */
  typeCounts(size: number): Promise<ReadonlyMap<string, number>>;
  /** All of them, or those with this digest, or one of these. */
  releases(release?: Digest | readonly Digest[]): Promise<readonly ReleaseRecord[]>;
  /** Release statements that list a part with this digest. */
  releasesWith(component: Digest): Promise<readonly LedgerEntry[]>;
  /** Release statements with this name and version: one with another digest than the first must be refused. */
  releaseByName(name: string, version: string): Promise<readonly ReleaseRecord[]>;
  /** The last decision by which a stage let a release in, `by` = whose decisions count: the ledger keeps those of everybody. */
  lastPassed(stage: string, by: readonly RowSigner[]): Promise<DecisionRecord | undefined>;
  decisions(where?: { readonly stage?: string; readonly release?: Digest | readonly Digest[] }): Promise<readonly DecisionRecord[]>;
  approvals(where?: { readonly stage?: string; readonly release?: Digest }): Promise<readonly ApprovalRecord[]>;
  testResults(release: Digest): Promise<readonly TestRecord[]>;
  /** Every inventory that a test result names, each once. Asked of the past, some that none named yet. */
  testedHardware(): Promise<readonly Digest[]>;
  /** Test results that name one of these inventories, and those of which it is not known any more. */
  testsOn(hardware: readonly Digest[]): Promise<readonly LedgerEntry[]>;
  revocations(): Promise<readonly RevocationRecord[]>;
  /** Site records in log order, of one site where it is given; the last of a site is the one that counts. */
  sites(site?: string): Promise<readonly SiteRecord[]>;
  receiptsOf(site: string): Promise<readonly ReceiptRecord[]>;
  /** Those of these sites among the first `size` entries (default: all), as links of a chain, in the order of their numbers; a site without has none. */
  receiptLinks(sites: readonly string[], size?: number): Promise<ReadonlyMap<string, readonly ReceiptLink[]>>;
  /** The receipts at these entries, in log order. */
  receiptsAt(indexes: readonly number[]): Promise<readonly ReceiptRecord[]>;
  /** Where the receipts of a site are: for whoever reads the entries themselves. */
  receiptIndexes(site: string): Promise<readonly number[]>;
  /**
   * The sites, in the order of their first records, of which a receipt names one of these releases, as what runs or ran, or of which a receipt may be
   * missing: whoever reads their histories has seen all that any site told of the releases. Asked of the past, some that are none of these yet.
   */
  sitesAbout(releases: readonly Digest[]): Promise<readonly string[]>;
  /** The sites, in the same order, of which a receipt may name a piece of hardware, or may be missing. */
  sitesWithHardware(sought: HardwareSought): Promise<readonly string[]>;
  /** The sites, in the same order, with a receipt of a way back. */
  sitesBack(): Promise<readonly string[]>;
  /** The latest receipt of each site, by `seq`. */
  latestReceipts(): Promise<readonly ReceiptRecord[]>;
  /**
   * The sites of a stage with what each last reported, by the first `size` entries (default: all). `by` = whose records count: the ledger keeps those of
   * everybody, and one by a stranger would take a site out of its group.
   */
  fleet(stage: string, size?: number, by?: readonly RowSigner[]): Promise<readonly FleetRecord[]>;
  keysSeen(): Promise<readonly KeyRecord[]>;
}

/** What the projection is read with: its rows, the entries that it finds, links of chains, sites by hardware. `payloads`: whether what entries say is a table beside it. */
interface ProjectionSources {
  readonly queries: Queries;
  readonly reader: EntryReader;
  readonly links: ReceiptLinks;
  readonly naming: SitesNaming;
  readonly payloads: 'beside' | 'elsewhere';
}

/** Answers the questions. */
export function projection({ queries, reader, links, naming, payloads }: ProjectionSources): Projection {
  const list = async <T>(
    read: (row: Readonly<Record<string, unknown>>) => T,
    sql: string,
    ...values: readonly SqlValue[]
  ): Promise<readonly T[]> => (await queries.all(sql, ...values)).map(read);
  const filtered = async <T extends Source>(
    read: (row: Readonly<Record<string, unknown>>) => T,
    table: ProjectedTable,
    where: Filter,
  ): Promise<readonly T[]> => {
    const found: T[] = [];
    for (const { condition, values } of filters(where)) found.push(...(await list(read, from(table, condition), ...values)));
    return found.sort((left, right) => left.index - right.index);
  };
  return {
    statementsAbout: (subject, predicateTypes) => statementsAbout(reader, subject, predicateTypes),
    evidenceAbout: (release) => reader.entriesIn(`${ABOUT} AND t.uri <> ?`, raw(release), PREDICATE.receipt),
    evidenceAboutEach: (releases) => evidenceAboutEach(queries, reader, releases),
    statementsOf: (predicateTypes) =>
      reader.entriesIn(
        `SELECT s.idx FROM statement s JOIN predicate_type t ON t.id = s.predicate_type WHERE t.uri IN (${predicateTypes.map(() => '?').join(', ')})`,
        ...predicateTypes,
      ),
    statementsNaming: (sought) => statementsNaming(queries, sought, payloads),
    knowsType: async (predicateType) => (await queries.get('SELECT id FROM predicate_type WHERE uri = ?', predicateType)) !== undefined,
    statementsBy: (keyId) => reader.entriesIn(BY, fromHex(keyId)),
    indexesBy: (keyId) => list((row) => integerAt(row, 'idx'), `${BY} ORDER BY s.idx`, fromHex(keyId)),
    statementCounts: () =>
      list(
        records.count,
        'SELECT k.key_id, t.uri, count(*) AS count FROM statement s JOIN key_seen k ON k.id = s.key JOIN predicate_type t ON t.id = s.predicate_type GROUP BY k.id, t.id ORDER BY k.id, t.id',
      ),
    typeCounts: async (size) => {
      const rows = await queries.all(
        `SELECT t.uri, count(*) AS count FROM statement s JOIN predicate_type t ON t.id = s.predicate_type
          WHERE s.idx < ? GROUP BY t.id, t.uri ORDER BY t.id`,
        size,
      );
      return new Map(rows.map((row) => [textAt(row, 'uri'), integerAt(row, 'count')]));
    },
    releases: (release) => (release === undefined ? list(records.release, from('release')) : releasesBeing(queries, [release].flat())),
    releasesWith: (component) =>
      reader.entriesIn('SELECT c.idx FROM component c JOIN artifact a ON a.id = c.artifact WHERE a.digest = ?', raw(component)),
    releaseByName: (name, version) => list(records.release, from('release', 'p.name = ? AND p.version = ?'), name, version),
    lastPassed: async (stage, by) => {
      const { isMeant, values } = signedBy('p', by);
      const condition = `p.stage = ? AND p.result = 'PASSED' AND ${isMeant}`;
      return (await list(records.decision, from('decision', condition, 'p.idx DESC LIMIT 1'), stage, ...values))[0];
    },
    decisions: (where = {}) => filtered(records.decision, 'decision', where),
    approvals: (where = {}) => filtered(records.approval, 'approval', where),
    testResults: (release) => list(records.test, from('test_result', 'a.digest = ?'), raw(release)),
    testedHardware: () =>
      list(
        (row) => digestFromHex(hex(bytesAt(row, 'hardware'))),
        'SELECT hardware FROM test_result WHERE hardware IS NOT NULL GROUP BY hardware ORDER BY min(idx)',
      ),
    testsOn: (hardware) => testsOn(queries, reader, hardware),
    revocations: () => list(records.revocation, from('revocation')),
    sites: (site) =>
      site === undefined ? list(records.site, from('site_record')) : list(records.site, from('site_record', 'p.site = ?'), site),
    receiptsOf: (site) => list(records.receipt, from('receipt', 'p.site = ?', 'p.seq, p.idx'), site),
    receiptLinks: (sites, size = Number.MAX_SAFE_INTEGER) => links(sites, size),
    receiptsAt: (indexes) => receiptsAt(queries, indexes),
    receiptIndexes: (site) => list((row) => integerAt(row, 'idx'), 'SELECT idx FROM receipt WHERE site = ? ORDER BY seq, idx', site),
    sitesAbout: (releases) => sitesAbout(queries, releases),
    sitesWithHardware: async (sought) => await inOrder(queries, [...(await queries.all(LOOSE)).map(siteIn), ...(await naming(sought))]),
    sitesBack: async () => await inOrder(queries, (await queries.all(BACK)).map(siteIn)),
    latestReceipts: () =>
      list(
        records.receipt,
        from('receipt', 'p.idx = (SELECT r.idx FROM receipt r WHERE r.site = p.site ORDER BY r.seq DESC, r.idx DESC LIMIT 1)', 'p.site'),
      ),
    fleet: (stage, size = Number.MAX_SAFE_INTEGER, by) => fleetOf(queries, stage, size, by),
    keysSeen: () => list(records.key, 'SELECT * FROM key_seen ORDER BY id'),
  };
}

type ProjectedTable = 'release' | 'decision' | 'approval' | 'test_result' | 'revocation' | 'site_record' | 'receipt';

/** The rows of a table with statement digest, signer, and the digest of the release where there is one. */
function from(table: ProjectedTable, condition = '1 = 1', order = 'p.idx'): string {
  const artifact = table === 'site_record' ? '' : ' LEFT JOIN artifact a ON a.id = p.artifact';
  const columns = table === 'site_record' ? '' : ', a.digest';
  const [before, beforeColumn] = table === 'receipt' ? [' LEFT JOIN artifact b ON b.id = p.previous', ', b.digest AS before'] : ['', ''];
  return `SELECT p.*, e.statement, k.key_id AS signer${columns}${beforeColumn} FROM ${table} p
    JOIN log_entry e ON e.idx = p.idx JOIN statement s ON s.idx = p.idx JOIN key_seen k ON k.id = s.key${artifact}${before}
    WHERE ${condition} ORDER BY ${order}`;
}

interface Filter {
  readonly stage?: string | undefined;
  readonly release?: Digest | readonly Digest[] | undefined;
}

/** Conditions that select the rows between them, each with its values: a long list of releases is asked for in parts. */
function filters({ stage, release }: Filter): readonly { readonly condition: string; readonly values: readonly SqlValue[] }[] {
  const [parts, values] = stage === undefined ? [[], []] : [['p.stage = ?'], [stage]];
  if (release === undefined) return [{ condition: ['1 = 1', ...parts].join(' AND '), values }];
  const lists = inLists((typeof release === 'string' ? [release] : release).map(raw));
  return lists.map((list) => ({
    condition: [...parts, `a.digest IN (${list.marks})`].join(' AND '),
    values: [...values, ...list.values],
  }));
}

const BY = 'SELECT s.idx FROM statement s JOIN key_seen k ON k.id = s.key WHERE k.key_id = ?';

const ABOUT =
  'SELECT s.idx FROM subject s JOIN artifact a ON a.id = s.artifact JOIN predicate_type t ON t.id = s.predicate_type WHERE a.digest = ?';

async function statementsAbout(
  reader: EntryReader,
  subject: Digest,
  predicateTypes: string | readonly string[] | undefined,
): Promise<readonly LedgerEntry[]> {
  if (predicateTypes === undefined) return reader.entriesIn(ABOUT, raw(subject));
  const types = typeof predicateTypes === 'string' ? [predicateTypes] : predicateTypes;
  return reader.entriesIn(`${ABOUT} AND t.uri IN (${types.map(() => '?').join(', ')})`, raw(subject), ...types);
}

async function evidenceAboutEach(
  queries: Queries,
  reader: EntryReader,
  releases: readonly Digest[],
): Promise<ReadonlyMap<Digest, readonly LedgerEntry[]>> {
  const indexes = new Map<Digest, number[]>(releases.map((release) => [release, []]));
  for (const { marks, values } of inLists([...indexes.keys()].map(raw))) {
    const rows = await queries.all(
      `SELECT s.idx, a.digest FROM subject s JOIN artifact a ON a.id = s.artifact JOIN predicate_type t ON t.id = s.predicate_type
        WHERE a.digest IN (${marks}) AND t.uri <> ?`,
      ...values,
      PREDICATE.receipt,
    );
    for (const row of rows) indexes.get(digestFromHex(hex(bytesAt(row, 'digest'))))?.push(integerAt(row, 'idx'));
  }
  const entries = new Map((await reader.entriesAt([...indexes.values()].flat())).map((entry) => [entry.index, entry]));
  return new Map(
    [...indexes].map(([release, found]) => [
      release,
      found.sort((left, right) => left - right).flatMap((index) => entries.get(index) ?? []),
    ]),
  );
}

/** What is erased has a type and no row of its own. */
const UNTOLD = `SELECT s.idx FROM statement s JOIN predicate_type t ON t.id = s.predicate_type
  WHERE t.uri = ? AND NOT EXISTS (SELECT 1 FROM test_result r WHERE r.idx = s.idx)`;

async function testsOn(queries: Queries, reader: EntryReader, hardware: readonly Digest[]): Promise<readonly LedgerEntry[]> {
  const indexes = (await queries.all(UNTOLD, PREDICATE.testResult)).map((row) => integerAt(row, 'idx'));
  for (const { marks, values } of inLists(hardware.map(raw))) {
    const rows = await queries.all(`SELECT idx FROM test_result WHERE hardware IN (${marks})`, ...values);
    indexes.push(...rows.map((row) => integerAt(row, 'idx')));
  }
  return await reader.entriesAt(indexes.sort((left, right) => left - right));
}

async function receiptsAt(queries: Queries, indexes: readonly number[]): Promise<readonly ReceiptRecord[]> {
  const found: ReceiptRecord[] = [];
  for (const { marks, values } of inLists(indexes))
    found.push(...(await queries.all(from('receipt', `p.idx IN (${marks})`), ...values)).map(records.receipt));
  return found.sort((left, right) => left.index - right.index);
}

const siteIn = (row: Row): string => textAt(row, 'site');

const LOOSE = 'SELECT DISTINCT site FROM receipt WHERE loose = 1';
const BACK = "SELECT DISTINCT site FROM receipt WHERE event IN ('rolled-back', 'rollback')";

async function sitesAbout(queries: Queries, releases: readonly Digest[]): Promise<readonly string[]> {
  const sites = (await queries.all(LOOSE)).map(siteIn);
  for (const { marks, values } of inLists(releases.map(raw))) {
    for (const column of ['artifact', 'previous']) {
      const named = `SELECT DISTINCT r.site FROM artifact a JOIN receipt r ON r.${column} = a.id WHERE a.digest IN (${marks})`;
      sites.push(...(await queries.all(named, ...values)).map(siteIn));
    }
  }
  return await inOrder(queries, sites);
}

/** Sites in the order of their first records; one without a record is none. */
async function inOrder(queries: Queries, sites: readonly string[]): Promise<readonly string[]> {
  const first = new Map<string, number>();
  for (const { marks, values } of inLists([...new Set(sites)])) {
    const found = `SELECT site, min(idx) AS idx FROM site_record WHERE site IN (${marks}) GROUP BY site`;
    for (const row of await queries.all(found, ...values)) first.set(siteIn(row), integerAt(row, 'idx'));
  }
  return [...first].sort((left, right) => left[1] - right[1]).map(([site]) => site);
}

function raw(digest: Digest): Uint8Array {
  return fromHex(digestHex(digest));
}
