/** Files of logins as docker, podman and oras write them. */
import { base64, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { keptLogin, loginFor } from './auth-file.js';

const auth = (name: string, password: string): { auth: string } => ({ auth: base64(utf8(`${name}:${password}`)) });
const file = (auths: unknown): Uint8Array => utf8(JSON.stringify({ auths }));

describe('a login', () => {
  const auths = {
    'r.example': auth('all', 'pä:ss'),
    'r.example/team': auth('team', 'x'),
    'r.example/team/app': {},
    'https://index.docker.io/v1/': auth('hub', 'y'),
    'azure.example': { ...auth('00000000-0000-0000-0000-000000000000', ''), identitytoken: 'ey.a.b' },
    'https://old.example/v2/': { username: 'old', password: 'z' },
  };

  test.for([
    ['r.example', 'other', { username: 'all', password: 'pä:ss' }],
    ['r.example', 'team/app', { username: 'team', password: 'x' }],
    ['r.example', 'teams/app', { username: 'all', password: 'pä:ss' }],
    ['docker.io', 'library/debian', { username: 'hub', password: 'y' }],
    ['azure.example', 'app', { identityToken: 'ey.a.b' }],
    ['old.example', 'app', { username: 'old', password: 'z' }],
    ['r.example.evil', 'app', undefined],
    ['example', 'app', undefined],
  ] as const)('for %s/%s', ([registry, repository, expected]) => {
    expect(loginFor(file(auths), registry, repository)).toEqual(expected);
  });

  test.for(['{}', '{"auths":{}}'])('is none in %s', (text) => {
    expect(loginFor(utf8(text), 'r.example', 'app')).toBeUndefined();
  });

  test.for([
    '',
    '[]',
    '{"auths":[]}',
    '{"auths":{"r.example":"x"}}',
    '{"auths":{"r.example":{"auth":"c2VjcmV0"}}}',
    '{"auths":{"r.example":{"auth":"secret!"}}}',
    '{"auths":{"r.example":{"auth":c2VjcmV0}}}',
    '{"auths":{"r.example":{"username":"a","password":\'secret\'}}}',
    '{"auths":{"r.example":{"username":"a","password":"secret\n"}}}',
    '{"auths":{"r.example":["secret"]}}',
    '{"auths":"secret"}',
    '"secret"',
    '{"auths":{"r.example":{"secret":1,"secret":2}}}',
  ])('that cannot be read is no login, and is not quoted: %s', (text) => {
    expect(() => loginFor(utf8(text), 'r.example', 'app')).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
    expect(() => loginFor(utf8(text), 'r.example', 'app')).not.toThrow(/secret|c2Vj/);
  });
});

describe('a login that a program keeps', () => {
  const kept = utf8(
    JSON.stringify({
      auths: { 'r.example': auth('all', 'x'), 'own.example': {} },
      credsStore: 'secretservice',
      credHelpers: { 'own.example': 'ecr-login', 'https://index.docker.io/v1/': 'hub' },
    }),
  );

  test.for([
    ['own.example', { helper: 'ecr-login', server: 'own.example', keeps: 'this' }],
    ['docker.io', { helper: 'hub', server: 'https://index.docker.io/v1/', keeps: 'this' }],
    ['r.example', { username: 'all', password: 'x' }],
    ['own.example.evil', { helper: 'secretservice', server: 'own.example.evil', keeps: 'all' }],
  ] as const)('for %s', ([registry, expected]) => {
    expect(loginFor(kept, registry, 'app')).toEqual(expected);
  });

  test.for(['../evil', 'a/b', '-x', 'a b', ''])('is not asked of a program named %j', (name) => {
    expect(() => loginFor(utf8(JSON.stringify({ credHelpers: { 'r.example': name } })), 'r.example', 'app')).toThrow(
      expect.objectContaining({ code: 'CONTENT_MALFORMED' }),
    );
  });

  test('is a name and a password, or an identity token', () => {
    expect(keptLogin(utf8('{"ServerURL":"r.example","Username":"AWS","Secret":"pass"}'), 'x')).toEqual({
      username: 'AWS',
      password: 'pass',
    });
    expect(keptLogin(utf8('{"Username":"<token>","Secret":"ey.a.b"}'), 'x')).toEqual({ identityToken: 'ey.a.b' });
  });

  test.for(['', '[]', '{"Username":"a","Secret":""}', '{"Username":"a"}', '{"Secret":"secret"}', "{'Secret':'secret'}"])(
    'is none in %s, which is not quoted',
    (text) => {
      expect(() => keptLogin(utf8(text), 'x')).toThrow(expect.objectContaining({ code: 'REGISTRY_DENIED' }));
      expect(() => keptLogin(utf8(text), 'x')).not.toThrow(/secret/);
    },
  );
});
