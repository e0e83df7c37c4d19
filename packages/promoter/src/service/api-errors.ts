/** How a failure is told over HTTP: a known caller gets what the command line prints, a stranger one constant answer. Pure. */
import { type ErrorCode, ERRORS, SealaneError } from '@sealane/core';

/** An answer that is a failure. `exit` is the code that the command would end with. */
export interface FailureAnswer {
  readonly status: number;
  readonly exit: number;
  readonly body: { readonly error: { readonly code: string; readonly message: string; readonly hint: string } };
}

/** Codes with a status of their own; all others go by their exit code. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  CALLER_UNKNOWN: 401,
  CALLER_DENIED: 403,
  CALLER_LIMITED: 429,
  RELEASE_UNKNOWN: 404,
  STATEMENT_UNKNOWN: 404,
  STAGE_UNKNOWN: 404,
  RELEASE_EXISTS: 409,
  FILE_TOO_LARGE: 413,
};
/** By exit code: faults of ours, of the request, of what it names, not yet, and others' faults. */
const STATUS_BY_EXIT: readonly number[] = [200, 500, 400, 422, 422, 503, 502, 500, 500];

/** The answer for a failure of a known caller's request. A fault of ours says nothing of itself: the log does. */
export function failureAnswer(error: unknown): FailureAnswer {
  if (!(error instanceof SealaneError))
    return constantAnswer('INTERNAL', 'answer the request: expected it to work, got a fault that the log describes');
  const { exit, hint } = ERRORS[error.code];
  if (exit === 1) return constantAnswer(error.code, 'answer the request: expected it to work, got a fault that the log describes');
  return {
    status: STATUS[error.code] ?? STATUS_BY_EXIT[exit] ?? 500,
    exit,
    body: { error: { code: error.code, message: error.message, hint: error.hint ?? hint } },
  };
}

/** What every request of a stranger gets, whatever is wrong with it and whatever it asks for. */
export function strangerAnswer(): FailureAnswer {
  return constantAnswer('CALLER_UNKNOWN', 'call the service: expected a caller that it knows');
}

function constantAnswer(code: ErrorCode, message: string): FailureAnswer {
  const { exit, hint } = ERRORS[code];
  return { status: STATUS[code] ?? STATUS_BY_EXIT[exit] ?? 500, exit, body: { error: { code, message, hint } } };
}
