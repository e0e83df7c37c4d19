import { readFileSync } from 'node:fs';
import { parseStatement, PREDICATE, sha256, utf8 } from '@sealane/core';
import { erasureStatement, parseBundle } from '@sealane/trust';
import { describe, expect, it } from 'vitest';
import { cell, statementsCsv } from './csv.js';
import { testLog } from '../../../trust/src/testing/test-log.js';
import { testPeople, testPolicy } from '../../../trust/src/testing/test-policy.js';
import { absentDocuments, absentText } from './erased.js';
import type { ExportPackage } from './export-package.js';
import { indexPage } from './index-page.js';
import { encodeExportManifest, makeManifest, parseExportManifest } from './manifest.js';
import { assessmentResults } from './oscal.js';
import type { StatementRow } from './statement-rows.js';

const HOSTILE = '"><script>alert(1)</script>\n=HYPERLINK("http://x")';
const release = sha256(utf8('release'));

function exampleBundle(): ReturnType<typeof parseBundle> {
  const page = readFileSync(new URL('../../../../docs/formats/bundle.md', import.meta.url), 'utf8');
  return parseBundle(utf8(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ''));
}

const row: StatementRow = {
  index: 3,
  bundle: exampleBundle(),
  digest: release,
  predicateType: PREDICATE.approval,
  subjects: ['ab'.repeat(32)],
  part: HOSTILE,
  key: null,
  identity: null,
  signer: `=${HOSTILE}`,
  witnessedAt: '2026-11-24T10:00:00Z',
  says: HOSTILE,
  blobs: [],
};

const manifest = makeManifest({ origin: 'lane.example', size: 9, release, site: null, period: null, missing: [] });
const exported: ExportPackage = {
  manifest,
  checkpoint: 'note',
  notes: [],
  statements: [],
  blobs: new Map(),
  trust: new Map(),
  tiles: new Map(),
};

describe('a table for spreadsheets', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1+1', '＠A1'])('has %j as text and not as a formula', (text) => {
    // behind a tab or line break it is neutralised once more
    expect(cell(text)).toBe(`"'${text.replace(/^(\s)=/, "$1'=")}"`);
  });

  it.each([
    ['a;=1+1', "a;'=1+1"],
    ['a; "=1+1', `a; ""'=1+1`],
    ['a\t@A1', "a\t'@A1"],
    ['a\n-1;+2', "a\n'-1;'+2"],
    ['a;b-c, 1=1', 'a;b-c, 1=1'],
  ])('has %j as text, also where other signs part cells', (text, safe) => {
    expect(cell(text)).toBe(`"${safe}"`);
  });

  it('doubles quotes and keeps a line break inside its cell', () => {
    expect(cell('a"b\nc')).toBe('"a""b\nc"');
    expect(statementsCsv([row]).split('\r\n')).toHaveLength(3);
  });
});

describe('the page of an export', () => {
  it('shows what statements say as text, whatever it is, and brings no script', () => {
    const page = indexPage(exported, [row], []);
    expect(page).not.toMatch(/<script/i);
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain("default-src 'none'");
  });
});

describe('documents that are not in an export', () => {
  it('were erased where a registrar of the policies signed that, and are just not there otherwise', () => {
    const people = testPeople();
    const policy = testPolicy(testLog('lane.example', []), people);
    const document = sha256(utf8('report'));
    const predicate = {
      documents: [document],
      reason: 'names a colleague\n    rm -rf x',
      issuedAt: '2026-11-24T10:00:00Z',
      salt: '0'.repeat(32),
    };
    const bundle = { ...row.bundle, statement: parseStatement(erasureStatement(predicate, [release])) };
    const signedBy = ({ keyId, spki }: { readonly keyId: string; readonly spki: Uint8Array }): StatementRow => {
      return { ...row, index: 7, predicateType: PREDICATE.erasure, key: { id: keyId, spki }, bundle };
    };
    const told = (one: StatementRow): readonly string[] => absentDocuments({ missing: [document] }, [one], [policy]).map(absentText);
    expect(told(signedBy(people.registrar))).toEqual([`${document}: erased by the registrar in entry 7: names a colleague rm -rf x`]);
    expect(told(signedBy(people.lab))).toEqual([document]);
    expect(absentDocuments({ missing: [release] }, [signedBy(people.registrar)], [policy]).map(absentText)).toEqual([release]);
  });
});

describe('OSCAL results', () => {
  it('have an observation for each statement, whose names are the same each time and differ from one another', () => {
    const text = JSON.stringify(assessmentResults(exported, [row, { ...row, index: 4 }]));
    expect(text).toBe(JSON.stringify(assessmentResults(exported, [row, { ...row, index: 4 }])));
    const uuids = [...text.matchAll(/"uuid":"([0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"/g)].map(
      ([, uuid]) => uuid,
    );
    expect(new Set(uuids).size).toBe(4);
    expect(text).not.toContain('\\n');
  });
});

describe('a manifest', () => {
  it('is about one of release, site and period', () => {
    expect(parseExportManifest(encodeExportManifest(manifest))).toEqual(manifest);
    const period = { from: '2026-11-24T10:00:00Z', to: '2026-11-25T10:00:00Z', first: 0 };
    for (const wrong of [
      { ...manifest, release: null },
      { ...manifest, site: 'a' },
      { ...manifest, period },
    ])
      expect(() => parseExportManifest(encodeExportManifest(wrong))).toThrow(
        expect.objectContaining({ code: 'EXPORT_MALFORMED' }) as Error,
      );
  });
});
