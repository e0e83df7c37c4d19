/** What a release declares, as its author writes it: `release create --declare FILE`. */
import { checkDeclaration, declarationShape, type ReleaseDeclaration } from '@sealane/trust';
import { readDocument } from '../evidence/document-file.js';

/** Reads a declaration. @throws PromoterError `CONFIG_INVALID` with the line that does not fit */
export function readDeclaration(file: string): ReleaseDeclaration {
  return readDocument(file, { what: 'declaration of the release', shape: declarationShape, check: checkDeclaration });
}
