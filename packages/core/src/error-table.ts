/**
 * Every error code that a command can print or a receipt can carry, with its exit code, meaning and next step.
 *
 * The one table: `docs/errors.md` is generated from it, and a test compares both.
 */

/** Exit codes of both executables, and what each means. */
export const EXIT_CODES = {
  0: 'done',
  1: 'a fault of the program or the machine',
  2: 'usage or configuration',
  3: 'denied by policy',
  4: 'verification failed',
  5: 'pending: an approval, a soak, a witness, owners, a local condition',
  6: 'a remote is unavailable',
  7: 'rolled back',
  8: 'held: needs a person',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

interface ErrorRow {
  readonly exit: ExitCode;
  readonly what: string;
  readonly hint: string;
}

const define = <T extends Readonly<Record<string, ErrorRow>>>(rows: T): T => rows;

/** Code → row. Sections: usage, trust, waybill and evidence, log, release and site, content, local conditions, faults. */
export const ERRORS = define({
  // usage and configuration
  MANIFEST_UNPINNED: {
    exit: 2,
    what: 'a manifest names an image by a tag, which may stand for other bytes tomorrow',
    hint: 'write NAME@sha256:… at the line named: the digest of an image is what its registry shows beside the tag',
  },
  CONFIG_INVALID: {
    exit: 2,
    what: 'a configuration file is missing, malformed or contradicts itself',
    hint: 'mend the file at the line named and run the command again',
  },
  DIGEST_MALFORMED: {
    exit: 2,
    what: 'a digest is not sha256: and 64 lower-case hex digits',
    hint: 'copy the digest from: sealane release list',
  },
  REFERENCE_MALFORMED: {
    exit: 2,
    what: 'an image reference is none of docker://HOST/REPO@DIGEST, oci:DIR@DIGEST, oci-archive:FILE',
    hint: 'write it like docker://registry.example/app@sha256:…',
  },
  FILE_TOO_LARGE: { exit: 2, what: 'a file is larger than what is read of its kind', hint: 'check the file that is named above' },
  NOT_ENROLLED: {
    exit: 2,
    what: 'this site has no key, record or trusted root yet',
    hint: 'enrol it: sealane-site enroll --name NAME --out REQUEST',
  },
  ROLLBACK_NONE: {
    exit: 2,
    what: 'no other release is kept at this site to go back to',
    hint: 'see what is kept: sealane-site status; or promote the release that is wanted',
  },
  STATE_UNWRITABLE: {
    exit: 2,
    what: 'the state folder cannot be written',
    hint: 'check owner, mode and mount of the folder named above, or name another one',
  },
  USAGE: { exit: 2, what: 'the command line is not one this program takes', hint: 'run the command again with --help' },

  // malformed input, named by kind
  BYTES_MALFORMED: { exit: 2, what: 'text is not UTF-8, base64 or hex where it must be', hint: 'check the file that was given' },
  CERTIFICATE_MALFORMED: {
    exit: 4,
    what: 'a certificate is not one of a keyless signature: one identity, one issuer, a P-256 key',
    hint: 'sign again; if it stays, see what your certificate authority issues',
  },
  CHECKPOINT_MALFORMED: { exit: 4, what: 'a checkpoint is not of the form of C2SP tlog-checkpoint', hint: 'fetch it again from the log' },
  ENVELOPE_MALFORMED: {
    exit: 4,
    what: 'a DSSE envelope is malformed or has not exactly one signature',
    hint: 'make the statement again with one signature',
  },
  HBOM_MALFORMED: {
    exit: 2,
    what: 'a hardware inventory is not a CycloneDX 1.6 or 1.7 device BOM, or too large',
    hint: 'make one with: sealane-site inventory --out hbom.json',
  },
  JSON_DUPLICATE_KEY: { exit: 2, what: 'a JSON document says a key twice', hint: 'write each key once' },
  JSON_MALFORMED: { exit: 2, what: 'a document is not well-formed JSON', hint: 'mend the document at the offset named' },
  JSON_TOO_DEEP: { exit: 2, what: 'a JSON document nests too deeply', hint: 'check the file that was given' },
  JSON_TOO_LARGE: { exit: 2, what: 'a JSON document is larger than its bound', hint: 'check the file that was given' },
  KEY_EXAMPLE: {
    exit: 2,
    what: 'an example key, which everybody has, was used in a lane that was not made from them',
    hint: 'make a key of your own: sealane key create NAME',
  },
  KEY_EXISTS: { exit: 2, what: 'there is a key of that name already', hint: 'choose another name; a key is never replaced by a new one' },
  KEY_EXPOSED: { exit: 2, what: 'a private key can be read by others than its owner', hint: 'run: chmod 600 FILE' },
  KEY_LOCKED: {
    exit: 2,
    what: 'a key is encrypted or in a token, and was not opened: the passphrase or PIN is missing or wrong',
    hint: 'write it to a file of mode 0600 and name that with SEALANE_PASSWORD_FILE, or SEALANE_PKCS11_PIN_FILE for a token',
  },
  KEY_NOT_NAMED: {
    exit: 2,
    what: 'a key is not one that is named for this act, or its private half is not here',
    hint: 'see which keys there are, and for what: sealane key list',
  },
  KEY_RETURNED: {
    exit: 2,
    what: 'a proposal gives a role a key that it had let go: all that this key signed before would count again',
    hint: 'remove the file of that key (NAME.next…) or name another in pipeline.yaml, and make a new key: sealane key rotate NAME',
  },
  KEY_ROLES_SHARED: {
    exit: 2,
    what: 'one key would have two roles that different hands must hold: who had it would have both',
    hint: 'make a key of its own for one of them: sealane key create NAME, named in pipeline.yaml; for a key of owners: sealane key rotate NAME',
  },
  LANE_EXISTS: {
    exit: 2,
    what: 'there is a lane in this folder already',
    hint: 'go on with it: sealane release list --home DIR; or choose another folder for a new one',
  },
  PROPOSAL_STALE: {
    exit: 2,
    what: 'a proposal was made for another state of the lane than the one that is published, or would be the second root of a version that is logged',
    hint: 'make it anew: sealane trust propose',
  },
  STAGE_UNKNOWN: { exit: 2, what: 'a stage that was named is not in the lane', hint: 'name a stage of the lane: pipeline.yaml has them' },
  KEY_UNAVAILABLE: {
    exit: 6,
    what: 'what keeps a key (a token, a helper program, a certificate authority) did not answer as it must',
    hint: 'see that the token or service is there, then run the command again',
  },
  KEY_UNSEALED: {
    exit: 2,
    what: 'a private key would go into a backup as plain text',
    hint: 'copy the files of keys that are named above to a safe place yourself, and back up the rest: sealane backup --out FILE --without-keys; or have them encrypted: sealane key rotate NAME --encrypt',
  },
  KEY_MALFORMED: { exit: 2, what: 'a key is unreadable or of another kind than needed', hint: 'make one with: sealane key create NAME' },
  LOG_LEAF_MALFORMED: { exit: 4, what: 'a log entry is not a hashedrekord 0.0.2 body', hint: 'fetch it again from the log' },
  NOTE_MALFORMED: { exit: 4, what: 'a signed note is malformed', hint: 'fetch it again from the log' },
  NOTE_UNVERIFIED: {
    exit: 4,
    what: 'a signed note claims a known key but the signature is wrong',
    hint: 'fetch it again; if it stays, it was forged',
  },
  PROOF_LENGTH: { exit: 4, what: 'a proof has the wrong number of hashes', hint: 'ask the log for the proof again' },
  PROOF_MALFORMED: {
    exit: 4,
    what: 'a proof file is not of the form of C2SP tlog-proof',
    hint: 'ask for the proof again: sealane log prove DIGEST',
  },
  PROOF_MISMATCH: {
    exit: 4,
    what: 'a proof does not lead to the root',
    hint: 'ask the log for the proof again; if it stays, the log was altered',
  },
  REQUEST_MALFORMED: {
    exit: 2,
    what: 'the request of a site is malformed, or not signed by the key in it',
    hint: 'make it again at the site: sealane-site enroll --name NAME --out REQUEST',
  },
  CERTIFICATE_REQUEST: {
    exit: 2,
    what: 'the request for a certificate is malformed, too large, or not signed by the keys it names',
    hint: 'make it again at the site: sealane-site certificate request --out REQUEST',
  },
  AUTHORITY_INVALID: {
    exit: 4,
    what: 'an authority of site certificates is not as it must be: expired, of another lane, not constrained, or not issued by the root given',
    hint: 'make it again: sealane ca request, then sealane ca sign on the owners’ machine, then sealane ca install',
  },
  AUTHORITY_MISSING: {
    exit: 2,
    what: 'this home has no authority of site certificates',
    hint: 'make one: sealane ca request --out FILE, then sealane ca sign FILE on the owners’ machine, then sealane ca install CHAIN',
  },
  STATEMENT_MALFORMED: { exit: 4, what: 'a signed payload is not an in-toto statement v1', hint: 'make the statement again' },
  TILE_MALFORMED: { exit: 4, what: 'a tile of the log has the wrong size', hint: 'fetch the tile again' },
  TILE_PATH_MALFORMED: { exit: 2, what: 'a path does not name a tile', hint: 'see C2SP tlog-tiles for the form' },
  VKEY_MALFORMED: { exit: 2, what: "a verifier key is malformed or its hash is not its key's", hint: 'copy the whole vkey line again' },

  // trust: the TUF repository of the lane
  TRUST_EXAMPLE_KEYS: {
    exit: 4,
    what: 'the lane is made of the example keys, which everybody has',
    hint: 'make keys of your own, or set allowExampleKeys: true in site.yaml of a site that is only for trying',
  },
  TRUST_EXPIRED: {
    exit: 4,
    what: 'signed metadata has expired: the lane is stale or being frozen',
    hint: 'where the lane is published: sealane publish --refresh; then have it here again, by a fetch or on a fresher medium',
  },
  TRUST_MALFORMED: {
    exit: 4,
    what: 'a trust document is malformed, truncated, has duplicate keys or values outside the format',
    hint: 'have it here again, from where it came; if it stays, what is there was damaged: compare it with the lane at the promoter',
  },
  TRUST_MISMATCH: {
    exit: 4,
    what: 'trust documents disagree about a hash, a length or a version',
    hint: 'fetch again: a publish may have been in progress; if it stays, the mirror mixes versions',
  },
  TRUST_ROLLBACK: {
    exit: 4,
    what: 'a role or the root chain went back to an older version',
    hint: 'the source replays old metadata: use another upstream',
  },
  TRUST_THRESHOLD: {
    exit: 4,
    what: 'too few valid signatures by the keys that the role names',
    hint: 'the document is forged or its keys were rotated: ask the lane owners',
  },
  TRUST_TOO_LARGE: {
    exit: 4,
    what: 'a document is larger or deeper than its bound',
    hint: 'the source sends endless or hostile data: use another upstream',
  },
  TRUST_WRONG_ROLE: {
    exit: 4,
    what: 'a role signed a path outside its delegation, or a document of another stage was offered',
    hint: 'check the stage in site.yaml and the channel that the lane publishes',
  },

  // waybill and evidence
  EVIDENCE_CONDITIONS: {
    exit: 3,
    what: 'what a run measured of its links is out of bounds, or a number that policy bounds is missing',
    hint: 'measure again under the profiles that the pipeline names: sealane evidence add RELEASE --tests FILE --conditions FILE',
  },
  EVIDENCE_FIDELITY: {
    exit: 3,
    what: 'a dependency was not tested as real as policy asks, or is not declared',
    hint: 'test with the real thing and say so: sealane evidence add RELEASE --tests FILE --fidelity FILE',
  },
  EVIDENCE_PROVENANCE: {
    exit: 3,
    what: 'provenance names another builder, source, ref, commit or build type than policy asks for',
    hint: 'build from the source and by the builder that the pipeline names, then: sealane evidence add RELEASE --provenance FILE',
  },
  EVIDENCE_RESULT: {
    exit: 3,
    what: 'evidence is missing, failed, empty, skipped or stale',
    hint: 'run the tests again and add the report: sealane evidence add RELEASE --tests FILE',
  },
  EVIDENCE_RIG: {
    exit: 3,
    what: 'tests ran on no qualified rig: not enrolled, not rebuilt lately, changed since, or recalled',
    hint: 'see the rigs and what each lacks: sealane rig list',
  },
  EVIDENCE_ROLLBACK: {
    exit: 3,
    what: 'going back from the release was not rehearsed, took too long, or is not shown by the receipts that a rehearsal names',
    hint: 'see what is missing: sealane plan RELEASE --to STAGE',
  },
  EVIDENCE_SCOPE: {
    exit: 3,
    what: 'a key, a person or a source is outside the scope that policy gives its team, or the release is in none',
    hint: 'have the team that the release belongs to sign it; see scopes in pipeline.yaml',
  },
  EVIDENCE_VULNERABLE: {
    exit: 3,
    what: 'a scan found more vulnerabilities than policy lets through, or one of unknown severity',
    hint: 'mend the image, or have it said that it is not affected: sealane evidence add RELEASE --vex FILE --key SIGNER',
  },
  EVIDENCE_FORBIDDEN: {
    exit: 3,
    what: 'an SBOM lists a package or a licence that policy forbids',
    hint: 'leave the package named above out and build again, or have the owners waive it in the pipeline',
  },
  EVIDENCE_SIGNER: {
    exit: 3,
    what: 'evidence is signed by a key that policy does not name for it',
    hint: 'sign with a key that pipeline.yaml lists for this; which those are: sealane key list',
  },
  SIGNER_CERTIFICATE: {
    exit: 4,
    what: 'the certificate of a keyless signature is not one that the authorities in policy issued for signing',
    hint: 'sign again with the certificate authority that pipeline.yaml names under authorities',
  },
  SIGNER_TIME: {
    exit: 4,
    what: "a keyless signature has no timestamp by policy's authority from within the life of its certificate",
    hint: 'sign again: a certificate of some minutes must be used at once, and timestamped by the authority in pipeline.yaml',
  },
  EVIDENCE_SUBJECT: {
    exit: 3,
    what: 'evidence is about other bytes than this release',
    hint: 'add evidence whose subject is the digest of this release',
  },
  EVIDENCE_TOPOLOGY: {
    exit: 3,
    what: 'the topology of a site differs from what was tested, and policy does not declare the difference',
    hint: 'test in the topology of the sites: sealane evidence add RELEASE --tests FILE --topology FILE',
  },
  GATE_ERROR: {
    exit: 3,
    what: 'a gate could not be evaluated, or its settings are malformed',
    hint: 'mend the settings of the gate in the pipeline; an error never passes',
  },
  GATE_RULE: {
    exit: 3,
    what: "an expression of the pipeline's cel gate is not true, or cannot be evaluated over this release",
    hint: 'see what the expression asks for: sealane plan RELEASE --to STAGE',
  },
  GATE_UNKNOWN: {
    exit: 3,
    what: 'the pipeline names a gate that this program does not know',
    hint: 'use one of the gates that the message lists, or a newer program',
  },
  KEY_REVOKED: {
    exit: 4,
    what: 'a statement was logged outside the window in which its key is valid',
    hint: 'have the statement made again by a key that is valid now',
  },
  PAYLOAD_REFUSED: {
    exit: 3,
    what: 'a manifest asks for what policy forbids, or cannot be judged',
    hint: 'mend the manifest at the line named and make a new release; see: sealane plan RELEASE --to STAGE',
  },
  WAYBILL_APPROVALS: {
    exit: 3,
    what: 'too few valid approvals by different people',
    hint: 'ask another approver to run: sealane approve RELEASE --to STAGE --key PERSON',
  },
  WAYBILL_SIGNATURE: {
    exit: 4,
    what: 'a decision or statement of the waybill has a wrong or missing signature',
    hint: 'fetch the lane again; if it stays, the waybill was altered',
  },
  WAYBILL_SOAK: {
    exit: 5,
    what: 'the release has not been in the stage before for as long as policy asks',
    hint: 'wait until the earliest time that this prints: sealane plan RELEASE --to STAGE',
  },
  WAYBILL_STAGE_ORDER: {
    exit: 4,
    what: 'a stage before this one has no valid PASSED decision for this release',
    hint: 'promote through every stage: sealane plan RELEASE --to STAGE',
  },
  WAYBILL_SUBJECT: {
    exit: 4,
    what: 'a decision of the waybill is about another release',
    hint: 'fetch the lane again; if it stays, the waybill was altered',
  },

  GATE_WINDOW: {
    exit: 5,
    what: 'no promotion window is open, or a freeze stands',
    hint: 'wait until the earliest time that this prints: sealane plan RELEASE --to STAGE',
  },

  // Sigstore bundles of others
  IMAGE_UNSIGNED: {
    exit: 4,
    what: 'no signature that was asked for is attached to an image in its registry',
    hint: 'have it signed with cosign 3: signatures under a tag that ends in .sig are not read',
  },
  BUNDLE_MALFORMED: {
    exit: 4,
    what: 'a Sigstore bundle is malformed, of an unknown version, or carries what a bundle must not',
    hint: 'download the bundle again; if it stays, have the artifact signed again',
  },
  BUNDLE_SIGNER: {
    exit: 4,
    what: 'a Sigstore bundle is not by the identity and issuer, or the key, that was asked for',
    hint: 'check who is meant to sign this artifact; identities and issuers are compared letter for letter',
  },
  BUNDLE_SUBJECT: {
    exit: 4,
    what: 'a Sigstore bundle is about other bytes than the artifact',
    hint: 'check that artifact and bundle belong together',
  },
  BUNDLE_UNVERIFIED: {
    exit: 4,
    what: "a Sigstore bundle's signature, certificate, timestamp or log entry does not verify by the trusted root",
    hint: 'check that the trusted root is that of the instance that signed; if it is, do not use the artifact',
  },

  // log
  LOG_FORK: {
    exit: 4,
    what: 'the log shown here is not an extension of the log seen before',
    hint: 'keep both checkpoints and show them to the auditor: the log key may be stolen',
  },
  LOG_KEY_REPLACED: {
    exit: 4,
    what: 'a checkpoint is signed by a key that the log has replaced, where only the new one counts',
    hint: 'fetch the lane again; if it stays, somebody signs with the old key: show the checkpoint to the auditor',
  },
  LOG_KEY_UNKNOWN: {
    exit: 5,
    what: "too few witnesses know the log's next key",
    hint: 'give it to their operators: HOME/log.vkey has both keys; when they serve it: sealane trust publish',
  },
  LOG_KEYS_CHANGED: {
    exit: 4,
    what: 'the log of another lane is shown under other keys than it was anchored with',
    hint: 'ask its owners; if they have replaced the key of their log or a witness: sealane log anchor … --new-keys',
  },
  LOG_NOT_INCLUDED: {
    exit: 4,
    what: 'a statement is not in the log, or its proof is wrong',
    hint: 'fetch the lane again; if it stays, the statement was never logged',
  },
  LOG_RESTORED: {
    exit: 8,
    what: 'the ledger is behind a checkpoint that it has shown: it was restored from an old copy',
    hint: 'never sign again under this origin: restore the newest copy, or start a new origin through policy',
  },
  PERIOD_OPEN: {
    exit: 5,
    what: 'the period that an export is asked for ends later than witnesses have seen the log: what is logged until then is not there yet',
    hint: 'end the period there, or with /now; or have the witnesses asked: sealane publish --refresh',
  },
  LOG_WITNESS: {
    exit: 4,
    what: 'the checkpoint lacks the cosignatures of the witness quorum',
    hint: 'see that the witnesses run, then: sealane publish --refresh',
  },

  // ledger and witness
  LEDGER_BUSY: {
    exit: 5,
    what: 'another process has been writing the ledger for too long',
    hint: 'run the command again: nothing of it was logged',
  },
  BACKUP_MALFORMED: {
    exit: 4,
    what: 'a backup is cut or altered, or the file is none',
    hint: 'copy it again from where it is kept, or restore another one; nothing was laid down',
  },
  EXPORT_MALFORMED: {
    exit: 4,
    what: 'an audit export is cut, or the file is none',
    hint: 'copy it again from where it is kept, or write it again with: sealane audit export',
  },
  LEDGER_DAMAGED: {
    exit: 4,
    what: 'the ledger file is not a ledger, or its rows contradict one another',
    hint: 'see which rows: sealane audit verify; then restore a backup that is not older than the last witnessed checkpoint',
  },
  LEDGER_MISMATCH: {
    exit: 2,
    what: 'the ledger belongs to another origin or key, or was written by a newer program',
    hint: 'check --home and keys/log.pem: each ledger keeps the key that it was made with',
  },
  LEDGER_READ_ONLY: {
    exit: 2,
    what: 'the ledger was opened without the key of its log, so nothing can be logged',
    hint: 'run the command in the home that holds keys/log.pem',
  },
  LEDGER_UNREADABLE: {
    exit: 2,
    what: 'the file of a ledger or a witness cannot be opened or is not one',
    hint: 'check the path, its folder and their permissions; a new home is made by: sealane init',
  },
  LEDGER_WRITE_FAILED: {
    exit: 1,
    what: 'the disk refused a write of the ledger: nothing of it was logged',
    hint: 'free disk or mend it, then run the command again',
  },
  ARCHIVE_UNREACHABLE: {
    exit: 6,
    what: 'what an entry says was moved to the archive of the ledger, and no place of that could be read',
    hint: 'mount the folder or see to the registry that ledger/archive.json names, then run the command again',
  },
  ARCHIVE_DAMAGED: {
    exit: 4,
    what: 'a pack of the archive of the ledger is gone from all its places, or is not what was written there',
    hint: 'put back a copy of the place, or name another in ledger/archive.json, then: sealane ledger fsck',
  },
  STATEMENT_ARCHIVED: {
    exit: 3,
    what: 'a statement or a document cannot be erased: a pack of the archive of the ledger has it',
    hint: 'bring the pack back with: sealane ledger thaw; remove it from every place of ledger/archive.json; then erase',
  },
  STATEMENT_IN_FORCE: {
    exit: 3,
    what: 'a statement cannot be erased: a stage offers a release that it is about, or it is of a kind that stands',
    hint: 'promote another release first, or revoke this one in every stage that offers it',
  },
  STATEMENT_ERASED: {
    exit: 4,
    what: 'what is asked rests on a statement that was erased: its leaf and proof are in the log, what it said is nowhere',
    hint: 'ask who signed the erasure, with its reason: sealane log prove STATEMENT of the entry named',
  },
  LEDGER_UNREACHABLE: {
    exit: 6,
    what: 'the database of the ledger did not answer, or the connection to it went',
    hint: 'see that PostgreSQL runs where ledger/database.json says, then run the command again: it goes on where it stopped',
  },
  LEDGER_NOT_DURABLE: {
    exit: 2,
    what: 'the database of the ledger is set to forget commits when the power goes',
    hint: 'set fsync, full_page_writes and synchronous_commit to on in PostgreSQL, and check the ledger: sealane ledger fsck',
  },
  LEDGER_EXPOSED: {
    exit: 2,
    what: 'somebody else could have functions of his own run by whoever opens the database of the ledger, with the rights of that one',
    hint: 'in the database: REVOKE CREATE ON SCHEMA public FROM the role that is named, and drop what it has made there; then: sealane ledger fsck',
  },
  LOCK_LOST: {
    exit: 5,
    what: 'this process stood still for so long that another one took the publish lock',
    hint: 'run the command again: it goes on where it stopped',
  },
  LOCK_BUSY: { exit: 5, what: 'another process is publishing in this home', hint: 'wait for it to end and run the command again' },
  STATEMENT_SIGNATURE: {
    exit: 4,
    what: 'a statement is not signed by the key that it was brought with',
    hint: 'sign the statement again and add that one',
  },
  STATEMENT_UNKNOWN: {
    exit: 2,
    what: 'a statement or entry that was named is not in the ledger',
    hint: 'list what is there: sealane evidence list RELEASE',
  },
  WITNESS_BUSY: {
    exit: 5,
    what: 'another process is serving the state of this witness',
    hint: 'stop the other process, or name another folder with --state',
  },
  WITNESS_REQUEST: { exit: 2, what: 'a request to a witness is malformed', hint: 'see C2SP tlog-witness for the form' },
  WITNESS_UNREACHABLE: {
    exit: 5,
    what: 'a witness did not answer',
    hint: 'start the witness or mend its url in pipeline.yaml, then run the command again',
  },

  // release and site
  CHANNEL_HELD: {
    exit: 3,
    what: 'the channel holds this group: nothing is installed until it is released',
    hint: 'ask the operators of the lane: sealane channel show STAGE',
  },
  HARDWARE_UNCOVERED: {
    exit: 3,
    what: 'the release was not tested on hardware of the class of this site',
    hint: 'test on this hardware: sealane evidence add RELEASE --tests FILE --hardware HBOM',
  },
  RELEASE_BELOW_FLOOR: { exit: 3, what: 'the release is older than the floor of its stage', hint: 'promote a newer release' },
  RELEASE_FAILED_HERE: {
    exit: 0,
    what: 'this release failed its health here before and is not tried again',
    hint: 'promote a mended release; or, when the host was at fault and is mended: sealane-site unhold RELEASE',
  },
  RELEASE_IRREVERSIBLE: {
    exit: 3,
    what: 'the release has a part without a way back, which the stage does not take, or which too few people approved as such',
    hint: 'see its parts: sealane release show RELEASE',
  },
  RELEASE_REVOKED: { exit: 3, what: 'the release was revoked', hint: 'promote another release; see: sealane channel show STAGE' },
  EXCEPTION_DENIED: {
    exit: 3,
    what: 'an exception is of a kind, for a gate, or for longer or oftener than policy allows',
    hint: 'see what policy allows under exceptions in pipeline.yaml',
  },
  EXCEPTION_INVALID: {
    exit: 4,
    what: 'an exception is used up, expired, for another site or release, of a kind that policy does not allow, or signed by too few of those it names',
    hint: 'ask for another: sealane-site exception request --release RELEASE --kind KIND --reason TEXT --out FILE',
  },
  STAGE_FROZEN: {
    exit: 3,
    what: 'a stage is frozen: nothing goes into it until the freeze ends or is taken back',
    hint: 'see why and until when: sealane channel show STAGE; take it back with: sealane unfreeze STAGE --reason TEXT',
  },
  RELEASE_UNKNOWN: { exit: 2, what: 'a release that was named is not in the ledger', hint: 'list what is there: sealane release list' },
  RELEASE_EXISTS: {
    exit: 2,
    what: 'the name and version stand for other bytes already',
    hint: 'choose another version: a release never changes',
  },
  TRUST_UNSIGNED: {
    exit: 5,
    what: 'a proposal still lacks signatures of its owners',
    hint: 'have another owner run: sealane trust sign FILE --key KEY',
  },
  SITE_FENCED: {
    exit: 3,
    what: 'this site is fenced: it installs nothing',
    hint: 'have the operators of the lane run: sealane site rejoin SITE',
  },
  ROLE_DENIED: {
    exit: 3,
    what: 'technicians may not do this, and no grant that is in force lets the one who asks do it',
    hint: 'ask an operator (root, or the group sealane-site), or for a grant: sealane-site exception request --kind local-role',
  },
  SITE_DRAINED: {
    exit: 3,
    what: 'this site is drained: its workload is stopped and it installs nothing until it rejoins',
    hint: 'when the work there is done, have the operators of the lane run: sealane site rejoin SITE',
  },
  CERTIFICATE_DENIED: {
    exit: 3,
    what: 'no certificate is issued: the site is not in force, or its request asks for another name, for more rights, or is an old one',
    hint: 'see the site: sealane site show SITE; a site that lost its state is enrolled again',
  },
  CERTIFICATE_INVALID: {
    exit: 4,
    what: 'a certificate that was brought to this site is not for its name and key, or not by the authority that it was given',
    hint: 'ask for another: sealane-site certificate request --out REQUEST',
  },
  SITE_RETIRED: {
    exit: 3,
    what: 'the registrar retired this site: it installs nothing more and gives up its keys',
    hint: 'to use the host again, enrol it anew: sealane-site enroll --name NAME --out REQUEST',
  },
  SITE_MISMATCH: {
    exit: 3,
    what: 'the site record does not match this site, its key, stage or labels',
    hint: 'enrol again: sealane-site enroll --name NAME --out REQUEST',
  },
  SITE_VARIABLES: {
    exit: 3,
    what: 'a variable of this site is missing, out of the range that the release declares, or not declared at all',
    hint: 'mend variables in site.yaml, then: sealane-site update',
  },
  SECRET_INVALID: {
    exit: 4,
    what: 'a secret was sealed to another site, altered, replayed, or is signed by nobody whom policy names for it',
    hint: 'have it sealed anew: sealane secret set NAME --site SITE --value FILE --key KEY',
  },
  SECRET_MISSING: {
    exit: 4,
    what: 'the release needs a secret of which this site has no value',
    hint: 'have it sealed to this site: sealane secret set NAME --site SITE --value FILE --key KEY',
  },
  SITE_UNKNOWN: { exit: 2, what: 'a site that was named is not in the ledger', hint: 'list what is there: sealane site list' },

  // content
  CONTENT_DIGEST: {
    exit: 4,
    what: 'bytes do not have the digest they are named by',
    hint: 'copy them again from the source; the path is named above',
  },
  CONTENT_LENGTH: {
    exit: 4,
    what: 'a blob is longer or shorter than its descriptor says',
    hint: 'copy it again from the source; the path is named above',
  },
  CONTENT_MALFORMED: {
    exit: 4,
    what: 'an image manifest, index, config or layout is malformed or contradicts itself',
    hint: 'copy the image again from its registry; if it stays, build it again',
  },
  CONTENT_MISSING: {
    exit: 4,
    what: 'a blob that the release needs is not there',
    hint: 'sync the mirror again or import a complete medium',
  },
  CONTENT_ERASED: {
    exit: 4,
    what: 'a document was erased: the statement that names it is in the log, its bytes are nowhere',
    hint: 'ask who signed the erasure, with its reason: sealane log prove STATEMENT',
  },
  CONTENT_IN_FORCE: {
    exit: 3,
    what: 'a document cannot be erased: sites that install or go back read it',
    hint: 'promote another release first, or revoke this one in every stage that offers it',
  },
  CONTENT_PLATFORM: {
    exit: 4,
    what: 'an image has no manifest for this operating system and architecture',
    hint: 'build the image for this platform and make a release of the index',
  },
  CONTENT_UNSAFE: {
    exit: 4,
    what: 'an archive or medium holds a path, link, device or mode that could leave its folder or raise rights',
    hint: 'rebuild the image without the entry named above; a medium with links or devices is not to be trusted',
  },
  CONTENT_UNSUPPORTED: {
    exit: 4,
    what: 'an image uses a media type or compression that is not supported',
    hint: 'build the image with gzip layers and OCI or Docker schema 2 manifests',
  },

  // local conditions at a site
  DISK_SHORT: { exit: 5, what: 'there is not enough free disk for the update', hint: 'free disk: sealane-site gc' },
  INTERRUPTED: { exit: 5, what: 'the command was interrupted; nothing is lost', hint: 'run it again: it goes on where it stopped' },
  LOCAL_HOLD: { exit: 5, what: 'an operator holds updates at this site', hint: 'lift it with: sealane-site unhold' },
  ROLLBACK_FAILED: {
    exit: 8,
    what: 'the release before did not come up healthy either: the site needs a person',
    hint: 'see state/logs and mend the host, then: sealane-site unhold',
  },
  ONE_WAY_FAILED: {
    exit: 8,
    what: 'a part without a way back failed or was interrupted, or the release is not healthy with it; nothing is taken back by itself',
    hint: 'see state/logs/workload.log and mend the host; then run it again: sealane-site unhold, or, when it is in place: sealane-site commit',
  },
  STATE_CORRUPT: {
    exit: 8,
    what: 'a file of the state of this site was altered or damaged: nothing is changed until a person has looked',
    hint: 'keep a copy of the state folder, then: sealane-site doctor --mend',
  },
  UPDATER_BUSY: {
    exit: 5,
    what: 'another sealane-site is changing this site right now',
    hint: 'wait for it to end and run the command again',
  },
  UPDATER_UNREACHABLE: {
    exit: 6,
    what: 'the apply service of this site did not answer on its socket, or may not be asked',
    hint: 'see whether it runs: systemctl status sealane-site-apply; operators are root and the group of the socket',
  },

  // the promoter service and its callers
  CALLER_UNKNOWN: {
    exit: 3,
    what: 'the service takes this request from a caller that it knows only: a token or certificate is missing, wrong, expired or names nobody',
    hint: "give the caller's token in SEALANE_TOKEN_FILE or SEALANE_TOKEN; the service's log says what is wrong with it",
  },
  RECORD_MALFORMED: {
    exit: 2,
    what: 'a record for the log of records is not of the one kind that it takes',
    hint: 'sign with an ECDSA P-256 key that the log knows by its public half: cosign attest --key KEY --signing-config FILE --trusted-root FILE',
  },
  CALLER_DENIED: {
    exit: 3,
    what: 'the caller is known and has no right to this',
    hint: 'ask the owner of the service for the right: rights and stages of the caller in service.yaml',
  },
  CALLER_LIMITED: {
    exit: 5,
    what: 'the caller has used up what it may ask for or upload for now',
    hint: 'wait for as long as retry-after says and run the command again',
  },
  SERVICE_BUSY: {
    exit: 5,
    what: 'the service has as much waiting as it keeps, or is about to stop',
    hint: 'run the command again in a while: nothing of it was done',
  },
  SERVICE_UNREACHABLE: {
    exit: 6,
    what: 'the promoter service did not answer, or what answered is none',
    hint: 'check the address that --server or SEALANE_SERVER names, then run the command again: it goes on where it stopped',
  },

  // faults around us
  FETCH_FAILED: {
    exit: 6,
    what: 'no upstream could be reached',
    hint: 'check the uplink, or import a medium: sealane-site media import DIR',
  },
  FETCH_TOO_SLOW: {
    exit: 6,
    what: 'a source sends more slowly than the least rate, or keeps a connection open without sending',
    hint: 'use another upstream or registry, or try again on a better link',
  },
  BUDGET_SPENT: {
    exit: 5,
    what: 'content is to come, and every upstream that has it has used up its data budget of today',
    hint: 'wait for the next day (UTC), raise dailyBytes in site.yaml, or import a medium: sealane-site media import DIR',
  },
  WINDOW_CLOSED: {
    exit: 5,
    what: 'a release is laid down at this site, and no maintenance window of site.yaml is open',
    hint: 'the first update in an open window switches to it: see windows in site.yaml',
  },
  UPDATER_ON_TRIAL: {
    exit: 5,
    what: 'the updater that this release brings is started next and has to pass its check; the old one comes back if it does not',
    hint: 'wait for the service to start it, then: sealane-site status',
  },
  DRIVER_REFUSED: {
    exit: 4,
    what: 'the driver of this site can never run this release: no manifest for its engine, an image that is no part of it, or its installer said no',
    hint: 'read what is named above and state/logs/workload.log; make a release that fits the driver in site.yaml',
  },
  DRIVER_NOT_READY: {
    exit: 5,
    what: 'the engine or installer of this site cannot take the release in for now',
    hint: 'see that the engine works on this host; the next update tries again',
  },
  WORKLOAD_STRAY: {
    exit: 3,
    what: 'something runs at this site, or was changed, beside the release that was admitted',
    hint: 'find out who did it; then stop it, or say strays: stop in driver of site.yaml and run: sealane-site update',
  },
  HEALTH_FAILED: {
    exit: 7,
    what: 'the release did not pass its health checks and was rolled back',
    hint: 'read what it said in logs/workload.log in the state folder; a mended release installs by itself',
  },
  INTERNAL: { exit: 1, what: 'a fault of the program', hint: 'run again with SEALANE_DEBUG=1 and report what it prints' },
  REGISTRY_DENIED: {
    exit: 6,
    what: 'a registry refused the request: not logged in, or not allowed',
    hint: 'check the credentials for this registry and its right to pull the repository',
  },
  REGISTRY_UNAVAILABLE: {
    exit: 6,
    what: 'a registry could not be reached or answered with a fault',
    hint: 'check the host name and the network, then run the command again',
  },
});

/** A code of the table. */
export type ErrorCode = keyof typeof ERRORS;
