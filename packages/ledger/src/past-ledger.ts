/** The ledger as it was when it held fewer entries: what a decision was made from, whatever was logged since. */
import { LedgerError, parseCheckpoint } from '@sealane/core';
import type { Ledger } from './ledger.js';
import type { Projection } from './projection/questions.js';
import type { ReceiptRecord } from './projection/records.js';

/** What can be asked of the past. */
export type PastLedger = Omit<Projection, 'statementCounts' | 'lastPassed' | 'evidenceAboutEach'> &
  Pick<
    Ledger,
    | 'origin'
    | 'vkey'
    | 'size'
    | 'rootAt'
    | 'latestCosigned'
    | 'firstCosignedCovering'
    | 'entry'
    | 'entries'
    | 'byStatement'
    | 'documentsArchived'
    | 'archivedDocument'
  >;

/**
 * A view of the first `size` entries. Checkpoints that hold more are not there yet: an entry that no quorum had covered then is uncovered.
 *
 * Of several checkpoints of one size, which one was there is not known from the size alone; the last saved counts.
 */
export function pastLedger(ledger: Ledger, size: number): PastLedger {
  const before = async <T extends { readonly index: number }>(rows: Promise<readonly T[]>): Promise<readonly T[]> =>
    (await rows).filter(({ index }) => index < size);
  const fits = (note: string): boolean => parseCheckpoint(note).size <= size;
  const receiptsOf = (site: string): Promise<readonly ReceiptRecord[]> => before(ledger.receiptsOf(site));
  return {
    origin: ledger.origin,
    vkey: ledger.vkey,
    size: () => Promise.resolve(size),
    rootAt: async (wanted) => {
      if (wanted <= size) return await ledger.rootAt(wanted);
      throw new LedgerError('PROOF_LENGTH', `read the root of ${wanted} entries: expected at most the ${size} of then`, { size });
    },
    latestCosigned: () => ledger.latestCosigned(size),
    firstCosignedCovering: (index, accepts = () => true) => ledger.firstCosignedCovering(index, (note) => fits(note) && accepts(note)),
    entry: async (index) => {
      if (index < size) return await ledger.entry(index);
      throw new LedgerError('STATEMENT_UNKNOWN', `read entry ${index}: expected one of the first ${size}`, { index });
    },
    entries: (begin, count) => ledger.entries(begin, Math.max(0, Math.min(count, size - begin))),
    documentsArchived: (documents) => ledger.documentsArchived(documents),
    archivedDocument: (digest) => ledger.archivedDocument(digest),
    byStatement: (digest) => before(ledger.byStatement(digest)),
    statementsAbout: (subject, predicateTypes) => before(ledger.statementsAbout(subject, predicateTypes)),
    evidenceAbout: (release) => before(ledger.evidenceAbout(release)),
    statementsOf: (predicateTypes) => before(ledger.statementsOf(predicateTypes)),
    statementsNaming: async (sought) => (await ledger.statementsNaming(sought)).filter((index) => index < size),
    knowsType: (predicateType) => ledger.knowsType(predicateType),
    statementsBy: (keyId) => before(ledger.statementsBy(keyId)),
    indexesBy: async (keyId) => (await ledger.indexesBy(keyId)).filter((index) => index < size),
    typeCounts: (at) => ledger.typeCounts(Math.min(at, size)),
    releases: (release) => before(ledger.releases(release)),
    releasesWith: (component) => before(ledger.releasesWith(component)),
    releaseByName: (name, version) => before(ledger.releaseByName(name, version)),
    decisions: (where) => before(ledger.decisions(where)),
    approvals: (where) => before(ledger.approvals(where)),
    testResults: (release) => before(ledger.testResults(release)),
    testedHardware: () => ledger.testedHardware(),
    testsOn: (hardware) => before(ledger.testsOn(hardware)),
    revocations: () => before(ledger.revocations()),
    sites: (site) => before(ledger.sites(site)),
    receiptsOf,
    receiptLinks: (sites, at = size) => ledger.receiptLinks(sites, Math.min(at, size)),
    receiptsAt: (indexes) => before(ledger.receiptsAt(indexes)),
    receiptIndexes: async (site) => (await ledger.receiptIndexes(site)).filter((index) => index < size),
    sitesAbout: (releases) => ledger.sitesAbout(releases),
    sitesWithHardware: (sought) => ledger.sitesWithHardware(sought),
    sitesBack: () => ledger.sitesBack(),
    latestReceipts: async () => {
      // of each site that has reported since, what it had reported by then
      const latest = await Promise.all((await ledger.latestReceipts()).map(async ({ site }) => (await receiptsOf(site)).at(-1)));
      return latest.flatMap((row) => row ?? []);
    },
    fleet: (stage, at = size, by) => ledger.fleet(stage, Math.min(at, size), by),
    keysSeen: async () => (await ledger.keysSeen()).filter(({ firstIndex }) => firstIndex < size),
  };
}
