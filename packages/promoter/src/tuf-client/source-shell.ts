/** Where a TUF repository is read from: a web address, or a folder (a lane on this host, a stick). Every answer has a bound, every wait an end. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectBounded, PromoterError, TrustError } from '@sealane/core';
import { outbound } from '@sealane/oci/outbound';
import { request } from 'undici';
import { isNotFound } from '../disk-shell.js';

/** Reads a file below a base; undefined = it is not there. Throws `TRUST_TOO_LARGE`, `FETCH_FAILED`. */
export type ReadFile = (name: string, maxBytes: number) => Promise<Uint8Array | undefined>;

/** Longest wait for one whole file: metadata is at most 1 MiB, and 64 MiB of target over 10 Mbit/s take a minute. */
const FILE_TIMEOUT_MS = 120_000;

/** What a person can do who runs a command of ours; a site has other ways. */
const HINT = 'check the address and the network, then run the command again';

/** What servers say of a file that is not there: object stores answer 403 where listing is not allowed. */
const ABSENT: readonly number[] = [403, 404, 410];

/** Opens a base: `http://…`, `https://…`, `file://…` or a folder. Names are percent-encoded already where they have to be. */
export function openSource(base: string, cwd: string, signal: AbortSignal): ReadFile {
  if (/^https?:\/\//.test(base)) return webSource(base.replace(/\/*$/, ''), signal);
  return folderSource(base.startsWith('file://') ? fileURLToPath(base) : path.resolve(cwd, base));
}

function webSource(base: string, signal: AbortSignal): ReadFile {
  return async (name, maxBytes) => {
    const url = `${base}/${name}`;
    try {
      const answer = await request(url, {
        dispatcher: outbound(),
        signal: AbortSignal.any([signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]),
      });
      if (answer.statusCode === 200) return await collectBounded(answer.body, maxBytes, () => tooLarge(url, maxBytes));
      await answer.body.dump();
      if (ABSENT.includes(answer.statusCode)) return undefined;
      throw new PromoterError('FETCH_FAILED', `fetch ${url}: expected 200, got ${answer.statusCode}`, { url }, { hint: HINT });
    } catch (cause) {
      if (cause instanceof TrustError || cause instanceof PromoterError) throw cause;
      const why = cause instanceof Error ? cause.message || cause.name : String(cause);
      throw new PromoterError('FETCH_FAILED', `fetch ${url}: ${why}`, { url }, { cause, hint: HINT });
    }
  };
}

function folderSource(folder: string): ReadFile {
  return async (name, maxBytes) => {
    const file = path.join(folder, decodeURIComponent(name));
    try {
      const handle = await open(file, 'r');
      try {
        const { bytesRead, buffer } = await handle.read({ buffer: new Uint8Array(maxBytes + 1), position: 0 });
        if (bytesRead > maxBytes) throw tooLarge(file, maxBytes);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch (cause) {
      if (isNotFound(cause)) return undefined;
      if (cause instanceof TrustError) throw cause;
      throw new PromoterError(
        'FETCH_FAILED',
        `read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { file },
        { cause, hint: HINT },
      );
    }
  };
}

function tooLarge(what: string, maxBytes: number): TrustError {
  return new TrustError('TRUST_TOO_LARGE', `fetch ${what}: expected at most ${maxBytes} bytes, got more`, { what, maxBytes });
}
