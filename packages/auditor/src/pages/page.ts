/** A page for people: an answer of the auditor, read on the server and sent as HTML that needs no script. */
import type { CommandCall } from '@sealane/core/command-line';
import type { AuditContext } from '../answers/context.js';
import type { Asked } from '../answers/inquiry.js';
import { withAudit } from '../open-audit-shell.js';

/** What is asked of a page. */
export interface PageQuestion extends Asked {
  /** The last part of its address: a release, a site, a decision. */
  readonly subject: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Whether who asks may ask the question of this name (`trace`, `at`, …) too. */
  readonly may: (question: QuestionName) => boolean;
  /** A document that came with the question; undefined: none did. */
  readonly brought?: Uint8Array;
}

/** The questions that pages show answers to; `prove` is that of `log prove`. */
export type QuestionName =
  | 'approvals'
  | 'at'
  | 'automatic'
  | 'awareness'
  | 'cases'
  | 'changes'
  | 'coverage'
  | 'decisions'
  | 'devices'
  | 'drift'
  | 'evidence'
  | 'exposure'
  | 'keys'
  | 'parity'
  | 'policy'
  | 'population'
  | 'prove'
  | 'remedy'
  | 'replay'
  | 'rollbacks'
  | 'snapshot'
  | 'trace'
  | 'unit'
  | 'waivers';

/** A field of a form that a document is pasted into, and the most that is taken of the whole form as it is sent. */
export interface BroughtField {
  readonly name: string;
  readonly description: string;
  readonly maxFormBytes: number;
}

export interface AuditPage {
  /** Its address; `:subject` is what it is about. */
  readonly path: string;
  /** The question whose answer it shows: who may ask that may read it. */
  readonly question: QuestionName;
  /** A document that may be sent to it, as a field of a form that is posted. */
  readonly takes?: BroughtField;
  /** What a browser may do with it; absent: what it may do with all others, which run no script. */
  readonly policy?: string;
  /** The page as text, of the ledger that the call's options name. @throws SealaneError as the question does */
  readonly show: (call: CommandCall, question: PageQuestion) => Promise<string>;
}

/** Shows a page that is made from the ledger itself. */
export function inLedger(show: (context: AuditContext, question: PageQuestion) => Promise<string>): AuditPage['show'] {
  return async (call, question) => await withAudit(call, (context) => show(context, question));
}
