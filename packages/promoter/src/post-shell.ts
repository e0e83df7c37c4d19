/** Small HTTP posts of text: to witnesses. Bounded in time by the caller's signal, in size here. */
import type { Post } from '@sealane/ledger';
import { request } from 'undici';

/** A cosignature is a few hundred bytes; more is not one. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Posts text; redirects are not followed: a witness is where policy's owner says it is. */
export const postText: Post = async (url, body, signal) => {
  const answer = await request(url, { method: 'POST', body, signal, headers: { 'content-type': 'text/plain; charset=utf-8' } });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`read the answer of ${url}: expected at most ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { status: answer.statusCode, body: Buffer.concat(chunks).toString('utf8') };
};
