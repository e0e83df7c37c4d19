/** Site variables: what the sites of the rollout set, as far as they told, is what the release declares. Each site judges its own values when it admits. */
import { type Check, counted } from '@sealane/core';
import { z } from 'zod';
import type { DeclaredVariable } from '../evidence/predicates/declaration.js';
import { variableProblems } from '../site-variables.js';
import { failed, passed } from './check-result.js';
import { defineGate, type FleetSite, type GateContext } from './gate.js';

const configSchema = z.strictObject({
  /** Sites whose values do not fit, or that never told them: left out and counted, or a reason to refuse. */
  unknown: z.enum(['exclude', 'refuse']).default('exclude'),
});

type Config = z.output<typeof configSchema>;

/** `variables` gate. Admission holds every site to the declaration, whether or not policy names this gate. */
export const variablesGate = defineGate({
  id: 'variables',
  summary: 'the variables that sites set are declared, and in range',
  recheckedAtSite: false,
  reads: 'decisions',
  configSchema,
  evaluate: evaluateVariables,
});

/** `wrong` = it would refuse the release now; `open` = it has not told, or has still to set a variable without default. */
interface JudgedSite {
  readonly site: string;
  readonly state: 'fits' | 'wrong' | 'open';
  readonly why: string;
}

function evaluateVariables(context: GateContext, { unknown }: Config): Check {
  const id = variablesGate.id;
  const { declares } = context.releaseDoc;
  const expected = `values in range for ${counted(declares?.variables?.length ?? 0, 'variable')} at ${counted(context.fleet.length, 'site')}, unknown: ${unknown}`;
  if (declares?.variables === undefined) {
    return failed(id, {
      expected,
      actual: 'the release does not declare its variables',
      remedy: 'make a new version that does: sealane release create --declare release.yaml',
      evidence: [],
      code: 'SITE_VARIABLES',
    });
  }
  const declared = declares.variables;
  const sites = context.fleet.map((site) => judgeSite(declared, site));
  const actual = describeSites(sites);
  if (!isRefused(sites, unknown)) return passed(id, { expected, actual, evidence: [] });
  return failed(id, { expected, actual, remedy: 'mend variables in site.yaml of the sites named', evidence: [], code: 'SITE_VARIABLES' });
}

function judgeSite(declared: readonly DeclaredVariable[], { site, variables }: FleetSite): JudgedSite {
  if (variables === undefined) return { site, state: 'open', why: 'it never told its variables' };
  const { wrong, unset } = variableProblems(declared, variables);
  if (wrong.length > 0) return { site, state: 'wrong', why: wrong.join(', ') };
  return unset.length > 0 ? { site, state: 'open', why: `it does not set ${unset.join(', ')}` } : { site, state: 'fits', why: '' };
}

/** Leaving sites out must leave one that could take the release. */
function isRefused(sites: readonly JudgedSite[], unknown: Config['unknown']): boolean {
  if (unknown === 'refuse') return sites.length === 0 || sites.some(({ state }) => state !== 'fits');
  return sites.length > 0 && sites.every(({ state }) => state === 'wrong');
}

/** Sites named in a verdict; the counts are of all. */
const MAX_NAMED = 10;

function describeSites(sites: readonly JudgedSite[]): string {
  const others = sites.filter(({ state }) => state !== 'fits');
  const named = others.slice(0, MAX_NAMED).map(({ site, why }) => `${site}: ${why}`);
  const rest = others.length - named.length;
  return [
    `${sites.length - others.length} of ${counted(sites.length, 'site')} ${sites.length === 1 ? 'fits' : 'fit'}`,
    ...named,
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join('; ');
}
