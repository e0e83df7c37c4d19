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

/**
 * What no line may hold, as parsers differ in what it means. systemd ends a line at a carriage return and at a NUL too, where quadlet writes on: what follows
 * would be a key of its own (`ExecStartPre=`). Some strip spaces beyond ASCII, or those after a backslash, and some take two backslashes for one.
 */
const STRANGE = /[^\t\P{Cc}]|[^ \P{Z}]|\ufeff|\\(?:\\|[ \t]+)$/u;

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
  for (const { line, text: row, isPlain } of logicalLines(text)) {
    const [, title] = /^\[([^\]]+)\]$/.exec(row) ?? [];
    const [, key, value = ''] = /^([A-Za-z0-9-]+)\s*=\s*(.*)$/s.exec(row) ?? [];
    if (!isPlain) faults.push(line);
    else if (title !== undefined) section = title;
    else if (key === undefined || section === '') faults.push(line);
    else entries.push({ section, key, value: trimmed(value), line });
  }
  return { name, type: typeOf(name), entries, faults };
}

/** Lines with those that they go on in. `isPlain`: read alike by every parser. */
function logicalLines(text: string): readonly { readonly line: number; readonly text: string; readonly isPlain: boolean }[] {
  const rows: { line: number; text: string; isPlain: boolean }[] = [];
  let open = false;
  text.split('\n').forEach((raw, at) => {
    const row = trimmed(raw);
    const isPlain = !STRANGE.test(raw);
    // systemd ignores a comment also between the parts of a line that goes on
    if (isPlain && /^[#;]/.test(row)) return;
    const last = rows.at(-1);
    const goesOn = row.endsWith('\\');
    const part = goesOn ? row.slice(0, -1) : row;
    if (open && last !== undefined) {
      last.text += ` ${part}`;
      last.isPlain &&= isPlain;
    } else if (row !== '') rows.push({ line: at + 1, text: part, isPlain });
    open = goesOn;
  });
  return rows.map((row) => ({ ...row, text: trimmed(row.text) }));
}

/** Without the spaces around it that every parser strips. */
function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function typeOf(name: string): string {
  return name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '';
}
