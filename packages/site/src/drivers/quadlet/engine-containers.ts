/** The containers that an engine lists (podman-ps(1), `--format json`), with the service that started them. Pure. */
import { fieldOf, jsonOf, textOf } from '../../tool-json.js';

/** `pod` is the id of its pod, and `service` the name of the unit that started it, or empty. */
export interface EngineContainer {
  readonly id: string;
  readonly pod: string;
  readonly service: string;
}

/** Reads the list; what is none says nothing. */
export function containersIn(text: string): readonly EngineContainer[] {
  const value = jsonOf(text);
  return (Array.isArray(value) ? value : []).map((each: unknown) => ({
    id: textOf(each, 'Id'),
    pod: textOf(each, 'Pod'),
    service: textOf(fieldOf(each, 'Labels'), 'PODMAN_SYSTEMD_UNIT'),
  }));
}
