/** Whether an image is named by digest: a tag may stand for other bytes tomorrow. */

/** A name, and the digest at its end; a tag between them says nothing and does no harm. */
const PINNED = /^[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$/;

/** Whether the reference names bytes. One that a site would complete from a variable does not. */
export function isPinned(reference: string): boolean {
  return PINNED.test(reference);
}
