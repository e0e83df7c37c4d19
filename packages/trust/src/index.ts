/** The public surface of `trust`, listed by hand. */
// policy
export {
  type Channel,
  type ChannelChoice,
  type ChannelGroup,
  encodeChannel,
  MAX_DRAINED,
  MAX_ROLLBACK_CHOICES,
  parseChannel,
} from './policy/channel.js';
export { encodeSealedSecret, parseSealedSecret, type SealedSecret } from './policy/sealed-secret.js';
export {
  encodeSiteShard,
  MAX_WAITING,
  parseSiteShard,
  type SentBlob,
  type SentSecret,
  type ShardEntry,
  shardPrefix,
  sentIn,
  type SiteMail,
  type SiteShard,
} from './policy/site-shard.js';
export type {
  AcceptedPolicy,
  Floor,
  HardwareEquivalence,
  Policy,
  PolicyExceptionRule,
  PolicyAuthority,
  PolicyGate,
  PolicyGroup,
  PolicyHardware,
  PolicyIdentity,
  PolicyKey,
  PolicyLog,
  PolicyPerson,
  PolicySigners,
  PolicyStage,
  PolicyWindow,
} from './policy/policy-types.js';
export { encodePolicy, parsePolicy, policyDigest } from './policy/policy.js';
export { exceptionSigners } from './policy/exception-rule.js';
export { heldApart } from './gates/approval-votes.js';
export { settingsDigest } from './gates/which-gate.js';
export { countsAt, isAuthorsWord, isRegistrarsWord, type LoggedBy, signerWindow } from './policy/signer-window.js';
export type { PolicyScope } from './policy/policy-types.js';
export { outsideScope, type ScopedRelease, scopeName } from './policy/scope.js';
export { type ClassFilter, classFilterShape, type WorkloadClass } from './policy/workload-class.js';
export { isTime, secondsToTime, timeToSeconds } from './time.js';
export { renderVariables, type SiteVariables, siteVariablesShape } from './site-variables.js';
// waybill
export { encodeWaybill, parseWaybill, type Waybill, WAYBILL_MEDIA_TYPE, type WaybillBlob } from './waybill/waybill.js';
// evidence
export { certifiedSigner, checkCertified } from './evidence/certified.js';
export { BUNDLE_MEDIA_TYPE, encodeBundle, hintOf, logEntryJson, type LogProof, parseBundle, type ParsedBundle } from './evidence/bundle.js';
export { checkTrustedRoot, encodeTrustedRoot, logKeySpki, trustedRootFromPolicy } from './evidence/trusted-root.js';
export {
  quorumOf,
  quorumOnce,
  quorumThen,
  type VerifiedStatement,
  type VerifyOptions,
  type WitnessedTime,
} from './evidence/statement-checks.js';
export { type OtherLog, otherLogHead, verifyOtherStatement } from './evidence/other-log.js';
export { type LedgerRow, verifyLedgerRow } from './evidence/verify-ledger-row.js';
export { namedBlobs } from './evidence/named-blobs.js';
export { verifyStatement } from './evidence/verify-statement.js';
export { type TrustedKey, type TrustedLog, type VerifyTrust, verifyTrustOf } from './evidence/verify-trust.js';
export { isEnrolment, trustWithEnrolled } from './evidence/enrolled-trust.js';
// evidence: predicates
export {
  type AnchoredStatement,
  type AnchorPredicate,
  anchorStatement,
  type ApprovalPredicate,
  approvalStatement,
  type CarriedBundlePredicate,
  carriedBundleStatement,
  checkDeclaration,
  type DeclaredVariable,
  type CheckpointSeen,
  type ComponentKind,
  declarationShape,
  type VariableValue,
  type DecisionFields,
  decisionInputs,
  decisionPolicy,
  type DecisionPredicate,
  decisionStatement,
  type ExceptionPredicate,
  exceptionStatement,
  exceptionTerms,
  isSiteKind,
  EXCEPTION_KINDS,
  type GrantedRole,
  type ExceptionKind,
  SITE_EXCEPTION_KINDS,
  type SiteExceptionKind,
  type ExceptionRequestPredicate,
  exceptionRequestStatement,
  readExceptionRequest,
  isAbout,
  isPointing,
  keySubject,
  LINK_KINDS,
  type LinkKind,
  MAX_ANCHORED,
  type MeasuredLink,
  measuredLinkShape,
  type OrderPredicate,
  orderStatement,
  otherLogSubject,
  type Promotion,
  readAnchor,
  readApproval,
  readCarriedBundle,
  readDecision,
  readException,
  readOrder,
  readRecall,
  readReceipt,
  readRelease,
  readReview,
  readRetirement,
  readDelegation,
  type RetirementPredicate,
  type ErasedStatementRef,
  type ErasurePredicate,
  erasureStatement,
  readErasure,
  readRevocation,
  readRootStatement,
  type RootPredicate,
  rootStatement,
  readSiteCertificate,
  readRig,
  readRigRebuild,
  readSecret,
  readSiteRecord,
  MAX_SUMMED_REFUSALS,
  MAX_SUMMED_RUNS,
  MAX_SWITCH_SECONDS,
  type ReceiptEvent,
  type ReceiptPredicate,
  receiptStatement,
  type ReceiptSummary,
  type SummedRefusal,
  type SummedRun,
  type RecalledThing,
  type RecallPredicate,
  recallStatement,
  type RecordedCheck,
  type ReleaseComponent,
  type ReleaseDeclaration,
  MAX_SECRETS,
  type ReleasePredicate,
  releaseStatement,
  type RevocationPredicate,
  type RigPredicate,
  type RigRebuildPredicate,
  rigRebuildStatement,
  rigStatement,
  retirementStatement,
  type DelegatedSite,
  type DelegationPredicate,
  delegationStatement,
  revocationStatement,
  type ReviewPredicate,
  reviewStatement,
  type SecretPredicate,
  secretStatement,
  type SiteCertificatePredicate,
  siteCertificateStatement,
  type SiteRecordPredicate,
  siteRecordStatement,
  type StageOrder,
  stageSubject,
  stageUrn,
  subjectDigests,
  subjectOfRecall,
} from './evidence/predicates.js';
// reports
export { checkConditions, type Conditions, conditionsShape, type LinkConditions } from './reports/conditions.js';
export { checkFidelity, type Fidelity, fidelityShape } from './reports/fidelity.js';
export { checkRehearsal, type Rehearsal, rehearsalShape } from './reports/rehearsal.js';
export {
  isReportFormat,
  readReport,
  type ReportFormat,
  reportFormatOf,
  reportFormats,
  REPORT_MEDIA_TYPES,
} from './reports/report-format.js';
export {
  readTestResult,
  type RunDocument,
  suiteNameOf,
  type TestResult,
  type TestResultInput,
  testResultPredicate,
  testResultStatement,
} from './reports/test-result.js';
export { checkTopology, parseTopology, type Topology, topologyShape } from './reports/topology.js';
export { compareTopologies, type TopologyDifference } from './reports/topology-comparison.js';
export { type CaseOutcome, caseName, type ReportVerdict, type TestCase, type TestCounts, type TestReport } from './reports/test-report.js';
// gates
export { IMAGE_EVIDENCE, type ImagePart, imagePartsOf, isOfRelease } from './gates/image-parts.js';
export { fleetSites, type KnownSite } from './gates/fleet-sites.js';
export type { FleetSite, Gate, GateInput, RefusedStatement } from './gates/gate.js';
export { type CoveredClass, type HardwareReport, reportHardware } from './gates/hardware-report.js';
export { evaluateGates, evidenceToApprove, GATES, validateGateConfig } from './gates/index.js';
export { rollbackRehearsedGate } from './gates/rollback-rehearsed.js';
export { PROMOTER_VERDICTS } from './gates/promoter-verdicts.js';
export { provenanceFacts, type ProvenanceFacts } from './gates/provenance-facts.js';
// tuf: client
export { readTarget, refreshTrust, type TufRead } from './tuf/client.js';
export { driveTuf, driveTufAsync, type TufFlow, type TufRequest } from './tuf/flow.js';
export { trustFromRoot } from './tuf/root-chain.js';
export type { TopRole, TufExpiry, TufRules, TufRun } from './tuf/rules.js';
export type { TufState, TufVersions } from './tuf/state.js';
export { type LocatedTarget, locateFlow, refreshFlow, targetFlow, type TrustedMetadata, type TrustedTarget } from './tuf/workflow.js';
// tuf: publisher
export { type DescribedRoot, describeRoot, followsRoot } from './tuf/described-root.js';
export { encodeRole } from './tuf/file-names.js';
export { annotationImages } from './payload/annotation.js';
export { manifestFileName } from './payload/manifest-name.js';
export { misspeltField } from './payload/kubernetes-keys.js';
export { excessIn } from './payload/amounts.js';
export { isOddMerge, isPlainTag, oddMergeIn, strangeCharacter } from './payload/yaml-dialects.js';
export { hasControl, isExpanded, mayBeManyWords } from './payload/quadlet-words.js';
export { systemdWords } from './payload/systemd-words.js';
export { isQuadletName, parseQuadlet, type QuadletEntry, type QuadletUnit } from './payload/quadlet-file.js';
export {
  describeRole,
  type ListedRole,
  type MetadataSummary,
  publishedMetadataPath,
  readListedRoles,
  summarizeMetadata,
} from './tuf/published-role.js';
export {
  channelPath,
  describeTarget,
  EXAMPLE_MARK,
  publishedTargetPath,
  type RoleKeys,
  rootMetadata,
  ROOTS_LOGGED_MARK,
  snapshotMetadata,
  type StageDelegation,
  stageMetadata,
  type TargetDescription,
  targetsMetadata,
  timestampMetadata,
  tufExpiryAt,
} from './tuf/publisher.js';
export { type Authority, parseSignedDocument } from './tuf/signed-document.js';
export {
  addSignature,
  authorityOf,
  countSignatures,
  meetsThreshold,
  mergeSignatures,
  rootAuthority,
  signatureOf,
  type SignatureCount,
  signMetadata,
  type TufSignature,
} from './tuf/signing.js';
export { tufKeyOfSpki } from './tuf/tuf-key.js';
// sigstore bundles of others
export { isCertificateBundle } from './sigstore/bundle-file.js';
export type { ExpectedSigner } from './sigstore/bundle-signer.js';
export type { SignedArtifact } from './sigstore/bundle-subject.js';
export { type BundleQuestion, type VerifiedBundle, verifySigstoreBundle } from './sigstore/verify-bundle.js';
export { verifyKeyBundle } from './sigstore/verify-key-bundle.js';
// admission
export { checkDelegatedRecord, groupOf } from './admission/site-step.js';
export { MAX_RECORD_BYTES, readRecordFile, type RecordFile } from './evidence/record-file.js';
export { judgeSiteSecret, type SiteSecret } from './admission/secret-step.js';
export { judgeSiteException } from './admission/exception-step.js';
export type { SiteException } from './admission/types.js';
export { judgeRetirement, type SiteRetirement } from './admission/retirement-step.js';
export { blobPath } from './admission/lane-reader.js';
export { type LogContent, logContent } from './admission/log-tiles.js';
export {
  type Admission,
  type AdmissionNext,
  type AdmissionOutcome,
  type AdmitInput,
  type KeptOrders,
  type LaneView,
  NEW_SITE_MEMORY,
  type SiteFacts,
  type SiteMemory,
} from './admission/types.js';
export { checkpointSizesOf } from './admission/waybill-step.js';
export { admit } from './admit.js';
export { type Admit, rememberingAdmit } from './admission/remembering.js';
