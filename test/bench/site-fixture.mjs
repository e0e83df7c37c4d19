// The update pair of the site benchmarks: an image as large and as mixed as a Debian of 154 packages before and after a month of security updates
// (measured: 5,587 files, 624 of them changed, 174 MB, 63 MB packed, three layers). Made of numbers alone, so it is the same everywhere and for ever.
import { packedFile } from '../../dist/oci.mjs';

/** Files and bytes of each layer; the last is the application itself. */
const LAYERS = [
  { name: 'base', files: 3700, bytes: 96_000_000 },
  { name: 'run', files: 1827, bytes: 72_600_000 },
  { name: 'app', files: 60, bytes: 5_100_000 },
];

/** Programs and libraries: few, and most of the bytes. */
const LARGEST_BYTES = 6_000_000;

/** Share of files that a version changes; updates hit large ones more often. */
const [CHANGED, CHANGED_LARGE, LARGE_BYTES] = [0.105, 0.25, 200_000];

/** Bytes in a hundred that do not pack, in runs: it packs to 36 %, as that Debian does. */
const [RANDOM_SHARE, RUN_BYTES] = [0.19, 512];

/** The layers of `old`, `new` or `patch` (`new` with other files of the application: the layers below are the same), lowest first, as entries to pack. */
export function fixtureLayers(wanted) {
  return LAYERS.map(({ name, files, bytes }) => {
    const version = wanted === 'patch' && name !== 'app' ? 'new' : wanted;
    const random = seeded(name);
    const weights = Array.from({ length: files }, () => Math.exp(1.9 * normal(random)));
    const unit = bytes / weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, at) => {
      const sizeBytes = Math.min(LARGEST_BYTES, Math.ceil(weight * unit));
      const isChanged = random() < (sizeBytes > LARGE_BYTES ? CHANGED_LARGE : CHANGED);
      const seed = `${name} ${at} ${isChanged ? version : 'both'}`;
      const path = `${name}/${String(at % 97).padStart(2, '0')}/part-${at}`;
      return { ...packedFile(path, new Uint8Array()), sizeBytes, open: () => [content(seed, sizeBytes)] };
    });
  });
}

const WORDS = 'site edge valve pump sensor alarm level flow state event queue retry apply check report north south'
  .split(' ')
  .map(Buffer.from);

/** Words and noise, in turn. */
function content(seed, sizeBytes) {
  const random = seeded(seed);
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes;) {
    const end = Math.min(sizeBytes, at + RUN_BYTES);
    if (random() < RANDOM_SHARE) for (; at < end; at += 1) bytes[at] = random() * 256;
    else while (at < end) at += WORDS[Math.floor(random() * WORDS.length)].copy(bytes, at) + 1;
  }
  return bytes;
}

/** Numbers in [0, 1) that follow from a text (FNV-1a, then mulberry32). */
function seeded(text) {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
