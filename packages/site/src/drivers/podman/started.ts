/** What the driver started, as its record lists it: manifests by path, pods by id, and each container, so that one that joins them or is taken away is seen. Pure. */

/** Paths and ids. A record of an earlier version names no containers. */
export interface Started {
  readonly manifests: readonly string[];
  readonly pods: readonly string[];
  readonly containers: readonly string[];
}

const CONTAINER = 'container ';

/** As the record keeps it. */
export function startedTexts({ manifests, pods, containers }: Started): readonly string[] {
  return [...manifests, ...pods, ...containers.map((id) => `${CONTAINER}${id}`)];
}

/** What a record says. */
export function startedFrom(texts: readonly string[]): Started {
  const manifests = texts.filter((text) => text.startsWith('/'));
  const containers = texts.filter((text) => text.startsWith(CONTAINER)).map((text) => text.slice(CONTAINER.length));
  const pods = texts.filter((text) => !text.startsWith('/') && !text.startsWith(CONTAINER));
  return { manifests, pods, containers };
}
