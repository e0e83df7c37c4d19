/** What of its host a compose service is given past volumes and networks: files that the engine reads for it, volumes of others, programs. */
import type { PayloadRule } from './finding.js';
import { isHostPath } from './host-path.js';
import { isPinned } from './image-reference.js';
import { listOf } from './lax-value.js';
import { isRecord, type Place } from './manifest-file.js';

type Fields = Readonly<Record<string, unknown>>;
type Report = (rule: PayloadRule, place: Place, object: string, what: string) => void;

/** Files of the host whose text becomes the container's: relative ones lie beside the compose file, which is no part of the release. */
const FILES: readonly string[] = ['env_file', 'label_file', 'credential_spec'];

/** What a service reads of its host, and which program runs it. */
export function hostOfService(service: Fields, place: Place, object: string, report: Report): void {
  for (const field of FILES)
    if (service[field] !== undefined) report('host-mount', [...place, field], object, `${field}: a file of the host`);
  if (listOf(service['volumes_from']).some((each) => /^container:|\$/.test(String(each))))
    report('host-mount', [...place, 'volumes_from'], object, 'volumes of another container');
  if (/[/\\$]/.test(text(service['runtime']))) report('privileged', [...place, 'runtime'], object, 'a program of the host as its runtime');
  const log = isRecord(service['logging']) && isRecord(service['logging']['options']) ? service['logging']['options'] : {};
  if (log['path'] !== undefined)
    report('host-mount', [...place, 'logging', 'options', 'path'], object, `file ${text(log['path'])} of the host`);
  // what podman-compose knows besides
  for (const key of Object.keys(service).filter((each) => /^x-podman\.rootfs$/i.test(each)))
    report('host-mount', [...place, key], object, 'a folder of the host as its root');
}

/** Secrets and configs that are files of the host, models that are pulled, and flags for podman. */
export function hostOfFile(root: Fields, report: Report): void {
  for (const part of ['secrets', 'configs']) {
    for (const [name, entry] of entriesOf(root[part])) {
      if (entry['file'] !== undefined)
        report('host-mount', [part, name, 'file'], `${part} ${name}`, `file ${text(entry['file'])} of the host`);
    }
  }
  for (const [name, entry] of entriesOf(root['models'])) {
    if (!isPinned(String(entry['model']))) report('unpinned-image', ['models', name], `model ${name}`, `image ${String(entry['model'])}`);
  }
  const podman = root['x-podman'];
  if (isRecord(podman) && podman['pod_args'] !== undefined) report('privileged', ['x-podman', 'pod_args'], 'compose', 'flags of podman');
}

/** Whether a volume in the long form is, or may be made by a variable, a folder of the host. */
export function isBind(type: unknown, source: string): boolean {
  return type === 'bind' || type === 'npipe' || text(type).includes('$') || isHostPath(source);
}

function text(value: unknown): string {
  return String(value);
}

function entriesOf(value: unknown): readonly (readonly [string, Fields])[] {
  return Object.entries(isRecord(value) ? value : {}).map(([name, entry]) => [name, isRecord(entry) ? entry : {}]);
}
