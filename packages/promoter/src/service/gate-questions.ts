/** The auditor's questions that need the gates: answered by the promoter, shown and asked as all others. */
import type { AskedOnPage } from '@sealane/auditor';
import { answerForPolicies, command as auditPolicy } from '../commands/audit-policy.js';
import { command as auditReplay } from '../commands/audit-replay.js';

const MIB = 1024 ** 2;
/** Largest proposal that is taken over HTTP: the policies of a few stages, twice. A file may be larger. */
export const MAX_BROUGHT_BYTES = 4 * MIB;

/** Pages of these questions. A form writes three letters for each sign of JSON, and little else is in a policy than letters. */
export const GATE_QUESTIONS: readonly AskedOnPage[] = [
  { name: 'replay', title: 'Does a decision come out again as it was made?', command: auditReplay },
  {
    name: 'policy',
    title: 'What would a policy change have let through?',
    command: auditPolicy,
    isLong: true,
    brings: {
      name: 'proposal',
      description: 'what is in proposal.json, or in the file of a policy',
      maxFormBytes: 2 * MAX_BROUGHT_BYTES,
      answer: (call, document) => answerForPolicies(call, document, 'what was pasted', 'signed'),
    },
  },
];
