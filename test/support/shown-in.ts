/** The documents that the pages of docs/formats show. */
import { readFileSync } from 'node:fs';
import { canonicalJson, type JsonValue } from '../../packages/core/src/canonical-json.js';

/** The example of a page, as canonical bytes. */
export function shownIn(page: string): Uint8Array {
  const text = readFileSync(new URL(`../../docs/formats/${page}.md`, import.meta.url), 'utf8');
  const [, example = ''] = /```json\n([^]*?)```/.exec(text) ?? [];
  return canonicalJson(JSON.parse(example) as JsonValue);
}
