/**
 * What engines are told in annotations, past the fields that say it: podman-kube-play(1), crun(1), runc, CRI-O and Kata read them. One that asks for what a rule
 * forbids breaks that rule, whichever engine may run it.
 */
import type { PayloadRule } from './finding.js';
import { isHostDisk } from './host-path.js';
import { isPinned } from './image-reference.js';
import { isOfHost, isOn, isUnconfined } from './lax-value.js';

/** A rule that an annotation breaks, and what to call it. */
export interface AnnotationFinding {
  readonly rule: PayloadRule;
  readonly what: string;
}

/** Of an OCI runtime: filters and plugins of its own, files that it writes on the host, properties of the unit, programs of the host. */
const OF_RUNTIME =
  /^run\.oci\.(?:seccomp(?!_fail)|hooks\.|pidfd_receiver|handler|systemd\.force_cgroup)|^org\.systemd\.property\.|^io\.katacontainers\.config\./;

/** Files of the host that the engine writes, reads, or removes with the container; volumes of a container that is another's. */
const OF_FILES = /^volume\.podman\.io\/(?:device|import-source)$|^io\.podman\.annotations\.(?:cid-file|volumes-from)(?:\/|$)/;

/** Lists of images, by name: what Podman mounts of them, a volume of one, a profile. */
const OF_IMAGES =
  /^volume\.podman\.io\/image$|^io\.podman\.annotations\.kube\.image\.volumes\.mount\/|^seccomp-profile\.kubernetes\.cri-o\.io/;

/** What an annotation breaks. */
export function annotationFindings(name: string, value: unknown): readonly AnnotationFinding[] {
  const what = `annotation ${name}`;
  const text = String(value);
  const found: AnnotationFinding[] = [];
  if (isPrivileged(name, value)) found.push({ rule: 'privileged', what });
  if (name.startsWith('io.podman.annotations.publish-all') && isOn(value)) found.push({ rule: 'open-route', what });
  if (OF_FILES.test(name)) found.push({ rule: 'host-mount', what: `${what}: ${text}` });
  if (name === 'io.kubernetes.cri-o.Devices' && text.split(',').some((device) => isHostDisk(device.split(':', 1)[0] ?? '')))
    found.push({ rule: 'host-mount', what: `${what}: ${text}` });
  if (name.startsWith('io.kubernetes.cri-o.UnifiedCgroup')) found.push({ rule: 'unbounded-resources', what });
  if (OF_IMAGES.test(name)) {
    for (const image of text.split(';').filter((each) => !isPinned(each))) found.push({ rule: 'unpinned-image', what: `image ${image}` });
  }
  return found;
}

/** The images that an annotation mounts, as it names them. */
export function annotationImages(name: string, value: unknown): readonly string[] {
  return OF_IMAGES.test(name) ? String(value).split(';') : [];
}

function isPrivileged(name: string, value: unknown): boolean {
  // a variable or a specifier may make any name of it
  if (/[$%]/.test(name) || OF_RUNTIME.test(name)) return true;
  if (/apparmor|seccomp|annotations\.label/.test(name) && isUnconfined(value)) return true;
  if (/^io\.podman\.annotations\.userns(?:\/|$)|^io\.kubernetes\.cri-o\.userns-mode$/.test(name) && isOfHost(value)) return true;
  return (name.startsWith('io.podman.annotations.privileged') || name === 'io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw') && isOn(value);
}
