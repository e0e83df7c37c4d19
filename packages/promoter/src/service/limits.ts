/** How much one caller may ask for and upload, and how much one site may have logged. Kept in memory: a restart forgives. */
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

/** What receipts of one site may add to the log. */
export interface SiteLimits {
  /** @throws PromoterError `CALLER_LIMITED` the site has had its bytes, with the seconds to wait in its data */
  expectRoom(site: string): Promise<void>;
  /** Counts what was verified and logged: what others say in the name of a site costs it nothing. */
  logged(site: string, bytes: number): Promise<void>;
}

/**
 * Limits as the service file says. The batch that goes over the limit is the last one that is taken: a small limit would else keep a large receipt out for
 * good.
 */
export function siteLimits({ receiptBytesPerHour }: ServiceConfig['limits']): SiteLimits {
  const points = Math.ceil(receiptBytesPerHour / UNIT_BYTES);
  const taken = new RateLimiterMemory({ points, duration: 3600 });
  return {
    expectRoom: async (site) => {
      const known = await taken.get(site);
      if (known === null || known.consumedPoints < points) return;
      throw limited(`log receipts of ${site}: expected at most ${receiptBytesPerHour} bytes in an hour`, known);
    },
    logged: async (site, bytes) => void (await taken.penalty(site, Math.ceil(bytes / UNIT_BYTES))),
  };
}

async function spend(limiter: RateLimiterMemory, caller: string, points: number, expected: string): Promise<void> {
  try {
    await limiter.consume(caller, points);
  } catch (error) {
    // the library rejects with what is left
    if (!(error instanceof RateLimiterRes)) throw error;
    throw limited(`answer caller ${caller}: expected ${expected}`, error);
  }
}

function limited(message: string, { msBeforeNext }: RateLimiterRes): PromoterError {
  return new PromoterError('CALLER_LIMITED', message, { retryAfterSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) });
}
