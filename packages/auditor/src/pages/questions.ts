/** The questions that are asked on pages of their own, in the order in which an auditor comes to them. Three others are the pages of a release, its coverage, and a site. */
import { html } from 'hono/html';
import { auditApprovals } from '../commands/audit-approvals.js';
import { auditAutomatic } from '../commands/audit-automatic.js';
import { auditAwareness } from '../commands/audit-awareness.js';
import { auditCases } from '../commands/audit-cases.js';
import { auditChanges } from '../commands/audit-changes.js';
import { auditDecisions } from '../commands/audit-decisions.js';
import { auditDevices } from '../commands/audit-devices.js';
import { auditDrift } from '../commands/audit-drift.js';
import { auditEvidence } from '../commands/audit-evidence.js';
import { auditExposure } from '../commands/audit-exposure.js';
import { auditKeys } from '../commands/audit-keys.js';
import { auditParity } from '../commands/audit-parity.js';
import { auditPopulation } from '../commands/audit-population.js';
import { auditRemedy } from '../commands/audit-remedy.js';
import { auditRollbacks } from '../commands/audit-rollbacks.js';
import { auditSnapshot } from '../commands/audit-snapshot.js';
import { auditUnit } from '../commands/audit-unit.js';
import { auditWaivers } from '../commands/audit-waivers.js';
import type { QuestionName } from './page.js';
import type { Html } from './parts.js';
import { type AskedOnPage, questionPath } from './question-page.js';

export const QUESTIONS: readonly AskedOnPage[] = [
  { name: 'devices', title: 'On which devices was a release tested?', command: auditDevices },
  { name: 'approvals', title: 'Who approved, with which key, having seen what?', command: auditApprovals },
  { name: 'changes', title: 'What changed from the release before?', command: auditChanges },
  { name: 'cases', title: 'Which test cases passed, failed, were skipped or flaky?', command: auditCases },
  { name: 'decisions', title: 'Which policy decided, and what changed after a refusal?', command: auditDecisions },
  { name: 'waivers', title: 'What was let through, until when, and is it relied on?', command: auditWaivers },
  { name: 'population', title: 'Every promotion of a period', command: auditPopulation, isLong: true },
  { name: 'exposure', title: 'Which sites run what was revoked, is vulnerable, or was signed by a stolen key?', command: auditExposure },
  { name: 'awareness', title: 'When could a site have known of a revocation?', command: auditAwareness },
  { name: 'remedy', title: 'How long from a vulnerability to its fix, at each site?', command: auditRemedy },
  { name: 'parity', title: 'How does a site differ from the rig that tested its release?', command: auditParity },
  { name: 'unit', title: 'What was tested on this unit, and which sites have one?', command: auditUnit },
  { name: 'keys', title: 'Which keys were valid when, and what did one sign?', command: auditKeys },
  { name: 'drift', title: 'Which sites drifted from what was assigned?', command: auditDrift },
  { name: 'snapshot', title: 'What did the ledger show on a day?', command: auditSnapshot },
  { name: 'rollbacks', title: 'What was rolled back, and why?', command: auditRollbacks },
  { name: 'evidence', title: 'Which evidence is missing, or about to expire?', command: auditEvidence },
  { name: 'automatic', title: 'What happened without a person, by whose rule?', command: auditAutomatic },
];

/** Links to questions about something: what is to be filled in, by field. None for nobody's question. */
export function questionLinks(names: readonly QuestionName[], about: Readonly<Record<string, string>>): Html | undefined {
  if (names.length === 0) return undefined;
  const asked = QUESTIONS.filter(({ name }) => names.includes(name));
  const query = new URLSearchParams(about).toString();
  return html`<ul class="questions">
    ${asked.map(({ name, title }) => html`<li><a href="${questionPath(name)}?${query}">${title}</a></li>`)}
  </ul>`;
}
