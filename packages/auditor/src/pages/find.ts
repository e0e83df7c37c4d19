/** What a search finds: releases, decisions, sites, units and people, each only for who may ask about such a thing. */
import { type Digest, isDigest } from '@sealane/core';
import { type AuditContext, personOf, startEvidence } from '../answers/context.js';
import { FACT } from '../answers/fact-kinds.js';
import { factsOf, releaseOf } from '../answers/facts.js';
import { unit, type Unit } from '../answers/unit.js';
import type { PageQuestion } from './page.js';

/** What was found by one text. */
export interface Found {
  readonly releases: readonly { readonly release: Digest; readonly name: string; readonly version: string }[];
  readonly decisions: readonly { readonly statement: Digest; readonly stage: string; readonly result: string }[];
  readonly sites: readonly { readonly site: string; readonly stage: string }[];
  /** Tests on, and sites with, a unit of this serial, model or firmware; null when there are none. */
  readonly unit: Unit | null;
  /** What a person of this name approved or rejected. */
  readonly approvals: readonly { readonly release: Digest; readonly stage: string; readonly verdict: string; readonly at: string }[];
}

/** Looks for a text everywhere: a whole digest, name or serial, or for releases the name alone. */
export async function find(context: AuditContext, text: string, may: PageQuestion['may']): Promise<Found> {
  return {
    releases: may('trace') ? await releasesBy(context, text) : [],
    decisions: may('decisions') ? await decisionsBy(context, text) : [],
    sites: may('at') ? await sitesBy(context, text) : [],
    unit: may('unit') ? await unitBy(context, text) : null,
    approvals: may('approvals') ? await approvalsBy(context, text) : [],
  };
}

async function releasesBy({ ledger }: AuditContext, text: string): Promise<Found['releases']> {
  const [name = '', version] = text.split('@', 2);
  if (isDigest(text)) return await ledger.releases(text);
  if (version !== undefined) return await ledger.releaseByName(name, version);
  return (await ledger.releases()).filter((one) => one.name === text || one.version === text);
}

async function decisionsBy({ ledger }: AuditContext, text: string): Promise<Found['decisions']> {
  if (!isDigest(text)) return [];
  const entries = await ledger.byStatement(text);
  return entries
    .filter(({ statement }) => statement.predicateType === FACT.decision.type && 'sealane_promotion' in statement.predicate)
    .map(({ statement, statementDigest }) => {
      const said = FACT.decision.read(statement);
      return { statement: statementDigest, stage: said.sealane_promotion.to, result: said.verificationResult };
    });
}

async function sitesBy({ ledger }: AuditContext, text: string): Promise<Found['sites']> {
  const [last] = (await ledger.sites(text)).slice(-1);
  return last === undefined ? [] : [last];
}

async function unitBy(context: AuditContext, text: string): Promise<Unit | null> {
  const { answer } = await unit(context, text);
  return answer.runs.length === 0 && answer.sites.length === 0 ? null : answer;
}

async function approvalsBy(context: AuditContext, text: string): Promise<Found['approvals']> {
  const facts = await factsOf({ context, evidence: startEvidence(), asOf: undefined }, FACT.approval);
  return facts
    .filter(({ entry }) => personOf(context, entry.keyId) === text || entry.keyId === text)
    .map((fact) => ({ release: releaseOf(fact), stage: fact.said.stage, verdict: fact.said.verdict, at: fact.said.issuedAt }));
}
