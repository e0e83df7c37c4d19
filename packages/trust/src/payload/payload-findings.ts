/** Everything that breaks a rule in one manifest, and images alone for who makes a release. */
import { composeFindings } from './compose.js';
import type { Finding } from './finding.js';
import { isPinned } from './image-reference.js';
import { kubernetesFindings } from './kubernetes.js';
import { misspeltField } from './kubernetes-keys.js';
import { isRecord, type ManifestFile, type Place, walk, type YamlDocument } from './manifest-file.js';
import { quadletFindings } from './quadlet.js';
import { secretForm } from './secret-text.js';

/** What breaks a rule, by line; or why the manifest cannot be judged. */
export type Judged =
  { readonly ok: true; readonly findings: readonly Finding[] } | { readonly ok: false; readonly line: number; readonly why: string };

/** Judges a manifest. One of no known format is not judged, and never passes. */
export function payloadFindings(file: ManifestFile): Judged {
  if (file.format === 'text') return { ok: false, line: file.line, why: file.why };
  if (file.format === 'quadlet') {
    const [fault] = file.unit.faults;
    if (fault !== undefined) return { ok: false, line: fault, why: 'it is no line of a quadlet unit' };
    const secrets = file.unit.entries.flatMap(({ value, line }) => secretIn(value, line, file.unit.name));
    return { ok: true, findings: inOrder([...quadletFindings(file.unit), ...secrets]) };
  }
  if (file.format === 'other') return { ok: false, line: 1, why: 'it is neither Kubernetes, compose nor a quadlet unit' };
  for (const document of file.format === 'kubernetes' ? file.documents : []) {
    const place = misspeltField(document.value);
    if (place !== undefined)
      return { ok: false, line: document.lineOf(place), why: `field ${String(place.at(-1))} is spelt otherwise than Kubernetes spells it` };
  }
  const rules = file.format === 'kubernetes' ? kubernetesFindings : composeFindings;
  return { ok: true, findings: inOrder(file.documents.flatMap((document) => [...rules(document), ...secretTexts(document)])) };
}

/**
 * Images that a manifest names by anything but a digest, in whatever it is: the values of `image` keys of any YAML, and of quadlet
 * units. Nothing for a file that is no YAML.
 */
export function unpinnedImages(file: ManifestFile): readonly Finding[] {
  if (file.format === 'text') return [];
  if (file.format === 'quadlet')
    return quadletFindings(file.unit).filter(({ rule, what }) => rule === 'unpinned-image' && what.startsWith('image '));
  return inOrder(file.documents.flatMap(imageKeys));
}

function imageKeys(document: YamlDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const check = (reference: unknown, place: Place): void => {
    if (typeof reference === 'string' && !isPinned(reference))
      findings.push({ rule: 'unpinned-image', line: document.lineOf(place), object: place.join('.'), what: `image ${reference}` });
  };
  walk(document.value, (value, place) => {
    // the image of a Ceph volume is a disk, not a container
    if (!isRecord(value) || place.at(-1) === 'rbd') return;
    check(value['image'], [...place, 'image']);
    if (isRecord(value['image'])) check(value['image']['reference'], [...place, 'image', 'reference']);
  });
  return findings;
}

/** Secrets that show themselves by their form, wherever they stand. */
function secretTexts(document: YamlDocument): readonly Finding[] {
  const findings: Finding[] = [];
  walk(document.value, (value, place) => {
    if (typeof value === 'string') findings.push(...secretIn(value, document.lineOf(place), place.join('.')));
  });
  return findings;
}

function secretIn(text: string, line: number, object: string): readonly Finding[] {
  const what = secretForm(text);
  return what === undefined ? [] : [{ rule: 'plaintext-secret', line, object, what }];
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((left, right) => left.line - right.line);
}
