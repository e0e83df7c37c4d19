/** The refusals that attackers must meet, as the threat model names them; each has its line in `docs/threats.md` and `docs/errors.md`. */

/** Those that the programs say. */
export const NAMED_REFUSALS: readonly string[] = [
  ...[
    'TRUST_THRESHOLD',
    'TRUST_ROLLBACK',
    'TRUST_EXPIRED',
    'TRUST_MISMATCH',
    'TRUST_TOO_LARGE',
    'FETCH_TOO_SLOW',
    'TRUST_WRONG_ROLE',
    'TRUST_MALFORMED',
  ],
  ...['WAYBILL_STAGE_ORDER', 'WAYBILL_SUBJECT', 'WAYBILL_SIGNATURE', 'WAYBILL_APPROVALS'],
  ...['EVIDENCE_SUBJECT', 'EVIDENCE_SIGNER', 'EVIDENCE_RESULT', 'KEY_REVOKED'],
  ...['LOG_NOT_INCLUDED', 'LOG_KEY_REPLACED', 'LOG_WITNESS', 'LOG_FORK'],
  ...['RELEASE_REVOKED', 'CHANNEL_HELD', 'SITE_FENCED', 'RELEASE_BELOW_FLOOR', 'HARDWARE_UNCOVERED', 'SITE_MISMATCH'],
  ...[
    'CONTENT_DIGEST',
    'CONTENT_LENGTH',
    'CONTENT_MISSING',
    'CONTENT_UNSAFE',
    'LOCAL_HOLD',
    'WINDOW_CLOSED',
    'DISK_SHORT',
    'BUDGET_SPENT',
    'EXCEPTION_INVALID',
  ],
];
