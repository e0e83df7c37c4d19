/**
 * `urn:sealane:recall:v1`: what was tested on a rig, on a class of device or on one unit counts no more from a log index on.
 *
 * One statement for all three, signed by the registrar, who says which things are what they claim to be. Its subject says what is recalled:
 * the rig's key, the class, or the serial number as a digest, so that whoever reads a test result can ask the log for it.
 */
import { canonicalJson, type Digest, PREDICATE, sha256, type Statement } from '@sealane/core';
import { z } from 'zod';
import { countShape, digestShape, keyIdShape, nameShape, saltShape, textShape } from '../../policy/shapes.js';
import { keySubject } from './rig.js';
import { type PredicateFormat, readPredicate, writePredicate } from './statement.js';

/** What is recalled: one of these. */
export type RecalledThing = { readonly rig: string; readonly keyId: string } | { readonly class: Digest } | { readonly serial: string };

/** The predicate: test results logged at or after `untilIndex` that rest on the thing are void. */
export type RecallPredicate = {
  readonly recalled: RecalledThing;
  readonly untilIndex: number;
  readonly reason: string;
  readonly salt: string;
};

/** Zod's shape of the predicate. */
export const recallShape = z.strictObject({
  recalled: z.union([
    z.strictObject({ rig: nameShape, keyId: keyIdShape }),
    z.strictObject({ class: digestShape }),
    z.strictObject({ serial: textShape.min(1) }),
  ]),
  untilIndex: countShape,
  reason: textShape.min(1),
  salt: saltShape,
});

const format: PredicateFormat<RecallPredicate> = { what: 'recall', predicateType: PREDICATE.recall, shape: recallShape };

/** Reads a recall. @throws TrustError `TRUST_MALFORMED` */
export function readRecall(statement: Statement): RecallPredicate {
  return readPredicate(format, statement);
}

/** The payload of a recall. @throws TrustError `TRUST_MALFORMED` */
export function recallStatement(predicate: RecallPredicate): Uint8Array {
  return writePredicate(format, [{ digest: subjectOfRecall(predicate.recalled) }], predicate);
}

/** What a recall of this thing is about: how it is found in a log, and matched by gates. */
export function subjectOfRecall(thing: RecalledThing): Digest {
  if ('keyId' in thing) return keySubject(thing.keyId);
  return 'class' in thing ? thing.class : sha256(canonicalJson({ serial: thing.serial }));
}
