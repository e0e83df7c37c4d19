/** The public surface of `core`, listed by hand. */
export type { Check, Verdict } from './check.js';
export { ERRORS, type ErrorCode, type ExitCode } from './error-table.js';
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
