/** Requests for certificates and chains of them against what a stranger may have made: taken or refused by name. */
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { keyIdOf, makeCsr, type Signer } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { certificateAuthority } from '../../../../test/support/certificates.js';
import { tryParser, tryReader } from '../../../../test/support/hostile-input.js';
import { readAuthorityCsr, readCsr } from './csr.js';
import { readCertificates } from './x509.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
const signer: Signer = { keyId: keyIdOf(spki), spki, sign: (data) => Promise.resolve(new Uint8Array(sign('sha256', data, privateKey))) };

describe('what reaches the authority of site certificates', () => {
  test('requests of sites: a bent one asks for nothing else', async () => {
    const read = async (der: Uint8Array): Promise<void> => {
      expect(await readCsr(der, 'plant-7', 'plant-7.prod.sites.lane.example')).toEqual(spki);
    };
    await tryReader({ read, samples: [await makeCsr('plant-7', signer)], codes: /^CERTIFICATE_(?:REQUEST|DENIED)$/, runs: 60 });
  });

  test('requests of authorities', async () => {
    const der = Buffer.from(await makeCsr('sites.lane.example', signer)).toString('base64');
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der}\n-----END CERTIFICATE REQUEST-----\n`;
    await tryReader({ read: readAuthorityCsr, samples: [new Uint8Array(Buffer.from(pem))], codes: /^CERTIFICATE_REQUEST$/, runs: 60 });
  });

  test('chains', async () => {
    const { chain } = await certificateAuthority('Sites');
    tryParser({ parse: (bytes) => readCertificates(bytes, 'chain.pem'), samples: [chain], codes: /^AUTHORITY_INVALID$/ });
  });
});
