/** How long certificates hold. */
import { PromoterError } from '@sealane/core';
import type { CommandCall } from '@sealane/core/command-line';
import { optionalText } from '../promoter.js';

/** How long a certificate of a site holds, in days, unless asked otherwise; and the longest, for a site that only a courier reaches. */
export const DEFAULT_DAYS = 7;
export const MAX_DAYS = 90;

/** The option `--days`: whole days from one to `most`. @throws PromoterError `USAGE` */
export function wholeDays(call: CommandCall, byDefault: number, most: number): number {
  const text = optionalText(call, 'days') ?? String(byDefault);
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= 1 && days <= most) return days;
  throw new PromoterError('USAGE', `read --days: expected a whole number from 1 to ${most}, got ${JSON.stringify(text)}`);
}
