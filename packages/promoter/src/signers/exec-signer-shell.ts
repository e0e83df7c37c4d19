/**
 * Signs through a helper program, for a KMS or any other keeper of keys: this process never sees the key.
 *
 * One run a request: one JSON object on stdin, one on stdout, and exit 0. What it says on stderr is talk. See docs/keys.md.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { base64, fromBase64, type JsonObject, type JsonValue, parseStrictJson, PromoterError, type Signer } from '@sealane/core';
import { type KeyPlace, remoteSigner } from './key-place.js';
import { publicKeyOf } from './public-key.js';

/** Bounds of one request: a person may have to touch a token, a key service may be far away; answers are a key or a signature. */
const HELPER_LIMITS = { timeoutMs: 60_000, answerBytes: 16_384, talkBytes: 16_384 };

type HelperLimits = typeof HELPER_LIMITS;

/** Where helpers run, and who hears what they say to people. */
export type HelperPlace = Pick<KeyPlace, 'cwd' | 'env'> & { readonly limits?: HelperLimits };

/**
 * The signer behind `exec:CMD`. The command is split at spaces and run without a shell; its public key is asked for at once.
 *
 * @throws PromoterError `USAGE` no command; `KEY_UNAVAILABLE` it could not be run, failed, was too slow or too long, or answered something else
 */
export async function execSigner(command: string, place: HelperPlace): Promise<Signer> {
  const [file, ...words] = command.split(' ').filter((word) => word !== '');
  if (file === undefined) throw new PromoterError('USAGE', 'read key reference exec:CMD: expected a command, got none');
  const ask = async (request: JsonObject, answer: string): Promise<string> =>
    answerIn(await runHelper({ file, words }, { apiVersion: 'sealane/v1', kind: 'KeyRequest', ...request }, place), answer);
  const spki = publicKeyOf(await ask({ request: 'public-key' }, 'publicKey'), 'the key helper');
  return remoteSigner(spki, 'the key helper', async (data) => {
    const digest = createHash('sha256').update(data).digest();
    const request = { request: 'sign', algorithm: 'ecdsa-p256-sha256', digest: base64(digest), message: base64(data) };
    return decoded(await ask(request, 'signature'));
  });
}

interface HelperCommand {
  readonly file: string;
  readonly words: readonly string[];
}

function runHelper(
  { file, words }: HelperCommand,
  request: JsonObject,
  { cwd, env, limits = HELPER_LIMITS }: HelperPlace,
): Promise<Buffer> {
  const name = `run key helper ${file}`;
  return new Promise((resolve, reject) => {
    const child = spawn(file, words, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const answer: Buffer[] = [];
    const talk: Buffer[] = [];
    const end = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      // a child of the helper may hold on to them
      for (const stream of [child.stdout, child.stderr, child.stdin]) stream.destroy();
      const said = Buffer.concat(talk).toString('utf8').trim();
      reject(new PromoterError('KEY_UNAVAILABLE', `${name}: ${why}${said === '' ? '' : ` (it says: ${said})`}`, { file }, { cause }));
    };
    const timer = setTimeout(() => end(`expected an answer within ${limits.timeoutMs} ms, got none`), limits.timeoutMs);
    const collect = (pieces: Buffer[], maxBytes: number, what: string) => (piece: Buffer) => {
      pieces.push(piece);
      if (pieces.reduce((sum, { length }) => sum + length, 0) > maxBytes) end(`expected at most ${maxBytes} bytes of ${what}, got more`);
    };
    child.stdout.on('data', collect(answer, limits.answerBytes, 'answer'));
    child.stderr.on('data', collect(talk, limits.talkBytes, 'talk'));
    child.on('error', (cause) => end(`expected it to start, got ${cause.message}`, cause));
    // one that exits without reading its request is judged by its exit and answer
    child.stdin.on('error', () => undefined);
    child.on('close', (exit, signal) => {
      if (exit !== 0) return void end(`expected exit 0, got ${exit ?? signal ?? 'none'}`);
      clearTimeout(timer);
      resolve(Buffer.concat(answer));
    });
    child.stdin.end(`${JSON.stringify(request)}\n`);
  });
}

/** The one text of an answer that has no other field. */
function answerIn(bytes: Uint8Array, name: string): string {
  const value = answerJson(bytes);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const text = isObject && Object.keys(value).length === 1 ? (value as JsonObject)[name] : undefined;
  if (typeof text === 'string') return text;
  throw new PromoterError('KEY_UNAVAILABLE', `read the key helper's answer: expected {"${name}": "…"}, got something else`);
}

function answerJson(bytes: Uint8Array): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes: HELPER_LIMITS.answerBytes, maxDepth: 4 });
  } catch (cause) {
    throw new PromoterError('KEY_UNAVAILABLE', 'read the key helper’s answer: expected one JSON object, got something else', {}, { cause });
  }
}

function decoded(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new PromoterError(
      'KEY_UNAVAILABLE',
      'read the key helper’s answer: expected a signature in base64, got something else',
      {},
      { cause },
    );
  }
}
