/** What a release's promotion rests on and will not rest on for ever: blobs that are gone, approvals and exceptions that end, statements that count no more. */
import type { Digest } from '@sealane/core';
import { secondsToTime, timeToSeconds } from '@sealane/trust';
import { aboutRelease, nameOf, type NamedRelease } from './about-release.js';
import type { AuditContext } from './context.js';
import { type ErasedBy, erasureOf } from './erased.js';
import { FACT } from './fact-kinds.js';
import { factsIn } from './facts.js';
import { type Answered, type Asked, inquire, timeOf } from './inquiry.js';

/** What ends, and when. */
interface Ending {
  readonly what: string;
  readonly expiresAt: string;
  readonly statement: Digest;
}

/** What does not count any more is among the doubts, with the reason. */
export interface EvidenceState extends NamedRelease {
  readonly by: string;
  readonly present: number;
  readonly missing: readonly {
    readonly what: string;
    readonly digest: Digest;
    readonly statement: Digest | null;
    /** The registrar's statement that erased it, and why; null when it is just gone. */
    readonly erased: ErasedBy | null;
  }[];
  readonly expired: readonly Ending[];
  readonly expiring: readonly Ending[];
}

const SECONDS_A_DAY = 86_400;
/** What a test result names beside its report. */
const DOCUMENTS = ['report', 'hardware', 'topology', 'fidelity', 'conditions', 'rehearsal'] as const;

/** Answers "which evidence is missing, and which will be, within so many days?". @throws AuditorError `RELEASE_UNKNOWN`; `LOG_WITNESS` */
export async function evidenceState(
  context: AuditContext,
  named: string,
  withinDays: number,
  asked: Asked = {},
): Promise<Answered<EvidenceState>> {
  return await inquire(context, `evidence ${named} within ${withinDays} days`, asked, async (inquiry) => {
    const about = await aboutRelease(inquiry, named);
    const now = await timeOf(inquiry);
    const by = secondsToTime(timeToSeconds(now) + withinDays * SECONDS_A_DAY);
    const tests = await factsIn(inquiry, FACT.test, about.entries);
    const named_ = tests.flatMap(({ said, entry }) =>
      DOCUMENTS.flatMap((what) => (said[what] === undefined ? [] : [{ what, digest: said[what], statement: entry.statementDigest }])),
    );
    const blobs = [{ what: 'release manifest', digest: about.release, statement: about.author?.entry.statementDigest ?? null }, ...named_];
    const missing: EvidenceState['missing'][number][] = [];
    for (const blob of blobs.filter(({ digest }) => inquiry.context.readBlob(digest) === undefined)) {
      missing.push({ ...blob, erased: (await erasureOf(inquiry.context, inquiry.evidence, blob.digest)) ?? null });
    }
    // a veto stands also after it has expired
    const given = (await factsIn(inquiry, FACT.approval, about.entries)).filter(({ said }) => said.verdict === 'approve');
    const approvals = given.map(({ said, entry }) => {
      return { what: `approval for ${said.stage}`, expiresAt: said.expiresAt, statement: entry.statementDigest };
    });
    const exceptions = (await factsIn(inquiry, FACT.exception, about.entries)).map(({ said, entry }) => {
      return { what: `exception of kind ${said.kind} for ${said.stage}`, expiresAt: said.expiresAt, statement: entry.statementDigest };
    });
    const endings = [...approvals, ...exceptions].filter(({ expiresAt }) => expiresAt <= by);
    return {
      ...nameOf(about),
      by,
      present: blobs.length - missing.length,
      missing,
      expired: endings.filter(({ expiresAt }) => expiresAt <= now),
      expiring: endings.filter(({ expiresAt }) => expiresAt > now),
    };
  });
}
