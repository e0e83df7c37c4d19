/** Scope: the release is in one team's boundary, made by that team's author and from one of its repositories. Judged wherever policy has scopes. */
import { type Check, PREDICATE } from '@sealane/core';
import { readRelease } from '../evidence/predicates/release.js';
import type { PolicyScope } from '../policy/policy-types.js';
import { scopeOf } from '../policy/scope.js';
import { failed, passed, type RefusalWords } from './check-result.js';
import { digestsOf, EVIDENCE_CODES, selectStatements, whyNone } from './evidence-selection.js';
import type { GateContext } from './gate.js';
import { sourcesOf } from './provenance.js';

const SCOPE_CHECK = 'scope';

/**
 * The check `scope`; none where policy has no scopes. Every other gate leaves out by itself what a key signed outside of its scope: here it is asked
 * that the author and the source are of this one.
 */
export function scopeChecks(context: GateContext): readonly Check[] {
  const found = scopeOf(context.policy, context.releaseDoc);
  if (found.ok && found.scope === undefined) return [];
  const refuse = (words: Pick<RefusalWords, 'expected' | 'actual' | 'code'> & Partial<RefusalWords>): Check =>
    failed(SCOPE_CHECK, {
      evidence: [],
      remedy: 'have the team that the release belongs to make it; see scopes in pipeline.yaml',
      ...words,
    });
  if (!found.ok) return [refuse({ expected: 'a release in the scope of one team', actual: found.why, code: 'EVIDENCE_SCOPE' })];
  return found.scope === undefined ? [] : [judge(context, found.scope, refuse)];
}

function judge(
  context: GateContext,
  scope: PolicyScope,
  refuse: (words: Pick<RefusalWords, 'expected' | 'actual' | 'code'> & Partial<RefusalWords>) => Check,
): Check {
  const { team, repositories } = scope;
  const from = repositories.length === 0 ? '' : `, from ${repositories.join(' or ')}`;
  const expected = `a release of ${team}, by an author who may make it${from}`;
  const authors = selectStatements(context, {
    predicateType: PREDICATE.release,
    signers: context.policy.signers.release,
    read: readRelease,
    codes: EVIDENCE_CODES,
  });
  if (authors.accepted.length === 0) {
    const { code, why } = whyNone(authors, 'release statement', 'EVIDENCE_SIGNER');
    return refuse({ expected, actual: why, code });
  }
  if (repositories.length === 0) return passed(SCOPE_CHECK, { expected, actual: `of ${team}`, evidence: digestsOf(authors.accepted) });
  const built = sourcesOf(context);
  if (!built.ok) return refuse({ expected, actual: built.problem.why, code: built.problem.code });
  const { facts, evidence } = built.value;
  const sources = facts.map(({ source }) => source ?? 'not stated');
  const stranger = sources.find((source) => !repositories.includes(source));
  if (stranger !== undefined) return refuse({ expected, actual: `source ${stranger}`, evidence, code: 'EVIDENCE_SCOPE' });
  const actual = `of ${team}, from ${[...new Set(sources)].join(', ')}`;
  return passed(SCOPE_CHECK, { expected, actual, evidence: [...digestsOf(authors.accepted), ...evidence] });
}
