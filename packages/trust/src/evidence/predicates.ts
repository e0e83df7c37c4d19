/** The predicates of ours, one file each: what a statement of each type says, how it is read and written. */
export {
  type AnchoredStatement,
  type AnchorPredicate,
  anchorShape,
  anchorStatement,
  MAX_ANCHORED,
  otherLogSubject,
  readAnchor,
} from './predicates/anchor.js';
export { approvalShape, type ApprovalPredicate, approvalStatement, type CheckpointSeen, readApproval } from './predicates/approval.js';
export { carriedBundleShape, type CarriedBundlePredicate, carriedBundleStatement, readCarriedBundle } from './predicates/carried-bundle.js';
export {
  checkDeclaration,
  type Criticality,
  declarationShape,
  type DeclaredDependency,
  type DeclaredVariable,
  MAX_SECRETS,
  type ReleaseDeclaration,
  type VariableValue,
} from './predicates/declaration.js';
export {
  type DecisionFields,
  decisionInputs,
  decisionPolicy,
  type DecisionPredicate,
  decisionShape,
  decisionStatement,
  type Promotion,
  readDecision,
  stageUrn,
} from './predicates/decision.js';
export {
  EXCEPTION_KINDS,
  type GrantedRole,
  type ExceptionKind,
  type ExceptionPredicate,
  exceptionShape,
  exceptionStatement,
  exceptionTerms,
  isSiteKind,
  readException,
  SITE_EXCEPTION_KINDS,
  type SiteExceptionKind,
} from './predicates/exception.js';
export {
  type ExceptionRequestPredicate,
  exceptionRequestShape,
  exceptionRequestStatement,
  readExceptionRequest,
} from './predicates/exception-request.js';
export { LINK_KINDS, type LinkKind, type MeasuredLink, measuredLinkShape } from './predicates/measured-link.js';
export {
  isPointing,
  type OrderPredicate,
  orderShape,
  orderStatement,
  readOrder,
  type StageOrder,
  stageSubject,
} from './predicates/order.js';
export {
  MAX_SWITCH_SECONDS,
  readReceipt,
  type ReceiptEvent,
  type ReceiptPredicate,
  receiptShape,
  receiptStatement,
} from './predicates/receipt.js';
export {
  MAX_SUMMED_REFUSALS,
  MAX_SUMMED_RUNS,
  type ReceiptSummary,
  type SummedRefusal,
  type SummedRun,
} from './predicates/receipt-summary.js';
export { readSecret, type SecretPredicate, secretShape, secretStatement } from './predicates/secret.js';
export { type RecordedCheck } from './predicates/recorded-check.js';
export {
  type ComponentKind,
  readRelease,
  type ReleaseComponent,
  type ReleasePredicate,
  releaseShape,
  releaseStatement,
} from './predicates/release.js';
export {
  readRecall,
  type RecalledThing,
  type RecallPredicate,
  recallShape,
  recallStatement,
  subjectOfRecall,
} from './predicates/recall.js';
export { keySubject, readRig, type RigPredicate, rigShape, rigStatement } from './predicates/rig.js';
export { readRigRebuild, type RigRebuildPredicate, rigRebuildShape, rigRebuildStatement } from './predicates/rig-rebuild.js';
export {
  type DelegatedSite,
  type DelegationPredicate,
  delegationShape,
  delegationStatement,
  readDelegation,
} from './predicates/delegation.js';
export { readRetirement, type RetirementPredicate, retirementShape, retirementStatement } from './predicates/retirement.js';
export { readRootStatement, type RootPredicate, rootShape, rootStatement } from './predicates/root.js';
export { type ErasedStatementRef, type ErasurePredicate, erasureShape, erasureStatement, readErasure } from './predicates/erasure.js';
export { readReview, type ReviewPredicate, reviewShape, reviewStatement } from './predicates/review.js';
export { readRevocation, type RevocationPredicate, revocationShape, revocationStatement } from './predicates/revocation.js';
export {
  readSiteCertificate,
  type SiteCertificatePredicate,
  siteCertificateShape,
  siteCertificateStatement,
} from './predicates/site-certificate.js';
export { readSiteRecord, type SiteRecordPredicate, siteRecordShape, siteRecordStatement } from './predicates/site-record.js';
export { isAbout, subjectDigests } from './predicates/statement.js';
