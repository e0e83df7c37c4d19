/** The formats of test reports, and the rule that tells which one a file has: by how it begins, never by which parser it gets through. */
import { LIMITS } from '@sealane/core';
import { parseCtrf } from './ctrf.js';
import { parseJUnit } from './junit.js';
import { parseLava } from './lava.js';
import { parseTap } from './tap.js';
import { type TestReport, unreadableReport } from './test-report.js';

/** A format that is read; a test result names it, and gates read the report as that and nothing else. */
export type ReportFormat = 'junit' | 'tap' | 'ctrf' | 'lava';

interface Format {
  readonly mediaType: string;
  /** How a report of this format begins, after blanks and a byte-order mark. No two begin alike. */
  readonly begins: RegExp;
  readonly parse: (bytes: Uint8Array) => TestReport;
}

/** Every format: TAP 13 and 14, CTRF, LAVA's result list, JUnit. */
const FORMATS: Readonly<Record<ReportFormat, Format>> = {
  junit: { mediaType: 'application/xml', begins: /^</, parse: parseJUnit },
  tap: { mediaType: 'text/x-tap', begins: /^(?:TAP version |1\.\.\d|(?:not )?ok\b|#|Bail out!)/, parse: parseTap },
  ctrf: { mediaType: 'application/json', begins: /^\{/, parse: parseCtrf },
  lava: { mediaType: 'application/yaml', begins: /^(?:---\s|- )/, parse: parseLava },
};

/** The media types under which reports lie in `content/`. */
export const REPORT_MEDIA_TYPES: Readonly<Record<ReportFormat, string>> = {
  junit: FORMATS.junit.mediaType,
  tap: FORMATS.tap.mediaType,
  ctrf: FORMATS.ctrf.mediaType,
  lava: FORMATS.lava.mediaType,
};

/** Where a report says what it is. */
const HEAD_BYTES = 256;

/** The format that a report begins as; undefined when it begins as none of them. */
export function reportFormatOf(bytes: Uint8Array): ReportFormat | undefined {
  // UTF-16 is taken of XML alone, which says so with its first bytes
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return 'junit';
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  return reportFormats().find((format) => FORMATS[format].begins.test(head));
}

/** Whether a test result names a format that is read. */
export function isReportFormat(name: string): name is ReportFormat {
  return Object.hasOwn(FORMATS, name);
}

/** Reads a report as the format that its signer named. Never throws: what is no such report is UNREADABLE. */
export function readReport(format: ReportFormat, bytes: Uint8Array): TestReport {
  if (bytes.length > LIMITS.evidenceBlobBytes)
    return unreadableReport(`expected at most ${LIMITS.evidenceBlobBytes} bytes, got ${bytes.length}`);
  return FORMATS[format].parse(bytes);
}

/** The formats by name. */
export function reportFormats(): readonly ReportFormat[] {
  return Object.keys(FORMATS).filter(isReportFormat);
}
