/** One place of an archive: an OCI image layout in a folder, or a repository of a registry. Everything in it is named by its digest. */
import process from 'node:process';
import { canonicalJson, concatBytes, type Digest, type JsonObject, LedgerError, sha256, utf8 } from '@sealane/core';
import type { Descriptor, RegistryClient, RegistryOptions } from '@sealane/oci';

/** A pack as places name it. */
export interface PackName {
  readonly digest: Digest;
  /** Length. */
  readonly bytes: number;
}

/** A place. Errors are those of the layout or registry, `OciError`. */
export interface ArchivePlace {
  /** As in `archive.json`. */
  readonly name: string;
  /** Brings a pack there, durably; one that is there is not sent again. */
  put(pack: PackName, bytes: Uint8Array): Promise<void>;
  /** Offers packs under a tag, as layers of one manifest: what no manifest names a registry may throw away. */
  offer(packs: readonly OfferedPack[], tag: string): Promise<void>;
  /** The bytes, verified. @throws LedgerError `ARCHIVE_UNREACHABLE` the place itself is not there; OciError `CONTENT_*` the pack is not, or is another */
  read(pack: PackName): Promise<Uint8Array>;
}

/** A pack with the file name that tools give it when they fetch it. */
export interface OfferedPack extends PackName {
  readonly title: string;
}

const ARTIFACT_TYPE = 'application/vnd.sealane.ledger-archive.v1';
const TITLE = 'org.opencontainers.image.title';
/** Codes that say of a place that it was not reached, not what it holds. */
const UNREACHED = ['REGISTRY_DENIED', 'REGISTRY_UNAVAILABLE', 'FETCH_TOO_SLOW'];

/** Opens a place as `archivePlace` writes it; nothing is read yet. `create` makes a folder that is not there. */
export async function openPlace(name: string, create: 'never' | 'if-missing' = 'never'): Promise<ArchivePlace> {
  // most ledgers have no archive, and need not load what reads one
  const oci = await import('@sealane/oci');
  return name.startsWith('oci:') ? folderPlace(oci, name, create) : registryPlace(oci, name);
}

type Oci = typeof import('@sealane/oci');

function folderPlace(oci: Oci, name: string, create: 'never' | 'if-missing'): ArchivePlace {
  const folder = name.slice('oci:'.length);
  return {
    name,
    put: async ({ digest, bytes: size }, bytes) => {
      const layout = await oci.openLayout(folder, { create });
      if (!(await layout.verifyBlob(digest, size))) await layout.putBlob(bytes, { expected: digest, size, maxBytes: size });
    },
    offer: async (packs, tag) => {
      const layout = await oci.openLayout(folder, { create });
      const [config, manifest] = documents(oci, packs);
      for (const bytes of [config, manifest]) await layout.putBlob(bytes, { maxBytes: bytes.length });
      const annotations = { [oci.REF_NAME]: tag };
      await layout.addToIndex({ mediaType: oci.OCI_MANIFEST, digest: sha256(manifest), size: manifest.length, annotations });
    },
    read: async ({ digest, bytes }) => {
      const layout = await oci.openLayout(folder).catch((cause: unknown) => {
        throw unreachable(name, cause);
      });
      return await layout.readBlob(digest, bytes);
    },
  };
}

function registryPlace(oci: Oci, name: string): ArchivePlace {
  const { registry, repository } = oci.parseRepository(name);
  const credentials = oci.loginsOf({ env: process.env, cwd: process.cwd() });
  const within = async <T>(access: RegistryOptions['access'], work: (client: RegistryClient) => Promise<T>): Promise<T> => {
    try {
      return await oci.withRegistry(registry, { credentials, ...(access === undefined ? {} : { access }) }, work);
    } catch (error) {
      throw error instanceof Error && 'code' in error && UNREACHED.includes(String(error.code)) ? unreachable(name, error) : error;
    }
  };
  const blob = (bytes: Uint8Array, mediaType: string): Descriptor => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const put = async (client: RegistryClient, descriptor: Descriptor, bytes: Uint8Array): Promise<void> => {
    await client.putBlob(repository, descriptor, (from, length) => Promise.resolve(bytes.subarray(from, from + length)));
  };
  return {
    name,
    put: async (_, bytes) => {
      await within('pull,push', (client) => put(client, blob(bytes, oci.OCI_LAYER_GZIP), bytes));
    },
    offer: async (packs, tag) => {
      const [config, manifest] = documents(oci, packs);
      await within('pull,push', async (client) => {
        await put(client, blob(config, oci.OCI_EMPTY), config);
        await client.putManifest(repository, { bytes: manifest, mediaType: oci.OCI_MANIFEST }, tag);
      });
    },
    read: ({ digest, bytes }) =>
      within('pull', async (client) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of client.blob(repository, { mediaType: oci.OCI_LAYER_GZIP, digest, size: bytes })) chunks.push(chunk);
        return concatBytes(...chunks);
      }),
  };
}

/** The empty config of an artifact (image-spec 1.1, "Guidelines for Artifact Usage"), and the manifest. */
function documents(oci: Oci, packs: readonly OfferedPack[]): readonly [config: Uint8Array, manifest: Uint8Array] {
  const config = utf8('{}');
  const layers = packs.map(({ digest, bytes, title }): JsonObject => {
    return oci.descriptorJson({ mediaType: oci.OCI_LAYER_GZIP, digest, size: bytes, annotations: { [TITLE]: title } });
  });
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: oci.OCI_MANIFEST,
    artifactType: ARTIFACT_TYPE,
    config: oci.descriptorJson({ mediaType: oci.OCI_EMPTY, digest: sha256(config), size: config.length }),
    layers,
  });
  return [config, manifest];
}

function unreachable(place: string, cause: unknown): LedgerError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LedgerError('ARCHIVE_UNREACHABLE', `read the archive ${place}: ${why}`, { place }, { cause });
}
