/** Documents that people write about a release, in YAML or JSON: checked line by line, kept as canonical JSON, so that a digest names a value. */
import { PromoterError, TrustError } from '@sealane/core';
import type { z } from 'zod';
import { readNamed } from '../disk-shell.js';
import { parseYaml, readShape } from '../pipeline/yaml-file.js';

/** A kind of document: its name in messages, its shape, and the rules that tie its parts together. */
export interface DocumentKind<T> {
  readonly what: string;
  readonly shape: z.ZodType<T>;
  readonly check: (document: T) => void;
}

/**
 * Reads a document from a file that the user named.
 *
 * @throws PromoterError `CONFIG_INVALID` not there, no YAML or JSON, another shape (with line and column), or parts that contradict each other
 */
export function readDocument<T>(file: string, { what, shape, check }: DocumentKind<T>): T {
  const document = readShape(parseYaml(readNamed(file, what), file), shape);
  try {
    check(document);
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new PromoterError('CONFIG_INVALID', `read ${file}: ${cause.message}`, { file }, { cause });
  }
  return document;
}
