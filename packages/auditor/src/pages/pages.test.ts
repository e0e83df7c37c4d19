/** The pages over hostile names: whatever a statement says stays text; and the policy lets exactly the stylesheet in. */
import { base64, type Digest, INTOTO_PAYLOAD_TYPE, makeEnvelope, sha256, sha256Raw, utf8 } from '@sealane/core';
import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { adoptionPart } from './adoption-part.js';
import { answerBody } from './answer-body.js';
import { coverageBody } from './coverage-page.js';
import { decisionBody } from './decision-page.js';
import { homeBody } from './home-page.js';
import { answerPage, htmlText, layout, problemPage } from './layout.js';
import { releaseBody } from './release-page.js';
import { siteBody } from './site-page.js';
import { statementBody } from './statement-page.js';
import { PAGE_POLICY } from './style.js';
import { VERIFY_PAGE, verifyPage } from './verify-page.js';

/** Closes elements and attributes of both quotes, and begins a script in each way. */
const EVIL = `"'></td></title></style></svg><script>alert(1)</script><img src=x onerror=alert(1)>&lt;`;
const DIGEST: Digest = sha256(utf8(EVIL));
const AT = '2026-11-24T10:00:00Z';
const CHECK = { id: EVIL, verdict: 'fail', expected: EVIL, actual: EVIL, remedy: EVIL, evidence: [DIGEST] } as const;

const hostile = {
  answer: answerBody({
    name: EVIL,
    site: EVIL,
    verdict: EVIL,
    keys: [EVIL],
    mixed: `${EVIL} ${DIGEST} ${EVIL}`,
    rows: [{ one: EVIL, release: DIGEST, more: { deep: EVIL } }],
    cards: [{ rows: [{ one: EVIL }] }],
  }),
  release: releaseBody(
    {
      release: DIGEST,
      name: EVIL,
      version: EVIL,
      components: [{ name: EVIL, kind: 'files', digest: DIGEST, size: 1, mediaType: EVIL }],
      provenance: [{ builder: EVIL, commits: [EVIL], statement: DIGEST }],
      tests: [{ suite: EVIL, result: EVIL, passed: 1, total: 2, statement: DIGEST }],
      testedOn: [],
      approvals: [{ person: EVIL, stage: EVIL, verdict: EVIL, issuedAt: EVIL, statement: DIGEST }],
      decisions: [1, 2].map((counter) => ({
        stage: EVIL,
        result: EVIL,
        counter,
        rollout: [EVIL],
        at: EVIL,
        checks: [CHECK],
        statement: DIGEST,
      })),
      sites: [{ site: EVIL, event: EVIL, at: EVIL, reason: EVIL, statement: DIGEST }],
      elsewhere: [],
    },
    [EVIL, 'prod'],
    adoptionPart([{ at: AT, site: EVIL, change: 'began', sites: 1 }], AT),
  ),
  coverage: coverageBody(
    {
      release: DIGEST,
      name: EVIL,
      version: EVIL,
      stage: EVIL,
      classes: [{ class: DIGEST, role: EVIL, label: EVIL, units: [], runs: [], sites: [EVIL], why: EVIL }],
      covered: [],
      uncovered: [{ site: EVIL, why: EVIL }],
      unknown: [{ site: EVIL, why: EVIL }],
      problems: [EVIL],
      reports: [{ site: EVIL, at: EVIL, receipt: DIGEST }],
    },
    ['prod', EVIL],
  ),
  site: siteBody(
    {
      site: EVIL,
      stage: EVIL,
      release: DIGEST,
      name: EVIL,
      version: EVIL,
      since: AT,
      history: [{ seq: 1, event: 'installed', release: DIGEST, previous: null, reason: EVIL, at: AT, statement: DIGEST }],
      summedUp: [
        {
          seq: 2,
          runs: [{ from: 3, to: 9 }],
          count: 8,
          since: AT,
          until: EVIL,
          refused: [{ reason: EVIL, release: DIGEST, count: 7 }],
          others: 1,
          statement: DIGEST,
        },
      ],
      missing: [2],
    },
    new Map([[DIGEST, EVIL]]),
    AT,
  ),
  decision: decisionBody(
    { release: DIGEST, name: EVIL, version: EVIL, decisions: [] },
    {
      stage: EVIL,
      from: EVIL,
      result: 'FAILED',
      counter: null,
      at: EVIL,
      rollout: [EVIL],
      policy: DIGEST,
      replay: EVIL,
      checks: [CHECK],
      then: { statement: DIGEST, at: EVIL, groups: [EVIL], between: [{ predicateType: EVIL, statement: DIGEST, logIndex: 3 }] },
      statement: DIGEST,
      logIndex: 2,
    },
  ),
  statement: statementBody(
    [
      {
        index: 1,
        envelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, utf8(JSON.stringify(EVIL)), new Uint8Array([1])),
        spki: new Uint8Array(),
        statement: {
          _type: 'https://in-toto.io/Statement/v1',
          subject: [{ name: EVIL, digest: { sha256: EVIL } }],
          predicateType: EVIL,
          predicate: {},
        },
        statementDigest: DIGEST,
        keyId: EVIL,
        loggedAt: EVIL,
      },
    ],
    () => EVIL,
  ),
  home: homeBody(
    { origin: EVIL, size: 3, witnessed: null, problem: EVIL },
    {
      listed: {
        releases: { latest: [{ release: DIGEST, name: EVIL, version: EVIL }], count: 2 },
        sites: { latest: [{ site: EVIL, stage: EVIL }], count: 2 },
      },
      found: {
        text: EVIL,
        releases: [],
        decisions: [{ statement: DIGEST, stage: EVIL, result: EVIL }],
        sites: [],
        unit: { unit: EVIL, runs: [], releases: [], recalls: [], sites: [{ site: EVIL, since: EVIL, until: null }] },
        approvals: [{ release: DIGEST, stage: EVIL, verdict: EVIL, at: EVIL }],
        mayBeHardware: true,
      },
    },
  ),
} as const;

const ANSWERED = { question: EVIL, answer: { doubts: [] }, statements: [], checkpoint: null, complete: true };

describe('pages', () => {
  it.each(Object.entries(hostile))('%s: text of a statement makes no element and leaves no attribute', (_, body) => {
    const doubts = [{ statement: DIGEST, logIndex: 1, code: 'SITE_MISMATCH' as const, message: EVIL }];
    const text = answerPage(EVIL, { ...ANSWERED, answer: { doubts } }, { asOf: EVIL, asKnown: EVIL }, body);
    expect(text).toContain('&lt;script&gt;alert(1)');
    expect(text).not.toMatch(/<script|<img/i);
    // a quote that came through would end an attribute before its time
    expect(text.replace(/<style>[^<]*<\/style>/, '').replaceAll(/<[^<>"']*(?:"[^"<>]*"[^<>"']*)*>/g, '')).not.toMatch(/[<>]/);
    expect(text.match(/<style>/g)).toHaveLength(1);
  });

  it('spells out what would turn the direction of a text around', () => {
    const reason = 'may not be deferred \u202etnegru\u202c \u2066';
    const doubts = [{ statement: DIGEST, logIndex: 1, code: 'SITE_MISMATCH' as const, message: reason }];
    const page = answerPage(reason, { ...ANSWERED, answer: { doubts } }, undefined, html`<p>${reason}</p>`);
    expect(page).toContain(String.raw`<p>may not be deferred \u202etnegru\u202c \u2066</p>`);
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  it('says of each decision for which groups of sites it is: one that was refused for the last may run in the first', () => {
    const decision = { stage: 'prod', at: AT, checks: [], statement: DIGEST };
    const trace = {
      ...{ release: DIGEST, name: 'api', version: '1.0.0', components: [], provenance: [], tests: [], testedOn: [] },
      ...{ approvals: [], sites: [], elsewhere: [] },
      decisions: [
        { ...decision, result: 'PASSED', counter: 1, rollout: ['first'] },
        { ...decision, result: 'FAILED', counter: null, rollout: ['rest'] },
      ],
    };
    const text = htmlText(releaseBody(trace, ['prod'], html``))
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/prod refused Decision for prod 2026-11-24 10:00:00 UTC for rest/);
    expect(text).toMatch(/1 earlier decision passed 2026-11-24 10:00:00 UTC for first/);
  });

  it('says a problem as text', () => {
    expect(problemPage('USAGE', EVIL, EVIL)).not.toMatch(/<script|<img/i);
  });

  it('allows the stylesheet that is in the page, and no other', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(layout('a', html``)) ?? [];
    expect(PAGE_POLICY).toContain(`style-src 'sha256-${base64(sha256Raw(utf8(style)))}';`);
    expect(PAGE_POLICY).toMatch(/^default-src 'none'; /);
    expect(PAGE_POLICY).not.toContain('unsafe');
  });

  it.each(Object.entries(hostile))('%s: needs no script and no style of its own elements', (_, body) => {
    expect(htmlText(body)).not.toMatch(/ style=| on[a-z]+="|javascript:/);
  });

  it('allows the page that verifies its own script and no other, by its digest, in the page itself as well', () => {
    const [script, more] = [...VERIFY_PAGE.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text = '']) => text);
    expect(more).toBeUndefined();
    expect(verifyPage.policy).toContain(`script-src 'sha256-${base64(sha256Raw(utf8(script ?? '')))}';`);
    expect(verifyPage.policy).not.toContain('unsafe');
    const [, own] = /http-equiv="content-security-policy" content="([^"]*)"/.exec(VERIFY_PAGE) ?? [];
    expect(verifyPage.policy).toBe(`${own}; frame-ancestors 'none'`);
    expect(script).not.toMatch(/innerHTML|outerHTML|document\.write|insertAdjacentHTML|eval\(|new Function/);
  });
});
