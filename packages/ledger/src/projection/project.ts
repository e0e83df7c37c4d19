/** What a statement adds to the tables that questions are asked of. All of it can be rebuilt from the entries. */
import { type Digest, digestHex, type JsonObject, type JsonValue, PREDICATE, type Statement } from '@sealane/core';
import type { Store } from '../store/sqlite.js';

/** A statement at its place in the log. */
export interface LoggedStatement {
  readonly index: number;
  readonly keyId: Uint8Array;
  readonly statement: Statement;
}

/** Adds one statement to the projection, inside the caller's transaction. Predicates of other tools add their subjects only. */
export function project(store: Store, logged: LoggedStatement): void {
  const { index, statement } = logged;
  const addSubject = store.prepare('INSERT OR IGNORE INTO subject (digest, predicate_type, idx) VALUES (?, ?, ?)');
  for (const { digest } of statement.subject) addSubject.run(Buffer.from(digest.sha256, 'hex'), statement.predicateType, index);
  const release = `sha256:${statement.subject[0]?.digest.sha256 ?? ''}`;
  projectors[statement.predicateType]?.(store, { ...logged, release, predicate: statement.predicate });
}

interface Projected extends LoggedStatement {
  readonly release: string;
  readonly predicate: JsonObject;
}

const projectors: Readonly<Record<string, (store: Store, item: Projected) => void>> = {
  [PREDICATE.release]: (store, { index, release, predicate }) => {
    store.prepare('INSERT INTO release (idx, digest, name, version) VALUES (?, ?, ?, ?)').run(index, release, text(predicate['name']), text(predicate['version']));
  },
  [PREDICATE.decision]: (store, { index, release, predicate, keyId }) => {
    const promotion = object(predicate['sealane_promotion']);
    const counter = typeof promotion['counter'] === 'number' ? promotion['counter'] : null;
    store
      .prepare('INSERT INTO decision (idx, release, stage, result, counter, key_id) VALUES (?, ?, ?, ?, ?, ?)')
      .run(index, release, text(promotion['to']), text(predicate['verificationResult']), counter, keyId);
  },
  [PREDICATE.siteRecord]: (store, { index, predicate }) => {
    store
      .prepare('INSERT INTO site (idx, name, stage, site_key) VALUES (?, ?, ?, ?)')
      .run(index, text(predicate['site']), text(predicate['stage']), text(object(predicate['key'])['id']));
  },
  [PREDICATE.receipt]: (store, { index, predicate, keyId }) => {
    const seq = typeof predicate['seq'] === 'number' ? predicate['seq'] : -1;
    store
      .prepare('INSERT INTO receipt (idx, site, key_id, seq, event, release, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(index, text(predicate['site']), keyId, seq, text(predicate['event']), textOrNull(predicate['release']), textOrNull(predicate['reason']), text(predicate['at']));
  },
};

/** The bytes under which a digest is kept. */
export function digestBytes(digest: Digest): Buffer {
  return Buffer.from(digestHex(digest), 'hex');
}

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
