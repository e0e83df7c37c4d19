// A real OIDC issuer (oidc-provider) that mints tokens of the shape that a CI service mints: `node issuer.mjs CLAIMS.json`, first line of stdout {url}.
// `/runner/token?audience=A` answers as GitHub's runner does ({value}), with the bearer `runner`. `&with=JSON` changes claims of one token.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { URLSearchParams } from 'node:url';
import Provider from 'oidc-provider';

const claims = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const secret = randomUUID();
const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** What the next token has beside the claims: requests come one at a time. */
let changes = {};

const provider = new Provider(issuer, {
  clients: [{ client_id: 'job', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'RS256', use: 'sig' }] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => ({
        scope: '',
        audience: resource,
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  formats: {
    customizers: {
      jwt: (_context, _token, parts) => {
        parts.header = { ...parts.header, typ: 'JWT' };
        parts.payload = { ...parts.payload, ...claims, ...changes };
      },
    },
  },
});

const callback = provider.callback();
server.on('request', async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname !== '/runner/token') return callback(request, response);
  if (request.headers.authorization !== 'Bearer runner') return response.writeHead(401).end();
  changes = JSON.parse(url.searchParams.get('with') ?? '{}');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`job:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: url.searchParams.get('audience') }),
  });
  const { access_token: value } = await answer.json();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ count: 1, value }));
});
process.once('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ url: issuer }));
