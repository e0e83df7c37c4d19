/** The public surface of `core`, listed by hand. */
export { base64, concatBytes, equalBytes, fromBase64, fromHex, fromUtf8, hex, utf8 } from './bytes.js';
export { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.js';
export type { Check, Verdict } from './check.js';
export {
  type CertificateRequest,
  type CertificateWish,
  makeCertificateRequest,
  makeCsr,
  readCertificateRequest,
  wrapCsr,
} from './certificate-request.js';
export {
  type CertificateExtension,
  type Identity,
  identityIdOf,
  isTimestampBy,
  readCertificate,
  readExtensions,
  readIdentity,
  timestampTimeMs,
} from './certificate.js';
export { type Checkpoint, formatCheckpointText, parseCheckpoint } from './checkpoint.js';
export { collectBounded } from './collect-bounded.js';
export { cosign, type Cosignature, verifyCosignatures } from './cosignature.js';
export { counted } from './counted.js';
export { DER, der } from './der.js';
export {
  createDigester,
  type Digest,
  type Digester,
  digestFromHex,
  digestHex,
  isDigest,
  parseDigest,
  sha256,
  sha256Raw,
} from './digest.js';
export { diskRefusal } from './disk-refusal.js';
export {
  type Envelope,
  envelopePayload,
  envelopeSignature,
  INTOTO_PAYLOAD_TYPE,
  makeEnvelope,
  pae,
  parseEnvelope,
  statementDigestOf,
} from './dsse.js';
export { verifyEd25519 } from './ed25519.js';
export { encodeEntryBundle, parseEntryBundle } from './entry-bundle.js';
export { ERRORS, type ErrorCode, EXIT_CODES, type ExitCode } from './error-table.js';
export {
  AuditorError,
  CoreError,
  type ErrorData,
  LedgerError,
  OciError,
  PromoterError,
  SealaneError,
  SiteError,
  TrustError,
} from './errors.js';
export { EXAMPLE_KEY_IDS } from './example-keys.js';
export {
  HARDWARE_FACTS,
  hardwareClass,
  type DeviceKind,
  type FoundHardware,
  foundHardware,
  type HardwareDevice,
  type FittedPart,
  fittedParts,
  hardwareDevices,
  type HardwareFacts,
  hardwareFacts,
  type HardwarePart,
  hardwareSerial,
  partName,
} from './hardware-class.js';
export {
  compareHardware,
  coversHardware,
  DEFAULT_REQUIRED_FACTS,
  type HardwareComparison,
  type HardwareDifference,
  requiredText,
  unknownFacts,
} from './hardware-comparison.js';
export { type HardwareDrift, hardwareDrift } from './hardware-drift.js';
export { ATTACHED_ROLES, knownFact } from './hardware-inventory.js';
export { LIMITS } from './limits.js';
export { listenHint } from './listening.js';
export { encodeLogLeaf, type LogLeaf, logLeaf, parseLogLeaf } from './log-leaf.js';
export { emptyRoot, leafHash, nodeHash, verifyConsistency, verifyInclusion } from './merkle.js';
export {
  consistencyProof,
  inclusionProof,
  type KnownNodes,
  type ProofWish,
  rootFromTiles,
  tileInclusionProof,
  type TileReader,
  tilesForProofs,
} from './merkle-tiles.js';
export { p256PublicKey, verifyP256, verifyP256InPool } from './p256.js';
export { clipped, isPlainText, MAX_PLAIN_TEXT, oneLine, PLAIN_TEXT, printable } from './printable.js';
export { type QuorumCheckpoint, verifyQuorum } from './quorum.js';
export { refuseService } from './refuse-service.js';
export { restate } from './restate.js';
export { shellWord } from './shell-word.js';
export {
  formatVkey,
  isBy,
  keyHashBytes,
  logId,
  makeVkey,
  type Note,
  NOTE_KEY_TYPE,
  type NoteKeyType,
  type NoteSignature,
  openNote,
  parseNote,
  parseVkey,
  signatureLine,
  signNote,
  type Vkey,
  vkeyOf,
} from './signed-note.js';
export { type Certified, describeSigner, keyIdOf, type Signed, type Signer, signerIdOf, signStatement, verifyEnvelope } from './signer.js';
export {
  makeSealingKey,
  openSealingKey,
  openValue,
  SEALING_RECIPIENT,
  sealedBytes,
  type SealedFor,
  type SealingKey,
  sealValue,
} from './sealed-value.js';
export { makeSiteRequest, readSiteRequest, type SiteRequest } from './site-request.js';
export { encodeStatement, parseStatement, PREDICATE, type Statement, type Subject } from './statement.js';
export { type JsonLimits, parseStrictJson } from './strict-json.js';
export {
  entriesPath,
  parseTilePath,
  parseTimestampPath,
  type Tile,
  TILE_HEIGHT,
  TILE_WIDTH,
  tileCount,
  tilePath,
  timestampPath,
} from './tile-path.js';
export { formatTlogProof, parseTlogProof, type TlogProof, verifyTlogProof } from './tlog-proof.js';
