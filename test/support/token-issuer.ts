/** A token server for a real Distribution registry (its token specification): basic login in, a signed token for the scopes asked for out. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { SignJWT } from 'jose';

/** A running token server; `config` is what a registry is told about it. */
export interface TokenIssuer {
  readonly config: string;
  /** Each scope that was asked for, in order. */
  readonly asked: string[];
  stop(): void;
}

/** Its identity token, which is taken in place of the login (the OAuth 2 way of the specification). */
export const IDENTITY_TOKEN = 'ey.identity.token';

/** Starts one whose only login is `user` (`NAME:PASSWORD`). Its tokens end after `seconds`. */
export async function startTokenIssuer(dir: string, user: string, seconds = 300): Promise<TokenIssuer> {
  const [keyFile, certFile] = [path.join(dir, 'issuer.key'), path.join(dir, 'issuer.crt')];
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=issuer -keyout'.split(' ');
  execFileSync('openssl', [...words, keyFile, '-out', certFile], { stdio: 'ignore' });
  const key = createPrivateKey(readFileSync(keyFile));
  const x5c = [new X509Certificate(readFileSync(certFile)).raw.toString('base64')];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { searchParams } = new URL(request.url ?? '', 'http://issuer');
      const form = new URLSearchParams(await text(request));
      const isOauth = request.method === 'POST';
      const scopes = isOauth ? (form.get('scope') ?? '').split(' ') : searchParams.getAll('scope');
      asked.push(...scopes);
      const isUser = isOauth
        ? form.get('grant_type') === 'refresh_token' && form.get('service') === 'registry' && form.get('refresh_token') === IDENTITY_TOKEN
        : request.headers.authorization === `Basic ${Buffer.from(user).toString('base64')}`;
      if (!isUser) return void response.writeHead(401).end();
      const access = scopes.map((scope) => {
        const [type = '', name = '', actions = ''] = scope.split(':');
        return { type, name, actions: actions.split(',') };
      });
      const token = await new SignJWT({ access, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c })
        .setIssuer('issuer')
        .setAudience('registry')
        .setSubject('ci')
        .setIssuedAt()
        .setNotBefore('-10s')
        .setExpirationTime(`${seconds}s`)
        .sign(key);
      response.end(JSON.stringify(isOauth ? { access_token: token } : { token }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has no other address
  return {
    config: `auth: {token: {realm: 'http://127.0.0.1:${port}/token', service: registry, issuer: issuer, rootcertbundle: ${certFile}}}\n`,
    asked,
    stop: () => void server.close(),
  };
}
