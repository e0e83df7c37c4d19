/** Bounds of every document that comes from outside: nothing is read, parsed or kept beyond them. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Largest size in bytes of each kind of document, and how deep JSON may nest. */
export const LIMITS = {
  /** A root names a handful of keys; three owners' signatures and unknown fields fit many times. */
  rootBytes: 512 * KIB,
  timestampBytes: 16 * KIB,
  snapshotBytes: MIB,
  targetsBytes: MIB,
  stageBytes: MIB,
  /** DESIGN: the channel stays under 256 KiB for any number of sites. */
  channelBytes: 256 * KIB,
  /** What waits for the sites of one shard of a channel. */
  shardBytes: 256 * KIB,
  policyBytes: MIB,
  trustedRootBytes: 256 * KIB,
  /** DESIGN: a waybill is at most 4 MiB. */
  waybillBytes: 4 * MIB,
  /** The payload of one DSSE envelope: a bill of materials of a large image has ten thousand parts. */
  statementBytes: 16 * MIB,
  /** Such a payload in base64, and its proof. */
  bundleBytes: 24 * MIB,
  /** A key, and the inventory of one host. */
  siteRequestBytes: MIB,
  /** One secret value: a certificate chain with its key fits. */
  secretBytes: 64 * KIB,
  /** A sealed secret with its statement and proof. */
  sealedSecretBytes: 256 * KIB,
  /** A PKCS #10 request for a P-256 key takes 250 bytes. */
  certificateRequestBytes: 8 * KIB,
  /** A signed note with many cosignatures; C2SP asks readers to accept at least 16 signatures. */
  checkpointBytes: 64 * KIB,
  /** A timestamp authority's answer with its chain (RFC 3161). */
  timestampTokenBytes: 64 * KIB,
  releaseManifestBytes: MIB,
  /** One entry of a tlog-tiles entry bundle is length-prefixed by 16 bits. */
  logLeafBytes: 65_535,
  /** Test reports and hardware BOMs that travel with a waybill. */
  evidenceBlobBytes: 64 * MIB,
  jsonDepth: 32,
} as const;
