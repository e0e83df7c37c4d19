/** Takes exact numbers of bytes from a stream of chunks, holding no more than one chunk and what was asked for. */

/** A pull reader over chunks; not for two users at once. */
export interface ByteReader {
  /** The next `count` bytes; fewer only at the end of the stream. `count` is what the caller can bear in memory. */
  take(count: number): Promise<Uint8Array>;
  /** As `take`, at once; undefined, and nothing is taken, where they are not all in the chunk at hand. Valid until the next step. */
  takeNow(count: number): Uint8Array | undefined;
  /** The next `count` bytes as they come; ends early only at the end of the stream. Chunks are valid until the next step. */
  stream(count: number): AsyncGenerator<Uint8Array>;
  /** Lets go of the source; nothing can be read afterwards. */
  close(): Promise<void>;
}

/** Reads `source`, whose chunks need be valid only until the next is asked for; its errors come out of `take` and `stream` unchanged. */
export function byteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array(0);

  function takeNow(count: number): Uint8Array | undefined {
    if (held.length < count) return undefined;
    const part = held.subarray(0, count);
    held = held.subarray(count);
    return part;
  }

  /** Up to `most` bytes of the chunk at hand; empty at the end of the stream. */
  async function next(most: number): Promise<Uint8Array> {
    while (held.length === 0) {
      const step = await chunks.next();
      if (step.done === true) return held;
      held = step.value;
    }
    const part = held.subarray(0, most);
    held = held.subarray(part.length);
    return part;
  }

  async function* stream(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      const part = await next(left);
      if (part.length === 0) return;
      left -= part.length;
      yield part;
    }
  }

  async function take(count: number): Promise<Uint8Array> {
    const first = await next(count);
    if (first.length === count || first.length === 0) return first;
    // the next chunk may lie where this one did
    const parts = [Uint8Array.from(first)];
    for await (const part of stream(count - first.length)) parts.push(Uint8Array.from(part));
    return Buffer.concat(parts);
  }

  async function close(): Promise<void> {
    await chunks.return?.();
  }

  return { take, takeNow, stream, close };
}
