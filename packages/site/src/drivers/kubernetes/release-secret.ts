/**
 * The secrets of a release in a cluster: one Secret, `sealane`, beside the ConfigMap of that name. Its values are filled in by the program that sends it and
 * are in no file of the driver; pods that use it carry their versions, so that another value is another rollout. Pure.
 */
import { type JsonObject, SiteError } from '@sealane/core';
import type { Credentials } from '../credentials.js';
import { RELEASE_SECRET } from '../podman/secret-volumes.js';
import type { KubeObject } from './objects.js';

/** What pods carry: which values they were started with. */
const VERSIONS = 'sealane.dev/secrets';

type Fields = Readonly<Record<string, unknown>>;

/** The Secret without its values; nothing where the release has none. */
export function emptySecret(credentials: Credentials | undefined): readonly JsonObject[] {
  return credentials === undefined ? [] : [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: RELEASE_SECRET }, type: 'Opaque' }];
}

/** The objects with the values of these secrets in that Secret: base64 of what `read` has. */
export function withValues(
  objects: readonly KubeObject[],
  secrets: readonly string[],
  read: (name: string) => Uint8Array,
): readonly KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Secret' || object.name !== RELEASE_SECRET || object.namespace !== undefined) return object;
    const data = Object.fromEntries(secrets.map((name) => [name, Buffer.from(read(name)).toString('base64')]));
    return { ...object, body: { ...object.body, data } };
  });
}

/**
 * A document whose pods that use the Secret carry the versions of its values.
 *
 * @throws SiteError `DRIVER_REFUSED` it uses the Secret of a release that has none
 */
export function withVersions(document: unknown, credentials: Credentials | undefined): unknown {
  if (Array.isArray(document)) return document.map((item: unknown) => withVersions(item, credentials));
  if (!isFields(document)) return document;
  const { spec, metadata } = document;
  if (!isFields(spec) || !Array.isArray(spec['containers']))
    return Object.fromEntries(Object.entries(document).map(([key, child]) => [key, withVersions(child, credentials)]));
  if (!usesSecret(spec)) return document;
  if (credentials === undefined)
    throw new SiteError(
      'DRIVER_REFUSED',
      `read a pod that uses the Secret ${RELEASE_SECRET}: expected a release that declares secrets, got one that declares none`,
    );
  const versions = credentials.secrets.map(({ name, version }) => `${name}=${version}`).join(',');
  const { annotations, ...more } = isFields(metadata) ? metadata : {};
  return { ...document, metadata: { ...more, annotations: { ...(isFields(annotations) && annotations), [VERSIONS]: versions } } };
}

/** A volume, a source of a projected one, or a variable. */
function usesSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(usesSecret);
  if (!isFields(value)) return false;
  if (value['secretName'] === RELEASE_SECRET) return true;
  return Object.entries(value).some(
    ([key, child]) => (isFields(child) && /^secret(?:Ref|KeyRef)?$/.test(key) && child['name'] === RELEASE_SECRET) || usesSecret(child),
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
