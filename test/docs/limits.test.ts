/** Limits of the schemas that people write are those of the parser: at the limit both take a document, beyond it both refuse. */
import { canonicalJson, type JsonObject, SealaneError } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { FORMATS } from './format-list.js';
import { compile } from './json-schema.js';
import { codeBelow, pageText } from './pages.js';

type Bend = (document: JsonObject, value: never) => JsonObject;
interface Limit {
  readonly format: string;
  readonly what: string;
  readonly within: unknown;
  readonly beyond: unknown;
  readonly bend: Bend;
}

const component = (at: number): JsonObject => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${'ab'.repeat(32)}`,
  size: 400,
  // sorted by name, as the format asks
  annotations: { 'dev.sealane.component.kind': 'files', 'dev.sealane.component.name': `part-${String(at).padStart(4, '0')}` },
});

const withComponents: Bend = (document, count: number) => ({
  ...document,
  manifests: Array.from({ length: count }, (_, at) => component(at)),
});
const withOne: Bend = (document, change: JsonObject) => ({ ...document, manifests: [{ ...component(0), ...change }] });
const withTitle: Bend = (document, title: string) => ({
  ...document,
  annotations: { ...(document['annotations'] as JsonObject), 'org.opencontainers.image.title': title },
});
const withVersion: Bend = (document, version: string) => ({
  ...document,
  annotations: { ...(document['annotations'] as JsonObject), 'org.opencontainers.image.version': version },
});
const withPredicate =
  (change: (predicate: JsonObject) => JsonObject) =>
  (document: JsonObject): JsonObject => ({ ...document, predicate: change(document['predicate'] as JsonObject) });
const withSuite: Bend = (document, change: JsonObject) =>
  withPredicate((predicate) => {
    const [suite, ...others] = predicate['configuration'] as JsonObject[];
    return { ...predicate, configuration: [{ ...suite, ...change }, ...others] };
  })(document);

const LIMITS: readonly Limit[] = [
  { format: 'release-manifest', what: 'components', within: 1000, beyond: 1001, bend: withComponents },
  { format: 'release-manifest', what: 'no component', within: 1, beyond: 0, bend: withComponents },
  {
    format: 'release-manifest',
    what: 'size of a component',
    within: { size: 64 * 1024 ** 3 },
    beyond: { size: 64 * 1024 ** 3 + 1 },
    bend: withOne,
  },
  { format: 'release-manifest', what: 'length of the name', within: 'a'.repeat(64), beyond: 'a'.repeat(65), bend: withTitle },
  { format: 'release-manifest', what: 'length of the version', within: '1'.repeat(64), beyond: '1'.repeat(65), bend: withVersion },
  {
    format: 'test-result',
    what: 'length of the name of a suite',
    within: { name: 'a'.repeat(255) },
    beyond: { name: 'a'.repeat(256) },
    bend: withSuite,
  },
  { format: 'test-result', what: 'an empty name of a suite', within: { name: 'a' }, beyond: { name: '' }, bend: withSuite },
];

describe('limits of hand-written schemas', () => {
  test.for(LIMITS.map((limit) => ({ ...limit })))('$format: $what', ({ format: name, within, beyond, bend }) => {
    const format = FORMATS.find((each) => each.name === name);
    const example = JSON.parse(codeBelow(pageText(`docs/formats/${name}.md`), 'Example')) as JsonObject;
    const verdicts = [within, beyond]
      .map((value) => bend(example, value as never))
      .map((document) => [compile(name)(document) === '', takes(() => format?.parse(canonicalJson(document)))]);
    expect(verdicts).toEqual([
      [true, true],
      [false, false],
    ]);
  });
});

function takes(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (!(error instanceof SealaneError)) throw error;
    return false;
  }
}
