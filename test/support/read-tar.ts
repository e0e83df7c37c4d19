/** The files of a tar, and a tar of files. */
import { createReadStream } from 'node:fs';
import { DEFAULT_UNPACK_LIMITS, packedFile, packTar, readTar } from '@sealane/oci';

export async function filesInTar(file: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { name, content } of readTar(createReadStream(file), DEFAULT_UNPACK_LIMITS)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    files.set(name, Buffer.concat(chunks));
  }
  return files;
}

export async function tarOf(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packTar([...files].map(([name, bytes]) => packedFile(name, new Uint8Array(bytes))))) chunks.push(chunk);
  return Buffer.concat(chunks);
}
