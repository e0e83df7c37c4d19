/** The containers that an engine lists (podman-ps(1), `--format json`), with the service that started them. Pure. */

/** `pod` is the id of its pod, and `service` the name of the unit that started it, or empty. */
export interface EngineContainer {
  readonly id: string;
  readonly pod: string;
  readonly service: string;
}

/** Reads the list; what is none says nothing. */
export function containersIn(text: string): readonly EngineContainer[] {
  const value = parsed(text);
  return (Array.isArray(value) ? value : []).map((each: unknown) => ({
    id: textOf(each, 'Id'),
    pod: textOf(each, 'Pod'),
    service: textOf(fieldOf(each, 'Labels'), 'PODMAN_SYSTEMD_UNIT'),
  }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function textOf(value: unknown, name: string): string {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : '';
}
