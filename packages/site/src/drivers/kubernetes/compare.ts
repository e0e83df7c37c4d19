/** What in a cluster is not as the release says: objects that were changed, pods with images that nobody admitted. Pure. */
import { isDeepStrictEqual } from 'node:util';

/** Fields that every write moves, whatever it writes. */
const MOVED = ['managedFields', 'resourceVersion', 'generation'];

/** Whether an object is what it would be after it is applied once more. */
export function isAsApplied(there: unknown, applied: unknown): boolean {
  return isDeepStrictEqual(settled(there), settled(applied));
}

/** Status belongs to the controllers. */
function settled(object: unknown): unknown {
  const { status: _status, metadata, ...rest } = (object ?? {}) as Readonly<Record<string, unknown>>;
  const kept = Object.entries((metadata ?? {}) as Readonly<Record<string, unknown>>).filter(([field]) => !MOVED.includes(field));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** A pod as far as it is looked at. */
export interface PodImages {
  readonly namespace: string;
  readonly name: string;
  readonly images: readonly string[];
}

/** The pods of a list that have not come to their end. */
export function podsIn(list: unknown): readonly PodImages[] {
  const { items } = (list ?? {}) as { readonly items?: unknown };
  if (!Array.isArray(items)) return [];
  return (items as readonly Pod[])
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    .map(({ metadata, spec }) => {
      const lists = [spec?.containers, spec?.initContainers, spec?.ephemeralContainers];
      const images = lists.flatMap((each) => each ?? []).map(({ image }) => image ?? '');
      // what is in an image that is mounted is run as well
      const mounted = (spec?.volumes ?? []).flatMap(({ image }) => (image === undefined ? [] : [image.reference ?? '']));
      return { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '', images: [...images, ...mounted] };
    });
}

/** What the server says of a pod; it has checked the shapes. */
interface Pod {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly spec?: Readonly<
    Partial<Record<'containers' | 'initContainers' | 'ephemeralContainers', readonly { readonly image?: string }[]>>
  > & { readonly volumes?: readonly { readonly image?: { readonly reference?: string } }[] };
  readonly status?: { readonly phase?: string };
}
