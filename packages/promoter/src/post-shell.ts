/** Small HTTP posts of text: to witnesses. Bounded in time by the caller's signal, in size here. Node's own client: loading a larger one costs more than the post. */
import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Post } from '@sealane/ledger';

/** A cosignature is a few hundred bytes; more is not one. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Posts text; redirects are not followed: a witness is where policy's owner says it is. */
export const postText: Post = (url, body, signal) =>
  new Promise((resolve, reject) => {
    const sent = open(url, body, signal);
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) sent.destroy(new Error(`read the answer of ${url}: expected at most ${MAX_ANSWER_BYTES} bytes`));
        else chunks.push(chunk);
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
    });
    sent.end(body);
  });

function open(url: string, body: string, signal: AbortSignal): ClientRequest {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) };
  // a connection of its own: a command posts once or twice and ends
  const options = { method: 'POST', headers, signal, agent: false };
  return new URL(url).protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
}
