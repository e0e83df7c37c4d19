/** What a search finds: releases, decisions, sites, units and people, each only for who may ask about such a thing, and each as it was signed. */
import { type Digest, isDigest } from '@sealane/core';
import type { LedgerEntry } from '@sealane/ledger';
import { personOf } from '../answers/context.js';
import { FACT } from '../answers/fact-kinds.js';
import { type Fact, factsIn, releaseOf } from '../answers/facts.js';
import type { Inquiry } from '../answers/inquiry.js';
import { unitIn, type Unit } from '../answers/unit.js';
import type { PageQuestion } from './page.js';

/** A release by its author's statement. */
export interface NamedRelease {
  readonly release: Digest;
  readonly name: string;
  readonly version: string;
}

/** A site by the registrar's last record of it. */
export interface NamedSite {
  readonly site: string;
  readonly stage: string;
}

/** What was found by one text. */
export interface Found {
  readonly releases: readonly NamedRelease[];
  readonly decisions: readonly { readonly statement: Digest; readonly stage: string; readonly result: string }[];
  readonly sites: readonly NamedSite[];
  /** Tests on, and sites with, a unit of this serial, model or firmware; null when there are none, or nobody looked. */
  readonly unit: Unit | null;
  /** What a person of this name approved or rejected. */
  readonly approvals: readonly { readonly release: Digest; readonly stage: string; readonly verdict: string; readonly at: string }[];
  /** Whether nobody looked for hardware, since something else is called so: it means to read every inventory. */
  readonly mayBeHardware: boolean;
}

/** Looks for a text everywhere: a whole digest, name or serial, or for releases the name alone. `hardware`: among hardware too, whatever else is found. */
export async function find(
  inquiry: Inquiry,
  { text, hardware }: { readonly text: string; readonly hardware: boolean },
  may: PageQuestion['may'],
): Promise<Found> {
  const found = {
    releases: may('trace') ? await releasesBy(inquiry, text) : [],
    decisions: may('decisions') ? await decisionsBy(inquiry, text) : [],
    sites: may('at') ? await sitesBy(inquiry, text) : [],
    approvals: may('approvals') ? await approvalsBy(inquiry, text) : [],
  };
  const looks = may('unit') && (hardware || Object.values(found).every((list) => list.length === 0));
  return { ...found, unit: looks ? await unitBy(inquiry, text) : null, mayBeHardware: may('unit') && !looks };
}

/** Releases as their authors signed them, out of the entries that say so. */
export async function releasesIn(inquiry: Inquiry, rows: readonly Pick<LedgerEntry, 'index'>[]): Promise<readonly NamedRelease[]> {
  const entries = await inquiry.context.ledger.entriesAt(rows.map(({ index }) => index));
  return (await factsIn(inquiry, FACT.release, entries)).map((fact) => {
    return { release: releaseOf(fact), name: fact.said.name, version: fact.said.version };
  });
}

/** Sites as the registrar signed them; the last record of each counts, and comes first. */
export async function sitesIn(inquiry: Inquiry, rows: readonly Pick<LedgerEntry, 'index'>[]): Promise<readonly NamedSite[]> {
  const entries = await inquiry.context.ledger.entriesAt(rows.map(({ index }) => index));
  const records = (await factsIn(inquiry, FACT.siteRecord, entries)).map(({ said: { site, stage } }) => ({ site, stage }));
  return [...new Map(records.map((record) => [record.site, record])).values()].reverse();
}

async function releasesBy(inquiry: Inquiry, text: string): Promise<Found['releases']> {
  const { ledger } = inquiry.context;
  const [, name = '', version] = /^([^@]*)@(.*)$/s.exec(text) ?? [];
  if (isDigest(text)) return await releasesIn(inquiry, await ledger.releases(text));
  if (version !== undefined) return await releasesIn(inquiry, await ledger.releaseByName(name, version));
  const rows = (await ledger.releases()).filter((one) => one.name === text || one.version === text);
  return await releasesIn(inquiry, rows);
}

async function decisionsBy(inquiry: Inquiry, text: string): Promise<Found['decisions']> {
  if (!isDigest(text)) return [];
  const decisions = await factsIn(inquiry, FACT.decision, await inquiry.context.ledger.byStatement(text));
  return decisions.map(({ said, entry }) => {
    return { statement: entry.statementDigest, stage: said.sealane_promotion.to, result: said.verificationResult };
  });
}

async function sitesBy(inquiry: Inquiry, text: string): Promise<Found['sites']> {
  return await sitesIn(inquiry, await inquiry.context.ledger.sites(text));
}

async function unitBy(inquiry: Inquiry, text: string): Promise<Unit | null> {
  const found = await unitIn(inquiry, text);
  return found.runs.length === 0 && found.sites.length === 0 ? null : found;
}

/** A person is known by the keys that policies give to the name; a key by its id. */
async function approvalsBy(inquiry: Inquiry, text: string): Promise<Found['approvals']> {
  const { policies, ledger } = inquiry.context;
  const keys = policies.flatMap(({ people }) => people.filter(({ id }) => id === text).flatMap((person) => person.keys));
  const ids = new Set([...keys, ...(/^[0-9a-f]{64}$/.test(text) ? [text] : [])]);
  const facts: Fact<ReturnType<typeof FACT.approval.read>>[] = [];
  for (const id of ids) facts.push(...(await factsIn(inquiry, FACT.approval, await ledger.statementsBy(id))));
  return facts
    .filter(({ entry }) => personOf(inquiry.context, entry.keyId) === text || entry.keyId === text)
    .map((fact) => ({ release: releaseOf(fact), stage: fact.said.stage, verdict: fact.said.verdict, at: fact.said.issuedAt }));
}
