/**
 * Which names and link targets of an archive may be laid down. Pure: words in, components out.
 *
 * An entry's name becomes a list of plain components below the root, or is refused: there is nothing to resolve, and so
 * nothing that the disk could resolve differently.
 */
import type { UnpackLimits } from './limits.js';
import { unsafe } from './tar-header.js';

/** What to do with symbolic links whose target is absolute: refuse them, or make them relative to the root laid down. */
export type AbsoluteLinks = 'refuse' | 'rebase';

/**
 * Splits an entry's name into components; `[]` is the root itself. A leading `./` and, where `trailingSlash` is `folder`, one
 * slash at the end are the only decoration taken.
 *
 * @throws OciError `CONTENT_UNSAFE` absolute, empty or dotted components, control characters, too long, too deep
 */
export function safeComponents(name: string, trailingSlash: 'folder' | 'none', limits: UnpackLimits): readonly string[] {
  const doing = (): string => `unpack ${shown(name)}`;
  if (name === '') throw unsafe(doing(), 'a name', 'none');
  if (Buffer.byteLength(name) > limits.maxPathBytes)
    throw unsafe(doing(), `at most ${limits.maxPathBytes} bytes of path`, `${Buffer.byteLength(name)}`);
  let rest = name;
  if (trailingSlash === 'folder' && rest !== '/' && rest.endsWith('/')) rest = rest.slice(0, -1);
  if (rest.startsWith('./')) rest = rest.slice(2);
  else if (rest === '.' && trailingSlash === 'folder') rest = '';
  if (rest === '') {
    if (trailingSlash === 'folder') return [];
    throw unsafe(doing(), 'a file name', 'the root itself');
  }
  const components = rest.split('/');
  if (components.length > limits.maxDepth) throw unsafe(doing(), `at most ${limits.maxDepth} folders deep`, `${components.length}`);
  for (const component of components) checkComponent(component, limits, doing);
  return components;
}

function checkComponent(component: string, limits: UnpackLimits, doing: () => string): void {
  if (component === '' || component === '.' || component === '..') {
    throw unsafe(doing(), 'a path that stays below the root', component === '' ? 'an empty component' : component);
  }
  if (Buffer.byteLength(component) > limits.maxNameBytes) {
    throw unsafe(doing(), `names of at most ${limits.maxNameBytes} bytes`, `${Buffer.byteLength(component)}`);
  }
  if (hasControlCharacter(component)) throw unsafe(doing(), 'no control character', 'one');
  // systemd has honest names with a backslash; where that is a separator, these would lead out.
  if (/^([A-Za-z]:)?\\/u.test(component) || component.split('\\').includes('..')) {
    throw unsafe(doing(), 'a name that is one component everywhere', 'backslashes that lead out elsewhere');
  }
}

/**
 * The target to write into a symbolic link that lies in a real folder `depth` components below the root.
 *
 * Taken are targets that go up first, at most to the root, and then only down. Such a link leads out nowhere, whatever else
 * is laid down later: up-steps start at the real place of the link, and each link met on the way down is of the same kind.
 * `a/b/../..` is not of that kind: where `a/b` is a link, its `..` is elsewhere.
 *
 * @throws OciError `CONTENT_UNSAFE`
 */
export function safeLinkTarget(target: string, depth: number, absolute: AbsoluteLinks, limits: UnpackLimits): string {
  const doing = (): string => `unpack a link to ${shown(target)}`;
  if (target === '') throw unsafe(doing(), 'a target', 'none');
  if (Buffer.byteLength(target) > limits.maxPathBytes)
    throw unsafe(doing(), `at most ${limits.maxPathBytes} bytes`, `${Buffer.byteLength(target)}`);
  if (target.startsWith('/')) return rebased(target, depth, absolute, limits, doing);
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  const ups = leadingUps(steps);
  if (ups > depth) throw unsafe(doing(), 'a target below the root', `${ups} steps up from depth ${depth}`);
  for (const step of steps.slice(ups)) checkComponent(step, limits, doing);
  return target;
}

/** `/x` becomes `../…/x`: it means the root laid down, as it would in a container, and never the host's. */
function rebased(target: string, depth: number, absolute: AbsoluteLinks, limits: UnpackLimits, doing: () => string): string {
  if (absolute === 'refuse') throw unsafe(doing(), 'a relative target', 'an absolute one');
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  // At the root of a container `..` is the root.
  const down = steps.slice(leadingUps(steps));
  for (const step of down) checkComponent(step, limits, doing);
  const path = [...Array.from({ length: depth }, () => '..'), ...down].join('/');
  return path === '' ? '.' : path;
}

function leadingUps(steps: readonly string[]): number {
  const first = steps.findIndex((step) => step !== '..');
  return first === -1 ? steps.length : first;
}

/**
 * The key under which two names are one on some disk: composed and decomposed, upper and lower case.
 * Two entries of one folder with the same key are refused, for one would silently replace the other.
 */
export function foldedName(name: string): string {
  // the same for ASCII, which most names are
  if (/^[ -~]*$/.test(name)) return name.toLowerCase();
  return name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFD');
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}

/** A name for a message: quoted, and never a whole payload. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
