/** Where a lane is read from: a web server, a folder, a medium. Nothing an upstream says is believed; it is only kept within bounds. */

/** One source of lane files. Paths are those of the lane (`trust/metadata/timestamp.json`), always relative, with `/`. */
export interface Upstream {
  readonly name: string;
  /**
   * A whole file, or undefined when it is not there. Of a longer one the first `maxBytes` + 1 bytes: enough to see that it is too long.
   *
   * @throws SiteError `FETCH_FAILED` the source cannot be reached or breaks off; `FETCH_TOO_SLOW` it drips; `CONTENT_UNSAFE` no regular file
   */
  get(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * A file in pieces from `offset` up to and without `end`; `from` says where the pieces really begin (0 when the source cannot resume), `isRange`
   * whether it can go on from anywhere else. A source that knows no ranges gives the whole, up to `maxBytes`. Undefined when it is not there.
   *
   * @throws SiteError `FETCH_FAILED`, `CONTENT_UNSAFE`, also while it is read
   */
  open(path: string, offset: number, end: number, maxBytes: number): Promise<OpenedFile | undefined>;
  /** What it cost so far: requests, and bytes on the wire in both directions (of a folder: bytes read). */
  cost(): { readonly requests: number; readonly bytes: number };
  close(): Promise<void>;
}

/** A file that is being read. */
export interface OpenedFile {
  readonly from: number;
  readonly isRange: boolean;
  readonly pieces: AsyncIterable<Uint8Array>;
}
