// Many texts of bytes as one, which goes from thread to thread without being copied.

export function pack(all) {
  const ends = new Uint32Array(all.length);
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const [at, one] of all.entries()) {
    bytes.set(one, end);
    end += one.length;
    ends[at] = end;
  }
  return { bytes, ends };
}

export function unpack({ bytes, ends }) {
  return Array.from(ends, (end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}
