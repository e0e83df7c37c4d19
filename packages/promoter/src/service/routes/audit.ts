/** Routes of the auditor’s questions: each is the command of its name, and only reads. What is asked about a policy comes with the request. */
import type { CommandSpec } from '@sealane/core/command-line';
import {
  auditApprovals,
  auditAt,
  auditAutomatic,
  auditAwareness,
  auditCases,
  auditChanges,
  auditCoverage,
  auditDecisions,
  auditDevices,
  auditDrift,
  auditEvidence,
  auditExposure,
  auditKeys,
  auditParity,
  auditPopulation,
  auditRemedy,
  auditRollbacks,
  auditSnapshot,
  auditTrace,
  auditUnit,
  auditWaivers,
} from '@sealane/auditor';
import { z } from 'zod';
import { answerForPolicies, command as auditPolicy } from '../../commands/audit-policy.js';
import { command as auditReplay } from '../../commands/audit-replay.js';
import { MAX_BROUGHT_BYTES } from '../gate-questions.js';
import { auditAnswerShape } from '../answers.js';
import type { Right } from '../rights.js';
import { type Route, route } from '../route.js';
import { releaseParam } from './release.js';

const time = z.string().min(1).max(32);
/** The two times of every question. */
const asked = {
  asOf: time.describe('what was so at this time').exactOptional(),
  asKnown: time.describe('what witnesses had seen by this time').exactOptional(),
};
const name = z.string().min(1).max(64);
const words = z.string().min(1).max(160);
const stage = { stage: name.describe('one stage only').exactOptional() };
const siteParam = z.strictObject({ site: name.describe('name of a site') });
const anyone = z.strictObject({});

type Optional = Readonly<Record<string, z.ZodType>>;

/** A question: its right, its address below `/api/v1/audit/`, its command, and what may be asked with it. */
function question(id: Right, path: string, command: CommandSpec, params: z.ZodObject, query: Optional = {}): Route {
  return route({
    id,
    method: 'GET',
    path: `/api/v1/audit/${path}`,
    summary: command.summary,
    params,
    query: z.strictObject({ ...query, ...asked }),
    answer: auditAnswerShape,
    run: (input, context) => {
      const { args, options } = wordsOf(command, input.query);
      return context.command(command, [...Object.values(input.params).map(String), ...args], options);
    },
  });
}

/** An argument that a command can do without is no part of an address: it is asked for by its name, as options are. */
function wordsOf(
  { arguments: positional = [] }: CommandSpec,
  query: Readonly<Record<string, string | undefined>>,
): { readonly args: readonly string[]; readonly options: Readonly<Record<string, string | undefined>> } {
  const names = positional.flatMap(({ name: text }) => /^\[(.*)\]$/.exec(text)?.slice(1) ?? []);
  const args = names.flatMap((each) => query[each] ?? []);
  return { args, options: Object.fromEntries(Object.entries(query).filter(([each]) => !names.includes(each))) };
}

export const AUDIT_ROUTES: readonly Route[] = [
  question('audit.trace', 'releases/{release}/trace', auditTrace, releaseParam),
  question('audit.devices', 'releases/{release}/devices', auditDevices, releaseParam),
  question('audit.cases', 'releases/{release}/cases', auditCases, releaseParam),
  question('audit.approvals', 'releases/{release}/approvals', auditApprovals, releaseParam),
  question('audit.decisions', 'releases/{release}/decisions', auditDecisions, releaseParam, stage),
  question('audit.coverage', 'releases/{release}/coverage', auditCoverage, releaseParam, { ...stage, site: name.exactOptional() }),
  question('audit.changes', 'releases/{release}/changes', auditChanges, releaseParam, {
    from: words.exactOptional(),
    site: name.exactOptional(),
  }),
  question('audit.awareness', 'releases/{release}/awareness', auditAwareness, releaseParam),
  question('audit.evidence', 'releases/{release}/evidence', auditEvidence, releaseParam, { within: z.string().max(4).exactOptional() }),
  question('audit.at', 'sites/{site}', auditAt, siteParam),
  question('audit.parity', 'sites/{site}/parity', auditParity, siteParam, { release: words.exactOptional() }),
  question('audit.population', 'population', auditPopulation, anyone, { ...stage, from: time.exactOptional(), to: time.exactOptional() }),
  question('audit.exposure', 'exposure', auditExposure, anyone, {
    release: words.exactOptional(),
    component: words.exactOptional(),
    package: words.exactOptional(),
    key: words.exactOptional(),
    hardware: words.exactOptional(),
  }),
  question('audit.waivers', 'waivers', auditWaivers, anyone, stage),
  question('audit.remedy', 'vulnerabilities/{vulnerability}', auditRemedy, z.strictObject({ vulnerability: words })),
  question('audit.unit', 'units/{unit}', auditUnit, z.strictObject({ unit: words })),
  question('audit.keys', 'keys', auditKeys, anyone, { key: name.describe('id of a key: what it signed, too').exactOptional() }),
  question('audit.drift', 'drift', auditDrift, anyone, stage),
  question('audit.snapshot', 'snapshot', auditSnapshot, anyone),
  question('audit.rollbacks', 'rollbacks', auditRollbacks, anyone, stage),
  question('audit.automatic', 'automatic', auditAutomatic, anyone, stage),
  question(
    'audit.replay',
    'decisions/{decision}/replay',
    auditReplay,
    z.strictObject({ decision: z.string().min(1).max(80).describe('digest of its statement, or its log index') }),
  ),
  route({
    id: 'audit.policy',
    method: 'POST',
    path: '/api/v1/audit/policy',
    summary: auditPolicy.summary,
    query: z.strictObject(asked),
    bytes: { mediaType: 'application/json', description: 'a proposal, as trust propose writes it, or a policy' },
    answer: auditAnswerShape,
    run: async ({ query }, { body, command }) => {
      const brought = await body(MAX_BROUGHT_BYTES);
      return await command({ ...auditPolicy, run: (call) => answerForPolicies(call, brought, 'the body', 'signed') }, [], query);
    },
  }),
];
