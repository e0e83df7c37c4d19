/** How much one caller may ask for and upload. Kept in memory: a restart forgives. */
import { PromoterError } from '@sealane/core';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { ServiceConfig } from './service-file.js';

/** Uploads are counted in these: a byte is too small to count. */
const UNIT_BYTES = 1024;

export interface CallerLimits {
  /** Counts a request. @throws PromoterError `CALLER_LIMITED`, with the seconds to wait in its data */
  request(caller: string): Promise<void>;
  /** Counts bytes that are about to come. @throws PromoterError `CALLER_LIMITED` */
  upload(caller: string, bytes: number): Promise<void>;
}

/** Limits as the service file says. */
export function callerLimits({ requestsPerMinute, uploadBytesPerHour }: ServiceConfig['limits']): CallerLimits {
  const requests = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });
  const uploads = new RateLimiterMemory({ points: Math.ceil(uploadBytesPerHour / UNIT_BYTES), duration: 3600 });
  return {
    request: (caller) => spend(requests, caller, 1, `at most ${requestsPerMinute} requests in a minute`),
    upload: (caller, bytes) => spend(uploads, caller, Math.ceil(bytes / UNIT_BYTES), `at most ${uploadBytesPerHour} bytes in an hour`),
  };
}

async function spend(limiter: RateLimiterMemory, caller: string, points: number, expected: string): Promise<void> {
  try {
    await limiter.consume(caller, points);
  } catch (error) {
    // the library rejects with what is left
    if (!(error instanceof RateLimiterRes)) throw error;
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    throw new PromoterError('CALLER_LIMITED', `answer caller ${caller}: expected ${expected}`, { retryAfterSeconds: seconds });
  }
}
