/**
 * Under which name the layout's index offers a release or an image of one, for `skopeo` and the like. No name is that of two things: whoever moved the name of
 * another's image to one of his own would have it pulled in its place.
 */

/** The annotation of an entry (image-spec 1.1, annotations.md). */
const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * NAME-VERSION, or NAME-VERSION-PART for an image. A dash inside of a word is doubled: each word begins with a letter or digit, so the last dash of an odd run
 * is where the next word begins, and no two lists of words give one name.
 */
export function refName(...words: readonly [name: string, version: string, part?: string]): Readonly<Record<string, string>> {
  return { [REF_NAME]: words.flatMap((word) => word?.replaceAll('-', '--') ?? []).join('-') };
}
