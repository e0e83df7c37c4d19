/**
 * Small HTTP posts of text: to witnesses. Bounded in time by the caller's signal, in size here. Node's own client, loaded by the first post: most commands
 * make none, and loading a larger one costs more than the post.
 */
import type { Post } from '@sealane/ledger';

/** A cosignature is a few hundred bytes; more is not one. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Posts text; redirects are not followed: a witness is where policy's owner says it is. */
export const postText: Post = async (url, body, signal) => {
  const { request } = new URL(url).protocol === 'https:' ? await import('node:https') : await import('node:http');
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) };
  return await new Promise((resolve, reject) => {
    // a connection of its own: a command posts once or twice and ends
    const sent = request(url, { method: 'POST', headers, signal, agent: false });
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
};
