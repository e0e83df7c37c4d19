/** Reads a quadlet unit (podman-systemd.unit(5)): sections of `Key=Value` lines, in the order they are written. */

/** One assignment with its line (1-based). */
export interface QuadletEntry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** A unit. `type` is its file's extension; `faults` are the lines that are no part of the format. */
export interface QuadletUnit {
  readonly name: string;
  readonly type: string;
  readonly entries: readonly QuadletEntry[];
  readonly faults: readonly number[];
}

const TYPES: readonly string[] = ['container', 'pod', 'kube', 'image', 'build', 'volume', 'network', 'artifact'];

/** Whether a file name is that of a quadlet unit. */
export function isQuadletName(name: string): boolean {
  return TYPES.includes(typeOf(name));
}

/** Parses a unit as systemd does: comments, and lines that end in a backslash going on in the next. */
export function parseQuadlet(name: string, text: string): QuadletUnit {
  const entries: QuadletEntry[] = [];
  const faults: number[] = [];
  let section = '';
  for (const { line, text: row } of logicalLines(text)) {
    const [, title] = /^\[([^\]]+)\]$/.exec(row) ?? [];
    const [, key, value = ''] = /^([A-Za-z0-9-]+)\s*=\s*(.*)$/s.exec(row) ?? [];
    if (title !== undefined) section = title;
    else if (key === undefined || section === '') faults.push(line);
    else entries.push({ section, key, value: value.trim(), line });
  }
  return { name, type: typeOf(name), entries, faults };
}

function logicalLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  const rows: { line: number; text: string }[] = [];
  let open = false;
  text.split(/\r?\n/).forEach((raw, at) => {
    const row = raw.trim();
    // systemd ignores a comment also between the parts of a line that goes on
    if (/^[#;]/.test(row)) return;
    const last = rows.at(-1);
    const goesOn = row.endsWith('\\');
    const part = goesOn ? row.slice(0, -1) : row;
    if (open && last !== undefined) last.text += ` ${part}`;
    else if (row !== '') rows.push({ line: at + 1, text: part });
    open = goesOn;
  });
  return rows.map(({ line, text: row }) => ({ line, text: row.trim() }));
}

function typeOf(name: string): string {
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '';
}
