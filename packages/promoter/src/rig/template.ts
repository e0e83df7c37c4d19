/** A template on the command line: a digest as it is, or a file, whose place depends on where the command was called. */
import path from 'node:path';
import { isDigest } from '@sealane/core';

/** The digest, or the absolute path of the file. */
export function fileOrDigest(text: string, cwd: string): string {
  return isDigest(text) ? text : path.resolve(cwd, text);
}
