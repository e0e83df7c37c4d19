/** Which request paths are files of the lane. Pure: a path that is not of these forms never reaches the file system. */

/** The forms of names in a lane: letters, digits and a few marks, no dot at the start of a part, no empty part. */
const LANE_FILE = /^\/(?:trust\/(?:metadata|targets)|content|log|records)(?:\/[A-Za-z0-9_][A-Za-z0-9_.%-]*){1,8}$/;

/** Where readers of Rekor v2 look for the log of records. */
const REKOR_READ = /^\/api\/v2\/(?=checkpoint$|tile\/)/;

/** The lane-relative path of a request, or undefined when it names no file of a lane. */
export function lanePath(url: string): string | undefined {
  const pathname = (url.split('?', 1)[0] ?? '').replace(REKOR_READ, '/records/');
  return LANE_FILE.test(pathname) && !pathname.includes('..') ? pathname.slice(1) : undefined;
}

/** How long a copy may be kept, in seconds: files that are named by digest or version never change; the rest is asked for again. */
export function maxAgeSeconds(file: string): number {
  const isMutable =
    file.endsWith('/timestamp.json') ||
    file === 'log/checkpoint' ||
    file === 'records/checkpoint' ||
    file === 'content/index.json' ||
    file === 'content/oci-layout';
  return isMutable ? 0 : 31_536_000;
}
