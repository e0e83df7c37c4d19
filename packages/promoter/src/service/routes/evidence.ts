/** Routes that take in what others signed: evidence, approvals, vetoes. The service signs nothing for anybody. */
import { PREDICATE } from '@sealane/core';
import { command as listCommand } from '../../commands/evidence-list.js';
import { addBrought, expectTaken, readStatements } from '../../log/statement-add.js';
import { releaseOf } from '../../release/records.js';
import { aboutRelease } from '../../evidence/about-release.js';
import { statementsResult } from '../../command-parts.js';
import { statementsShape } from '../answers.js';
import { route } from '../route.js';
import { releaseParam } from './release.js';

/** Bundles with reports inline stay far below. */
const MAX_STATEMENTS_BYTES = 32 * 1024 * 1024;
const BUNDLES = { mediaType: 'application/json', description: 'one Sigstore bundle or an array of them' };

/** What evidence is not: these are said by the promoter, by people and by sites, each on a way of their own. */
const NOT_EVIDENCE: readonly string[] = [
  PREDICATE.release,
  PREDICATE.decision,
  PREDICATE.revocation,
  PREDICATE.siteRecord,
  PREDICATE.receipt,
  PREDICATE.approval,
  PREDICATE.exception,
  PREDICATE.secret,
];

export const EVIDENCE_ROUTES = [
  route({
    id: 'evidence.add',
    method: 'POST',
    path: '/api/v1/releases/{release}/evidence',
    summary: 'log evidence about a release that a builder, a lab or a scanner signed',
    params: releaseParam,
    bytes: BUNDLES,
    answer: statementsShape,
    urgency: 'normal',
    run: async ({ params }, { body, locked }) => {
      // taken apart before it takes a turn: that of 32 MiB takes long
      const brought = readStatements(await body(MAX_STATEMENTS_BYTES), 'the evidence');
      return await locked(async (promoter) => {
        const release = await releaseOf(promoter, params.release);
        const objection = aboutRelease(promoter, release, NOT_EVIDENCE);
        for (const { statement } of brought) expectTaken(statement, 'the evidence', objection);
        return statementsResult(await addBrought(promoter, brought, 'the evidence'));
      });
    },
  }),
  route({
    id: 'evidence.list',
    method: 'GET',
    path: '/api/v1/releases/{release}/evidence',
    summary: 'list the evidence about a release and its images',
    params: releaseParam,
    answer: statementsShape,
    run: ({ params }, { command }) => command(listCommand, [params.release], {}),
  }),
  route({
    id: 'statement.add',
    method: 'POST',
    path: '/api/v1/statements',
    summary: 'log statements that came by hand: approvals and vetoes that people signed on their own machines, evidence',
    bytes: BUNDLES,
    answer: statementsShape,
    urgency: 'normal',
    run: async (_, { body, locked }) => {
      const brought = readStatements(await body(MAX_STATEMENTS_BYTES), 'the statements', notThePromoters);
      return await locked(async (promoter) => statementsResult(await addBrought(promoter, brought, 'the statements')));
    },
  }),
];

/** What the promoter itself says is signed here, under its own checks; it is never taken from outside. */
const PROMOTERS: readonly string[] = [PREDICATE.release, PREDICATE.decision, PREDICATE.revocation, PREDICATE.siteRecord];

function notThePromoters(predicateType: string): string | undefined {
  return PROMOTERS.includes(predicateType) ? 'an approval, a veto, evidence or a receipt' : undefined;
}
