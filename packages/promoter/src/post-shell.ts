/**
 * Small HTTP posts of text: to witnesses. Bounded in time by the caller's signal, in size here. Node's own client, loaded by the first post: most commands
 * make none, and loading a larger one costs more than the post.
 */
import { collectBounded } from '@sealane/core';
import type { Post } from '@sealane/ledger';

/** A cosignature is a few hundred bytes; more is not one. */
const MAX_ANSWER_BYTES = 64 * 1024;

const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/** Posts text; redirects are not followed: a witness is where policy's owner says it is. */
export const postText: Post = async (url, body, signal) => {
  const { protocol } = new URL(url);
  if (protocol === 'https:' && isProxied()) return await postThroughProxy(url, body, signal);
  const { request } = protocol === 'https:' ? await import('node:https') : await import('node:http');
  const headers = { ...PLAIN_TEXT, 'content-length': Buffer.byteLength(body) };
  return await new Promise((resolve, reject) => {
    // a connection of its own: a command posts once or twice and ends
    const sent = request(url, { method: 'POST', headers, signal, agent: false });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      textOf(url, answer).then((text) => resolve({ status: answer.statusCode ?? 0, body: text }), reject);
    });
    sent.end(body);
  });
};

const isProxied = (): boolean => ['https_proxy', 'HTTPS_PROXY'].some((name) => (process.env[name] ?? '') !== '');

/** With the client that knows proxies; whether this host goes through one is for it to say. */
async function postThroughProxy(url: string, body: string, signal: AbortSignal): Promise<{ status: number; body: string }> {
  const [{ request }, { outbound }] = await Promise.all([import('undici'), import('@sealane/oci/outbound')]);
  const answer = await request(url, { dispatcher: outbound(), method: 'POST', headers: PLAIN_TEXT, body, signal });
  return { status: answer.statusCode, body: await textOf(url, answer.body) };
}

async function textOf(url: string, body: AsyncIterable<Uint8Array>): Promise<string> {
  const tooMuch = (): Error => new Error(`read the answer of ${url}: expected at most ${MAX_ANSWER_BYTES} bytes`);
  return Buffer.from(await collectBounded(body, MAX_ANSWER_BYTES, tooMuch)).toString('utf8');
}
