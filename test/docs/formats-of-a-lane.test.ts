/** What a real lane and a real site write fits the published schemas, and lies where the pages on the lane and on media say. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type BusyLane, filesOf, makeBusyLane } from './documents-of-a-lane.js';
import { FORMATS } from './format-list.js';
import { compile } from './json-schema.js';
import { named, pageText, tableRows } from './pages.js';

const folder = mkdtempSync(path.join(tmpdir(), 'sealane-docs-'));
let busy: BusyLane;
beforeAll(async () => {
  busy = await makeBusyLane(folder);
});
afterAll(async () => {
  await busy.site.stop();
  await busy.lane.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('documents of a real lane', () => {
  test.for(FORMATS.map((format) => ({ ...format })))(
    '$name: each fits the schema, and the parser takes its very bytes',
    ({ name, kind, parse }) => {
      const objections = compile(name);
      const documents = busy.documents.get(name) ?? [];
      expect(documents.length).toBeGreaterThan(0);
      for (const bytes of documents) {
        const text = new TextDecoder().decode(bytes);
        expect(objections(kind === 'yaml' ? parseYaml(text) : JSON.parse(text))).toBe('');
        parse(bytes);
      }
    },
  );

  test('a refusal is among the decisions, and a topology among the test results', () => {
    const texts = (name: string): string => (busy.documents.get(name) ?? []).map((bytes) => new TextDecoder().decode(bytes)).join('\n');
    expect(texts('decision')).toContain('"verificationResult":"FAILED"');
    expect(texts('test-result')).toContain('"name":"topology"');
  });
});

describe('files', () => {
  const patterns = tableRows(pageText('docs/formats/lane.md').split('\n## Files\n')[1]?.split('\n## ')[0] ?? '').map(([cell]) =>
    asPattern(named(cell)),
  );

  test('every file of the lane and of a medium is of a kind that the page names', () => {
    const strange = (root: string): readonly string[] =>
      filesOf(root)
        .map((file) => path.relative(root, file))
        .filter((file) => !patterns.some((pattern) => pattern.test(file)));
    expect(strange(busy.lane.lane)).toEqual([]);
    // the one kind that a medium has beside those of the lane
    expect(strange(busy.medium)).toEqual([expect.stringMatching(/^certificates\/[0-9a-f]{64}\.pem$/)]);
  });

  test('every kind that the page names is in the lane', () => {
    const files = filesOf(busy.lane.lane).map((file) => path.relative(busy.lane.lane, file));
    expect(patterns.filter((pattern) => !files.some((file) => pattern.test(file)))).toEqual([]);
  });

  test('a medium holds part of the lane, byte for byte, and no blob that another stage alone needs', () => {
    const names = (root: string): readonly string[] => filesOf(path.join(root, 'content', 'blobs')).map((file) => path.basename(file));
    expect(names(busy.lane.lane)).toEqual(expect.arrayContaining([...names(busy.medium)]));
    expect(names(busy.medium).length).toBeLessThan(names(busy.lane.lane).length);
  });
});

/** The pattern of a path such as `trust/metadata/N.STAGE.json`. */
function asPattern(text: string): RegExp {
  const parts: Readonly<Record<string, string>> = {
    HASH: '[0-9a-f]{64}',
    STAGE: '(?:dev|edge-preprod|prod)',
    LEVEL: '\\d+',
    INDEX: '(?:x\\d{3}/)*\\d{3}(?:\\.p/\\d+)?',
    N: '\\d+',
  };
  const source = text.replace(/[.]/g, '\\.').replace(/HASH|STAGE|LEVEL|INDEX|\bN\b/g, (word) => parts[word] ?? word);
  return new RegExp(`^${source}$`);
}
