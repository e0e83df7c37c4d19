/** The objects of a release's manifests, as they are sent to a cluster: named, placed, and marked as those of this site. Pure. */
import { type JsonObject, type JsonValue, SiteError } from '@sealane/core';

/** An object with what names it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** As the manifest says it; undefined is the namespace of site.yaml, or none for what has none. */
  readonly namespace: string | undefined;
  readonly body: JsonObject;
}

/** What names an object in a record: enough to find and remove it. */
export type ObjectKey = Pick<KubeObject, 'apiVersion' | 'kind' | 'name' | 'namespace'>;

/** The label that says whose object it is: only what carries it is ever removed. */
export const SITE_LABEL = 'sealane.dev/site';

/** What is never removed: with it would go data, and what others have put there. */
const KEPT = ['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim'];

/** Kinds whose pods stay as they are when what they are to run changes. */
const UNROLLED = ['ReplicaSet', 'ReplicationController'];

/** What others stand on comes first; what is not listed comes last. */
const FIRST = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'StorageClass',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Secret',
  'ConfigMap',
  'PersistentVolumeClaim',
  'Service',
];

/**
 * The objects of some documents, in the order in which they are applied.
 *
 * @throws SiteError `DRIVER_REFUSED` a document that is no object, a list, an object twice, one that is named by the server, or
 * one in the place of a site's own
 */
export function kubeObjects(file: string, documents: readonly unknown[], site: string): readonly KubeObject[] {
  const objects = documents.filter((document) => document !== null).map((document) => objectOf(file, document, site));
  const twice = objects.find((object, at) => objects.findIndex((other) => keyText(other) === keyText(object)) !== at);
  if (twice !== undefined) throw refused(file, 'each object once', `${keyText(twice)} twice`);
  return inOrder(objects);
}

/** Objects in the order in which they are applied; they are removed in the opposite one. */
export function inOrder<T extends Pick<KubeObject, 'kind'>>(objects: readonly T[]): readonly T[] {
  const rank = ({ kind }: T): number => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);
  return objects.toSorted((left, right) => rank(left) - rank(right));
}

/** Whether an object goes when its release does. */
export function isRemovable({ kind }: ObjectKey): boolean {
  return !KEPT.includes(kind);
}

/** A key as one text, and back. */
export function keyText({ apiVersion, kind, namespace, name }: ObjectKey): string {
  return [apiVersion, kind, namespace ?? '', name].join(' ');
}

/** @throws SiteError `STATE_CORRUPT` it is no key */
export function keyFrom(text: string): ObjectKey {
  const [apiVersion, kind, namespace, name, ...more] = text.split(' ');
  if (apiVersion === undefined || kind === undefined || namespace === undefined || name === undefined || more.length > 0)
    throw new SiteError('STATE_CORRUPT', `read the record of what was applied: expected an object, got ${JSON.stringify(text)}`);
  return { apiVersion, kind, name, namespace: namespace === '' ? undefined : namespace };
}

function objectOf(file: string, document: unknown, site: string): KubeObject {
  if (!isObject(document)) throw refused(file, 'Kubernetes objects', 'a document that is none');
  const { apiVersion, kind, metadata } = document;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isObject(metadata) || typeof metadata['name'] !== 'string')
    throw refused(file, 'objects with apiVersion, kind and metadata.name', JSON.stringify({ apiVersion, kind }));
  // pods of the release before would run on, and nothing tells
  if (UNROLLED.includes(kind)) throw refused(file, 'a Deployment, whose pods are replaced', `a ${kind}`);
  // one could not be removed, the other would be removed with what is somebody else's
  const bound = ['finalizers', 'ownerReferences'].find((field) => metadata[field] !== undefined);
  if (bound !== undefined) throw refused(file, 'objects that stand for themselves', `${kind} ${metadata['name']} with ${bound}`);
  const { name, namespace } = metadata;
  if (!/^(?:[a-z0-9.-]+\/)?v[a-z0-9]+$/.test(apiVersion)) throw refused(file, 'a version of an API', apiVersion);
  const words = [kind, name, ...(typeof namespace === 'string' ? [namespace] : [])];
  if (!words.every((word) => /^[A-Za-z0-9][A-Za-z0-9./:-]*$/.test(word))) throw refused(file, 'plain names', words.join(' '));
  // a release that brought one would say itself what may run here
  if (apiVersion.startsWith('admissionregistration.k8s.io/') && name.startsWith('sealane-'))
    throw refused(file, 'no admission policy under a name of a site’s own', words.join(' '));
  const labels = isObject(metadata['labels']) ? metadata['labels'] : {};
  const body = { ...document, metadata: { ...metadata, labels: { ...labels, [SITE_LABEL]: site } } };
  return { apiVersion, kind, name, namespace: typeof namespace === 'string' ? namespace : undefined, body };
}

function isObject(value: unknown): value is JsonObject & Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(file: string, expected: string, got: string): SiteError {
  return new SiteError('DRIVER_REFUSED', `read ${file}: expected ${expected}, got ${got}`, { path: file });
}
