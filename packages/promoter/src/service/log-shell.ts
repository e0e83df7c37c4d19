/** The log of the service: one JSON object a line on stderr, for journald and its like. What could be a secret never gets in. */
import pino, { type Logger } from 'pino';

export type { Logger } from 'pino';

/** Logs lines to `talk`. */
export function serviceLog(talk: (text: string) => void): Logger {
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // nothing logs headers or tokens; should somebody begin to, these stay out
      redact: { paths: ['authorization', '*.authorization', 'token', '*.token', 'cookie', '*.cookie'], censor: '[redacted]' },
    },
    { write: talk },
  );
}
