/** Where the foreign test vectors are: `SEALANE_FOREIGN_VECTORS`; absent is a named skip, but a failure where everything is required. */
export function foreignVectors(): string | undefined {
  const folder = process.env['SEALANE_FOREIGN_VECTORS'];
  if (folder !== undefined && folder !== '') return folder;
  if (process.env['SEALANE_REQUIRE'] === 'all') {
    throw new Error('read the foreign test vectors: expected their folder in SEALANE_FOREIGN_VECTORS, got nothing');
  }
  return undefined;
}
