/** A certificate that somebody brings against what he may have made of it: taken or refused by name. */
import { beforeAll, test } from 'vitest';
import { certificateAuthority } from '../../../../test/support/certificates.js';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { factsOf, readChain } from './chain.js';

let chain: string;
beforeAll(async () => {
  ({ chain } = await certificateAuthority('Sites'));
});

test('chains', () => {
  tryParser({ parse: (bytes) => readChain(bytes).map(factsOf), samples: [chain], codes: /^CERTIFICATE_INVALID$/ });
});
