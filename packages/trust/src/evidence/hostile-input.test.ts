/** Statements of people, registrars and stages against what a stranger may have made of them: taken or refused by name, and written as they were signed. */
import { parseStatement, type Statement } from '@sealane/core';
import { test } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { shownIn } from '../../../../test/support/shown-in.js';
import { encodeSealedSecret, parseSealedSecret } from '../policy/sealed-secret.js';
import { exceptionStatement, readException } from './predicates/exception.js';
import { exceptionRequestStatement, readExceptionRequest } from './predicates/exception-request.js';
import { readOrder } from './predicates/order.js';
import { readRecall } from './predicates/recall.js';
import { delegationStatement, readDelegation } from './predicates/delegation.js';
import { readRetirement, retirementStatement } from './predicates/retirement.js';
import { readReview } from './predicates/review.js';
import { readRig } from './predicates/rig.js';
import { readRigRebuild } from './predicates/rig-rebuild.js';
import { readRootStatement } from './predicates/root.js';
import { readSecret, secretStatement } from './predicates/secret.js';
import { readSiteCertificate } from './predicates/site-certificate.js';

const CODES = /^(?:TRUST_MALFORMED|STATEMENT_MALFORMED|BYTES_MALFORMED|JSON_\w+)$/;

/** A page of docs/formats, and what reads its statement, and writes it again where there is a writer: what was taken can be written. */
const READERS: readonly (readonly [page: string, read: (statement: Statement) => unknown])[] = [
  ['exception', (statement) => exceptionStatement(readException(statement))],
  ['exception-request', (statement) => exceptionRequestStatement(readExceptionRequest(statement))],
  ['order', readOrder],
  ['recall', readRecall],
  ['delegation', (statement) => delegationStatement(readDelegation(statement))],
  ['retirement', (statement) => retirementStatement(readRetirement(statement))],
  ['review', readReview],
  ['rig', readRig],
  ['rig-rebuild', readRigRebuild],
  ['root', readRootStatement],
  ['secret', (statement) => secretStatement(readSecret(statement))],
  ['site-certificate', readSiteCertificate],
];

test.each(READERS)('%s', (page, read) => {
  tryParser({ parse: (bytes) => read(parseStatement(bytes)) ?? true, samples: [shownIn(page)], codes: CODES });
});

test('sealed secrets', () => {
  const codes = /^TRUST_(?:MALFORMED|TOO_LARGE)$/;
  tryParser({ parse: parseSealedSecret, write: encodeSealedSecret, samples: [shownIn('sealed-secret')], codes, runs: 40 });
});
