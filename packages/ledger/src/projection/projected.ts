/** What the ledger knows a statement by, beside its subjects: one shape for each kind of statement that it answers questions about. Pure. */
import {
  canonicalJson,
  type Digest,
  digestFromHex,
  foundHardware,
  fromUtf8,
  isDigest,
  type JsonObject,
  type JsonValue,
  LedgerError,
  PREDICATE,
  type Statement,
} from '@sealane/core';
import {
  asObject,
  countField,
  countOrNullField,
  describedDigest,
  digestField,
  digestOrNullField,
  keyIdField,
  objectField,
  textField,
  textOrNullField,
} from './predicate-fields.js';

/** JSON text of an object, one for equal objects. */
export type Document = string;

/** The looked-up parts of a statement. `release` is a release's digest; key ids are given as digests of the key's DER. */
export type Projected =
  | {
      readonly kind: 'release';
      readonly release: Digest;
      readonly name: string;
      readonly version: string;
      readonly components: readonly Digest[];
    }
  | {
      readonly kind: 'decision';
      readonly release: Digest;
      readonly stage: string;
      readonly fromStage: string | null;
      readonly counter: number | null;
      readonly result: string;
      readonly policy: Digest;
    }
  | {
      readonly kind: 'approval';
      readonly release: Digest;
      readonly stage: string;
      readonly verdict: string;
      readonly policy: Digest;
      readonly expiresAt: string;
    }
  | {
      readonly kind: 'test_result';
      readonly release: Digest;
      readonly result: string;
      readonly suite: string | null;
      readonly report: Digest | null;
      readonly hardware: Digest | null;
    }
  | { readonly kind: 'revocation'; readonly release: Digest; readonly reason: string; readonly floor: number | null }
  | {
      readonly kind: 'site_record';
      readonly site: string;
      readonly keyId: Digest;
      readonly stage: string;
      readonly labels: Document;
      readonly topology: Document | null;
    }
  | {
      readonly kind: 'receipt';
      readonly site: string;
      readonly keyId: Digest;
      readonly seq: number;
      readonly prev: Digest | null;
      readonly event: string;
      readonly release: Digest | null;
      readonly previous: Digest | null;
      readonly waybill: Digest | null;
      readonly reason: string | null;
      readonly at: string;
      /** `FoundHardware`: without serials, so that equal machines have one document. */
      readonly hardware: Document;
      readonly variables: Document | null;
    };

/**
 * The looked-up parts, or null for statements that are found by subject only: provenance, foreign summaries, kinds of later versions.
 *
 * @throws LedgerError `STATEMENT_MALFORMED` the predicate is not of the format that its type names
 */
export function projectionOf(statement: Statement): Projected | null {
  const { predicate } = statement;
  switch (statement.predicateType) {
    case PREDICATE.release:
      return {
        kind: 'release',
        release: firstSubject(statement),
        name: textField(predicate, 'name'),
        version: textField(predicate, 'version'),
        components: componentsOf(predicate),
      };
    case PREDICATE.decision:
      return decision(statement);
    case PREDICATE.approval:
      return approval(predicate);
    case PREDICATE.testResult:
      return testResult(statement);
    case PREDICATE.revocation:
      return {
        kind: 'revocation',
        release: digestField(predicate, 'release'),
        reason: textField(predicate, 'reason'),
        floor: countOrNullField(predicate, 'floor'),
      };
    case PREDICATE.siteRecord:
      return {
        kind: 'site_record',
        site: textField(predicate, 'site'),
        keyId: keyIdField(objectField(predicate, 'key'), 'id'),
        stage: textField(predicate, 'stage'),
        labels: documentOf(objectField(predicate, 'labels')),
        topology: documentOrNull(predicate, 'topology'),
      };
    case PREDICATE.receipt:
      return receipt(predicate);
    default:
      return null;
  }
}

/** The parts by digest, each once. Whether the list is well-formed is for others to say. */
function componentsOf({ components }: JsonObject): readonly Digest[] {
  const list: readonly JsonValue[] = Array.isArray(components) ? components : [];
  return [...new Set(list.map((component) => asObject(component)?.digest).filter(isDigest))];
}

/** A SLSA summary of somebody else has no `sealane_promotion`: it is evidence like any other. */
function decision({ predicate }: Statement): Projected | null {
  if (asObject(predicate.sealane_promotion) === undefined) return null;
  const promotion = objectField(predicate, 'sealane_promotion');
  const policy = describedDigest(asObject(predicate.policy));
  if (policy === undefined) throw new LedgerError('STATEMENT_MALFORMED', 'read a decision: expected the digest of a policy');
  return {
    kind: 'decision',
    release: digestField(promotion, 'release'),
    stage: textField(promotion, 'to'),
    fromStage: textOrNullField(promotion, 'from'),
    counter: countOrNullField(promotion, 'counter'),
    result: textField(predicate, 'verificationResult'),
    policy,
  };
}

function approval(predicate: JsonObject): Projected {
  return {
    kind: 'approval',
    release: digestField(predicate, 'release'),
    stage: textField(predicate, 'stage'),
    verdict: textField(predicate, 'verdict'),
    policy: digestField(predicate, 'policy'),
    expiresAt: textField(predicate, 'expiresAt'),
  };
}

/** By our convention the suite comes first in `configuration` and the hardware under its name; other writers may leave both out. */
function testResult(statement: Statement): Projected {
  const { configuration } = statement.predicate;
  const entries = (Array.isArray(configuration) ? configuration : []).map(asObject);
  const [suite] = entries;
  return {
    kind: 'test_result',
    release: firstSubject(statement),
    result: textField(statement.predicate, 'result'),
    suite: typeof suite?.name === 'string' ? suite.name : null,
    report: describedDigest(suite) ?? null,
    hardware: describedDigest(entries.find((entry) => entry?.name === 'hardware')) ?? null,
  };
}

function receipt(predicate: JsonObject): Projected {
  return {
    kind: 'receipt',
    site: textField(predicate, 'site'),
    keyId: keyIdField(predicate, 'keyId'),
    seq: countField(predicate, 'seq'),
    prev: digestOrNullField(predicate, 'prev'),
    event: textField(predicate, 'event'),
    release: digestOrNullField(predicate, 'release'),
    previous: digestOrNullField(predicate, 'previous'),
    waybill: digestOrNullField(predicate, 'waybill'),
    reason: textOrNullField(predicate, 'reason'),
    at: textField(predicate, 'at'),
    // facts keep the order in which they were read: it is what they are compared by
    hardware: JSON.stringify(foundHardware(objectField(predicate, 'hardware'))),
    variables: documentOrNull(predicate, 'variables'),
  };
}

function documentOf(object: JsonObject): Document {
  return fromUtf8(canonicalJson(object));
}

function documentOrNull(predicate: JsonObject, name: string): Document | null {
  return predicate[name] === undefined ? null : documentOf(objectField(predicate, name));
}

function firstSubject({ subject }: Statement): Digest {
  const [first] = subject;
  if (first === undefined) throw new LedgerError('STATEMENT_MALFORMED', 'read a statement: expected a subject, got none');
  return digestFromHex(first.digest.sha256);
}
