/** Secrets in tests: values that nothing else can contain, a workload that shows by a hash which one it was given, and a search for them where they must not be. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestLane } from './lane.js';
import type { TestSite } from './site.js';

/** A value; the workload takes one that begins with `bad` for wrong. */
export function newValue(kind: 'good' | 'bad' = 'good'): string {
  return `${kind}-${randomBytes(24).toString('hex')}`;
}

/** What the workload writes down of a value. */
export function shownAs(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** Writes the hash of what it was given beside the state folder, and its permissions, then runs; not with a bad value. */
export const SECRET_WORKLOAD = [
  '/bin/sh',
  '-c',
  'f="$CREDENTIALS_DIRECTORY/db-password"; stat -c %a "$f" > "$SEALANE_STATE/../mode"; sha256sum < "$f" | cut -d" " -f1 >> "$SEALANE_STATE/../given"; ' +
    'case "$(cat "$f")" in bad*) exit 1;; esac; exec sleep 600',
];

/** Every value that the workload was given, oldest first. */
export function givenTo(site: TestSite): readonly string[] {
  const file = path.join(site.dir, 'given');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** Seals a value with the real command, which reads it from a file that is gone afterwards. */
export async function seal(lane: TestLane, value: string, to: readonly string[], exit = 0): ReturnType<TestLane['sealane']> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealane-value-'));
  const file = path.join(folder, 'value');
  writeFileSync(file, value, { mode: 0o600 });
  try {
    return await lane.sealane(['secret', 'set', 'db-password', ...to, '--value', file, '--key', 'alice'], exit);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Files below a folder that have the value in them, plain or in base64 at any offset. */
export function filesWith(folder: string, value: string): readonly string[] {
  const forms = [value, ...[0, 1, 2].map((shift) => base64At(value, shift))];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => lstatSync(file).isFile())
    .filter((file) => {
      const text = readFileSync(file, 'latin1');
      return forms.some((form) => text.includes(form));
    });
}

/** The middle of a value in base64, as it is when it begins at that place of a group of three. */
function base64At(value: string, shift: number): string {
  return Buffer.from('x'.repeat(shift) + value)
    .toString('base64')
    .slice(4, -4);
}

/** Runs something while the command line and environment of every process are read again and again; those that had the value in them. */
export async function commandLinesWith(value: string, run: () => Promise<unknown>): Promise<readonly string[]> {
  const found = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    for (const file of processTexts()) if (textOr(file).includes(value)) found.add(file);
  }, 10);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  if (looks === 0) throw new Error('look at command lines: expected at least one look, the run was over before');
  return [...found];
}

function processTexts(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
}

/** Nothing of a process that has ended, or is another user's. */
function textOr(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
