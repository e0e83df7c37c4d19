/** Files of logins as docker, podman and oras write them. */
import { base64, utf8 } from '@sealane/core';
import { describe, expect, test } from 'vitest';
import { credentialsIn } from './auth-file.js';

const auth = (name: string, password: string): { auth: string } => ({ auth: base64(utf8(`${name}:${password}`)) });
const file = (auths: unknown): Uint8Array => utf8(JSON.stringify({ auths, credsStore: 'secretservice' }));

describe('a login', () => {
  const auths = {
    'r.example': auth('all', 'pä:ss'),
    'r.example/team': auth('team', 'x'),
    'r.example/team/app': {},
    'https://index.docker.io/v1/': auth('hub', 'y'),
    'https://old.example/v2/': { username: 'old', password: 'z' },
  };

  test.for([
    ['r.example', 'other', { username: 'all', password: 'pä:ss' }],
    ['r.example', 'team/app', { username: 'team', password: 'x' }],
    ['r.example', 'teams/app', { username: 'all', password: 'pä:ss' }],
    ['docker.io', 'library/debian', { username: 'hub', password: 'y' }],
    ['old.example', 'app', { username: 'old', password: 'z' }],
    ['r.example.evil', 'app', undefined],
    ['example', 'app', undefined],
  ] as const)('for %s/%s', ([registry, repository, expected]) => {
    expect(credentialsIn(file(auths), registry, repository)).toEqual(expected);
  });

  test.for(['{}', '{"auths":{}}'])('is none in %s', (text) => {
    expect(credentialsIn(utf8(text), 'r.example', 'app')).toBeUndefined();
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
    expect(() => credentialsIn(utf8(text), 'r.example', 'app')).toThrow(expect.objectContaining({ code: 'CONTENT_MALFORMED' }));
    expect(() => credentialsIn(utf8(text), 'r.example', 'app')).not.toThrow(/secret|c2Vj/);
  });
});
