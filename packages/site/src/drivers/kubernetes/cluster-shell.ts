/** The API server of a cluster, as far as a site talks to it: server-side apply under its own field manager, look, remove. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Agent, request } from 'undici';
import { clusterAccess, type Material } from './kubeconfig.js';
import { type KubeObject, type ObjectKey, SITE_LABEL } from './objects.js';

/** What the server answered, or that it did not. */
export type Answer = { readonly status: number; readonly body: unknown } | { readonly status: undefined; readonly why: string };

/** A cluster; no function rejects. */
export interface Cluster {
  /** `dryRun` asks whether it could be. */
  apply(object: KubeObject, dryRun: 'no' | 'yes'): Promise<Answer>;
  look(key: ObjectKey): Promise<Answer>;
  /** Removes it if it is still this site's; one that is not there is fine. */
  remove(key: ObjectKey, site: string): Promise<Answer>;
  /** Whether it is not there, or not this site's. */
  isGone(key: ObjectKey, site: string): Promise<boolean>;
  /** The pods of some namespaces, one answer each, or of all of them. */
  pods(namespaces: readonly string[] | null): Promise<readonly Answer[]>;
  endPod(namespace: string, name: string): Promise<Answer>;
  close(): Promise<void>;
}

/** The name under which the fields of a release are owned. */
const MANAGER = 'sealane-site';
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
    connect: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token.toString('utf8').trim()}` };
  const ask = (method: 'GET' | 'PATCH' | 'DELETE', place: string, body?: string): Promise<Answer> =>
    askServer(`${access.server}${place}`, { method, dispatcher: agent, headers: { ...headers, ...TYPES[method] }, ...(body && { body }) });
  const places = new Map<string, Promise<Answer>>();
  const at = async (object: ObjectKey): Promise<string | Answer> => {
    const base = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
    const known = places.get(base) ?? ask('GET', base);
    places.set(base, known);
    const found = await known;
    if (found.status !== 200) places.delete(base);
    return found.status === 200 ? placeOf(base, found.body, object, namespace) : found;
  };
  const look = async (object: ObjectKey): Promise<Answer> => {
    const place = await at(object);
    return typeof place === 'string' ? await ask('GET', place) : place;
  };
  return {
    look,
    apply: async (object, dryRun) => {
      const place = await at(object);
      if (typeof place !== 'string') return place;
      const query = `?fieldManager=${MANAGER}&force=true&fieldValidation=Strict${dryRun === 'yes' ? '&dryRun=All' : ''}`;
      return await ask('PATCH', `${place}${query}`, JSON.stringify(object.body));
    },
    remove: async (object, site) => {
      const there = await look(object);
      if (there.status !== 200 || labelOf(there.body) !== site) return there;
      const place = await at(object);
      return typeof place === 'string' ? await ask('DELETE', `${place}?propagationPolicy=Foreground`) : place;
    },
    isGone: async (object, site) => {
      const there = await look(object);
      return there.status === 404 || (there.status === 200 && labelOf(there.body) !== site);
    },
    pods: async (namespaces) => {
      if (namespaces === null) return [await ask('GET', '/api/v1/pods')];
      return await Promise.all(namespaces.map((each) => ask('GET', `/api/v1/namespaces/${encodeURIComponent(each)}/pods`)));
    },
    endPod: (place, name) => ask('DELETE', `/api/v1/namespaces/${encodeURIComponent(place)}/pods/${encodeURIComponent(name)}`),
    close: () => agent.close(),
  };
}

const TYPES = { GET: {}, DELETE: {}, PATCH: { 'content-type': 'application/apply-patch+yaml' } } as const;

async function askServer(url: string, options: Parameters<typeof request>[1]): Promise<Answer> {
  try {
    const { statusCode, body } = await request(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > MAX_ANSWER_BYTES) return { status: undefined, why: `an answer of more than ${MAX_ANSWER_BYTES} bytes` };
      pieces.push(piece);
    }
    return { status: statusCode, body: JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown };
  } catch (error) {
    return { status: undefined, why: error instanceof Error ? error.message : String(error) };
  }
}

/** The path of an object, by what the server says of its kind; the answer of a server that does not know it. */
function placeOf(base: string, discovery: unknown, { kind, name, namespace }: ObjectKey, otherwise: string): string | Answer {
  const listed = (discovery as { readonly resources?: unknown } | null)?.resources;
  const resources = Array.isArray(listed)
    ? (listed as readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[])
    : [];
  const found = resources.find((resource) => resource.kind === kind && !resource.name.includes('/'));
  if (found === undefined) return { status: 404, body: { message: `the server has no ${kind} in ${base}` } };
  const folder = found.namespaced ? `${base}/namespaces/${encodeURIComponent(namespace ?? otherwise)}` : base;
  return `${folder}/${found.name}/${encodeURIComponent(name)}`;
}

function labelOf(object: unknown): unknown {
  const labels = (object as { readonly metadata?: { readonly labels?: Readonly<Record<string, unknown>> } } | null)?.metadata?.labels;
  return labels?.[SITE_LABEL];
}
