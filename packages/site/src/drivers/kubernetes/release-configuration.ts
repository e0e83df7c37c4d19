/**
 * Pods keep what they were started with. Those that use a ConfigMap or Secret of their release carry what it holds, in one digest, so that another content is another
 * rollout: else a release that changes nothing else would be said to run, and would not. Pure.
 */
import { type Digest, sha256, utf8 } from '@sealane/core';

/** What pods carry: which configuration they were started with. */
const CONFIGURATION = 'sealane.dev/configuration';

/** Pods of these stay as they are, or take the next one's by themselves. */
const NOT_ROLLED: readonly unknown[] = ['Pod', 'Job', 'CronJob'];

type Fields = Readonly<Record<string, unknown>>;

/** Documents of one file of a release. */
export interface ManifestFile {
  readonly digest: Digest;
  readonly documents: readonly unknown[];
}

/** The documents of all files, in their order; `namespace` is where those are that say none. */
export function withConfiguration(files: readonly ManifestFile[], namespace: string): readonly unknown[] {
  const held = new Map(files.flatMap(({ digest, documents }) => documents.flatMap((document) => heldIn(document, digest, namespace))));
  return files.flatMap(({ documents }) =>
    documents.map((document) =>
      isFields(document) && !NOT_ROLLED.includes(document['kind']) ? marked(document, held, placeOf(document, namespace)) : document,
    ),
  );
}

/**
 * A ConfigMap by its content. A Secret by the file that it is in, whose digest the release says to everybody: one of its content would let who may see pods and
 * no secrets guess.
 */
function heldIn(document: unknown, file: Digest, namespace: string): readonly [string, string][] {
  if (!isFields(document) || !isFields(document['metadata'])) return [];
  const { kind, metadata } = document;
  const name = `${String(kind)} ${placeOf(document, namespace)} ${String(metadata['name'])}`;
  if (kind === 'Secret') return [[name, file]];
  return kind === 'ConfigMap' ? [[name, JSON.stringify([sorted(document['data']), sorted(document['binaryData'])])]] : [];
}

/** Templates of pods, wherever they are in a document, with the digest of what they use of `held`. */
function marked(value: unknown, held: ReadonlyMap<string, string>, place: string): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => marked(item, held, place));
  if (!isFields(value)) return value;
  const { spec, metadata } = value;
  if (!isFields(spec) || !Array.isArray(spec['containers']))
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, marked(child, held, place)]));
  const used = [...new Set(usedBy(spec, place))].filter((name) => held.has(name)).sort();
  if (used.length === 0) return value;
  const digest = sha256(utf8(JSON.stringify(used.map((name) => [name, held.get(name)]))));
  const { annotations, ...more } = isFields(metadata) ? metadata : {};
  return { ...value, metadata: { ...more, annotations: { ...(isFields(annotations) && annotations), [CONFIGURATION]: digest } } };
}

/** Volumes, sources of projected ones, and variables. */
function usedBy(value: unknown, place: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => usedBy(item, place));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const [, kind] = /^(configMap|secret)(?:Ref|KeyRef)?$/.exec(key) ?? [];
    const name = isFields(child) ? (child['name'] ?? child['secretName']) : undefined;
    const own = kind === undefined || typeof name !== 'string' ? [] : [`${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${place} ${name}`];
    return [...own, ...usedBy(child, place)];
  });
}

function placeOf({ metadata }: Fields, namespace: string): string {
  const own = isFields(metadata) ? metadata['namespace'] : undefined;
  return typeof own === 'string' ? own : namespace;
}

const sorted = (part: unknown): unknown =>
  isFields(part) ? Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)) : null;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
