/**
 * Where provenance comes from: statements by keys of policy, or bundles that a keyless identity signed elsewhere and that travel as blobs.
 *
 * A carried bundle is worth what is in it: whoever logged that it is there vouches for nothing. It is verified here, offline, against the
 * trusted root in policy, and has to be about the release or, taken together, about every component of it.
 */
import {
  type Digest,
  fromBase64,
  type JsonValue,
  LIMITS,
  parseStrictJson,
  PREDICATE,
  SealaneError,
  type Statement,
  utf8,
} from '@sealane/core';
import { z } from 'zod';
import { readCarriedBundle } from '../evidence/predicates/carried-bundle.js';
import { digestShape, jsonObjectShape } from '../policy/shapes.js';
import { verifySigstoreBundle } from '../sigstore/verify-bundle.js';
import { EVIDENCE_CODES, type Selected, selectStatements, whyNone } from './evidence-selection.js';
import type { GateContext, Problem, Read } from './gate.js';
import { provenanceFacts, type ProvenanceFacts } from './provenance-facts.js';

/** Carried bundles that one evaluation looks at, newest first: each costs some signatures. */
const MAX_BUNDLES = 64;

/** Who signed: issuer and identity (the certificate's subject alternative name) letter for letter, under which Sigstore instance. */
export const keylessShape = z.strictObject({
  issuer: z.string().min(1).max(2048),
  identity: z.string().min(1).max(2048),
  /** The instance's `trusted_root.json`, whole. */
  trustedRoot: jsonObjectShape,
});
type Keyless = z.output<typeof keylessShape>;

/** What was built how: one entry for the release, or one for each component. */
export interface Built {
  readonly facts: readonly ProvenanceFacts[];
  readonly evidence: readonly Digest[];
}

/** The newest provenance that counts. Problems: the most telling refusal, else that there is none. */
export function builtBy(context: GateContext, keyless: Keyless | undefined): Read<Built> {
  return keyless === undefined ? builtByKeys(context) : builtByIdentity(context, keyless);
}

function builtByKeys(context: GateContext): Read<Built> {
  const selection = selectStatements(context, {
    predicateType: PREDICATE.provenance,
    signers: context.policy.signers.provenance,
    read: (statement: Statement) => provenanceFacts(statement.predicate),
    codes: EVIDENCE_CODES,
  });
  const newest = selection.accepted.at(-1);
  if (newest === undefined) return { ok: false, problem: whyNone(selection, 'provenance', 'EVIDENCE_RESULT') };
  return { ok: true, value: { facts: [newest.predicate], evidence: [newest.from.digest] } };
}

function builtByIdentity(context: GateContext, keyless: Keyless): Read<Built> {
  const selection = selectStatements(context, {
    predicateType: PREDICATE.carriedBundle,
    signers: Object.keys(context.policy.keys),
    read: readCarriedBundle,
    codes: EVIDENCE_CODES,
  });
  const carried = selection.accepted.slice(-MAX_BUNDLES).reverse();
  if (carried.length === 0) return { ok: false, problem: whyNone(selection, 'carried bundle', 'EVIDENCE_RESULT') };
  const whole = newestAbout(context, keyless, carried, [context.release]);
  if (whole.ok) return { ok: true, value: { facts: [whole.value.facts], evidence: [whole.value.digest] } };
  const parts = context.releaseDoc.components.map(({ digest }) => newestAbout(context, keyless, carried, namesOf(context, digest)));
  const missing = parts.find((part) => !part.ok);
  if (missing !== undefined) return missing;
  const found = parts.flatMap((part) => (part.ok ? [part.value] : []));
  if (found.length === 0) return whole;
  return { ok: true, value: { facts: found.map(({ facts }) => facts), evidence: found.map(({ digest }) => digest) } };
}

interface Found {
  readonly facts: ProvenanceFacts;
  readonly digest: Digest;
}

/** The newest bundle about one of these digests that verifies; the problem of the newest one, where none does. */
function newestAbout(
  context: GateContext,
  keyless: Keyless,
  carried: readonly Selected<{ readonly bundle: Digest }>[],
  artifacts: readonly Digest[],
): Read<Found> {
  const problems: Problem[] = [];
  for (const { from, predicate } of carried) {
    const bundle = context.bytes(predicate.bundle, 'bundle');
    if (!bundle.ok) {
      problems.push(bundle.problem);
      continue;
    }
    for (const artifact of artifacts) {
      const facts = verified(bundle.value, keyless, artifact);
      if (facts.ok) return { ok: true, value: { facts: facts.value, digest: from.digest } };
      problems.push(facts.problem);
    }
  }
  // about other bytes is what every bundle of another component is: any other reason tells more
  const [first] = [...problems.filter(({ code }) => code !== 'EVIDENCE_SUBJECT'), ...problems];
  return { ok: false, problem: first ?? { code: 'EVIDENCE_RESULT', why: 'no carried bundle' } };
}

/** A component's own digest and, where it wraps one file, that file's: builders know files, not the manifests around them. */
function namesOf(context: GateContext, component: Digest): readonly Digest[] {
  const manifest = context.bytes(component, 'manifest');
  if (!manifest.ok) return [component];
  const parsed = onlyLayer.safeParse(tryJson(manifest.value));
  return parsed.success ? [component, parsed.data.layers[0].digest] : [component];
}

const onlyLayer = z.looseObject({ layers: z.tuple([z.looseObject({ digest: digestShape })]) });

function verified(bundle: Uint8Array, { issuer, identity, trustedRoot }: Keyless, artifact: Digest): Read<ProvenanceFacts> {
  try {
    const { predicateType } = verifySigstoreBundle({
      bundle,
      trustedRoot: utf8(JSON.stringify(trustedRoot)),
      artifact: { digest: artifact },
      signer: { kind: 'certificate', identity, issuer },
    });
    if (predicateType !== PREDICATE.provenance)
      return {
        ok: false,
        problem: { code: 'EVIDENCE_RESULT', why: `the bundle says ${predicateType ?? 'nothing'}, not ${PREDICATE.provenance}` },
      };
    // the very bytes whose signature was verified
    const { dsseEnvelope } = envelopeShape.parse(parseStrictJson(bundle, JSON_LIMITS));
    const { predicate } = statementShape.parse(parseStrictJson(fromBase64(dsseEnvelope.payload), JSON_LIMITS));
    return { ok: true, value: provenanceFacts(predicate) };
  } catch (error) {
    if (!(error instanceof SealaneError) && !(error instanceof z.ZodError)) throw error;
    return { ok: false, problem: problemOf(error) };
  }
}

const JSON_LIMITS = { maxBytes: LIMITS.bundleBytes, maxDepth: LIMITS.jsonDepth };
const envelopeShape = z.looseObject({ dsseEnvelope: z.looseObject({ payload: z.string() }) });
const statementShape = z.looseObject({ predicate: jsonObjectShape });

function problemOf(error: SealaneError | z.ZodError): Problem {
  const code = error instanceof SealaneError ? error.code : undefined;
  if (code === 'BUNDLE_SUBJECT') return { code: 'EVIDENCE_SUBJECT', why: error.message };
  return { code: code === 'BUNDLE_SIGNER' ? 'EVIDENCE_SIGNER' : 'EVIDENCE_RESULT', why: error.message.slice(0, 500) };
}

function tryJson(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseStrictJson(bytes, JSON_LIMITS);
  } catch (error) {
    // what is no JSON is no manifest around a file
    if (error instanceof SealaneError) return undefined;
    throw error;
  }
}
