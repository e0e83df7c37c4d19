/** What a keyless signer hands out, and what it takes for an answer: authorities that are small servers on this machine. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { KeyPlace } from '../key-place.js';
import { keylessSigner } from './keyless-signer-shell.js';

/** Who would sign with a token, by an authority at this address. */
function placeOf(url: string): KeyPlace {
  const authority = { url, chain: [] };
  return {
    home: { keys: '/nowhere', owners: '/nowhere' },
    env: { SEALANE_ID_TOKEN: 'a.b.c' },
    cwd: '/',
    isExampleLane: false,
    authorities: { certificates: [authority], timestamps: [authority], ctLogs: [] },
  };
}

/** An authority whose chain of certificates is this text, and whether it was asked. */
async function authority(text: string): Promise<{ readonly port: number; readonly asked: () => number }> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.writeHead(200).end(JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates: [text] } } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked: () => asked }; // a TCP server has no other address
}

it.each(['http://ca.example', 'http://10.1.2.3:5555/', 'http://127.0.0.1.ca.example'])(
  'hands its token to no authority that is asked in plain text over a network: %s',
  async (url) => {
    await expect(keylessSigner(placeOf(url))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`expected an authority of certificates at https, or on this host, got ${url}`) as string,
    });
  },
);

it('says of an authority that answers with no certificate that it is not to be had, and what it answered with', async () => {
  const { port, asked } = await authority('-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
  await expect(keylessSigner(placeOf(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: 'KEY_UNAVAILABLE',
    message: `sign with oidc: expected a certificate in PEM from http://127.0.0.1:${port}, got something else`,
  });
  expect(asked()).toBe(1);
});
