/** The API server of a cluster, as far as a site talks to it: server-side apply under its own field manager, look, remove. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { collectBounded, type JsonObject } from '@sealane/core';
import { Agent, request } from 'undici';
import { fieldOf, jsonOf, textOf } from '../../tool-json.js';
import { clusterAccess, type Material } from './kubeconfig.js';
import type { KubeObject, ObjectKey } from './objects.js';
import { MANAGER, metadataOf, siteOf } from './ownership.js';

/** What the server answered, or that it did not. */
export type Answer = { readonly status: number; readonly body: unknown } | { readonly status: undefined; readonly why: string };

/** A cluster; no function rejects. */
export interface Cluster {
  /** Where an object is, or would be; the answer of a server that does not know its kind. */
  place(key: ObjectKey): Promise<ObjectPlace | Answer>;
  /** `dryRun` asks whether it could be. */
  apply(object: KubeObject, dryRun: 'no' | 'yes'): Promise<Answer>;
  look(key: ObjectKey): Promise<Answer>;
  /** Puts a whole object in the place of what was looked at: unlike what is applied, it leaves nothing of others in it. */
  replace(key: ObjectKey, body: JsonObject, there: unknown): Promise<Answer>;
  /** Removes it if it is still this site's and none of `kept` (uids); one that is not there is fine. */
  remove(key: ObjectKey, site: string, kept: ReadonlySet<string>): Promise<Answer>;
  /** Whether it is not there, or not this site's. */
  isGone(key: ObjectKey, site: string): Promise<boolean>;
  /** The pods of some namespaces, one answer each, or of all of them. */
  pods(namespaces: readonly string[] | null): Promise<readonly Answer[]>;
  endPod(namespace: string, name: string): Promise<Answer>;
  close(): Promise<void>;
}

/** A place on the server. */
export interface ObjectPlace {
  readonly path: string;
  /** The same for every version of its kind. */
  readonly identity: string;
  /** Undefined: its kind is one of the whole cluster. */
  readonly namespace: string | undefined;
}

const TIMEOUT_MS = 30_000;
/** An object with its managed fields, of which etcd takes 1.5 MiB, or the pods of an edge cluster. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Opens a cluster. `namespace` is that of objects that name none. @throws SiteError `CONFIG_INVALID`; errors of files as they are */
export function openCluster(kubeconfig: string, namespace: string): Cluster {
  const access = clusterAccess(kubeconfig, readFileSync(kubeconfig, 'utf8'));
  const bytes = (material: Material | undefined): Buffer | undefined => {
    if (material === undefined) return undefined;
    return 'data' in material ? Buffer.from(material.data) : readFileSync(path.resolve(path.dirname(kubeconfig), material.file));
  };
  const [ca, cert, key, token] = [access.ca, access.cert, access.key, access.token].map(bytes);
  const agent = new Agent({
    connect: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(access.serverName && { servername: access.serverName }) },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token.toString('utf8').trim()}` };
  const ask = (method: keyof typeof TYPES, place: string, body?: string): Promise<Answer> =>
    askServer(`${access.server}${place}`, { method, dispatcher: agent, headers: { ...headers, ...TYPES[method] }, ...(body && { body }) });
  const places = new Map<string, Promise<Answer>>();
  const place = async (object: ObjectKey): Promise<ObjectPlace | Answer> => {
    const base = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
    const known = places.get(base) ?? ask('GET', base);
    places.set(base, known);
    const found = await known;
    const at = found.status === 200 ? placeOf(base, found.body, object, namespace) : found;
    // a kind may be made known a moment later
    if ('status' in at) places.delete(base);
    return at;
  };
  const at = async (object: ObjectKey, use: (path: string) => Promise<Answer>): Promise<Answer> => {
    const found = await place(object);
    return 'path' in found ? await use(found.path) : found;
  };
  const look = (object: ObjectKey): Promise<Answer> => at(object, (path) => ask('GET', path));
  return {
    place,
    look,
    apply: (object, dryRun) => {
      const query = `?fieldManager=${MANAGER}&force=true&fieldValidation=Strict${dryRun === 'yes' ? '&dryRun=All' : ''}`;
      return at(object, (path) => ask('PATCH', `${path}${query}`, JSON.stringify(object.body)));
    },
    replace: (object, body, there) => {
      const metadata = { ...(body['metadata'] as JsonObject | undefined), resourceVersion: textOf(metadataOf(there), 'resourceVersion') };
      return at(object, (path) =>
        ask('PUT', `${path}?fieldManager=${MANAGER}&fieldValidation=Strict`, JSON.stringify({ ...body, metadata })),
      );
    },
    remove: async (object, site, kept) => {
      const there = await look(object);
      if (there.status !== 200 || siteOf(there.body) !== site) return there;
      const uid = textOf(metadataOf(there.body), 'uid');
      if (kept.has(uid)) return there;
      // that one, and not what somebody has put in its place meanwhile
      const options = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground', preconditions: { uid } };
      return await at(object, (path) => ask('DELETE', path, JSON.stringify(options)));
    },
    isGone: async (object, site) => {
      const there = await look(object);
      return there.status === 404 || (there.status === 200 && siteOf(there.body) !== site);
    },
    pods: async (namespaces) => {
      if (namespaces === null) return [await ask('GET', '/api/v1/pods')];
      return await Promise.all(namespaces.map((each) => ask('GET', `/api/v1/namespaces/${encodeURIComponent(each)}/pods`)));
    },
    endPod: (place, name) => ask('DELETE', `/api/v1/namespaces/${encodeURIComponent(place)}/pods/${encodeURIComponent(name)}`),
    close: () => agent.close(),
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const TYPES = { GET: {}, DELETE: JSON_TYPE, PUT: JSON_TYPE, PATCH: { 'content-type': 'application/apply-patch+yaml' } } as const;

async function askServer(url: string, options: Parameters<typeof request>[1]): Promise<Answer> {
  try {
    const { statusCode, body } = await request(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const tooMuch = (): Error => new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    const text = Buffer.from(await collectBounded(body, MAX_ANSWER_BYTES, tooMuch)).toString('utf8');
    // of a group that it does not know it says so in plain text
    return { status: statusCode, body: statusCode === 404 ? (jsonOf(text) ?? { message: text.trim() }) : (JSON.parse(text) as unknown) };
  } catch (error) {
    return { status: undefined, why: error instanceof Error ? error.message : String(error) };
  }
}

/** The place of an object, by what the server says of its kind; the answer of a server that does not know it. */
function placeOf(
  base: string,
  discovery: unknown,
  { apiVersion, kind, name, namespace }: ObjectKey,
  otherwise: string,
): ObjectPlace | Answer {
  const listed = fieldOf(discovery, 'resources');
  const resources: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const found = resources.find((resource) => textOf(resource, 'kind') === kind && !textOf(resource, 'name').includes('/'));
  if (found === undefined) return { status: 404, body: { message: `the server has no ${kind} in ${base}` } };
  const within = fieldOf(found, 'namespaced') === true ? (namespace ?? otherwise) : undefined;
  const folder = within === undefined ? '' : `/namespaces/${encodeURIComponent(within)}`;
  const resource = `${textOf(found, 'name')}/${encodeURIComponent(name)}`;
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return { path: `${base}${folder}/${resource}`, identity: `${group}${folder}/${resource}`, namespace: within };
}
