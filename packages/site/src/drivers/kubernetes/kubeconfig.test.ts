import { expect, test } from 'vitest';
import { clusterAccess, kubeconfigFile, kubeconfigProperties } from './kubeconfig.js';

const config = (cluster: object, user: object, context = 'x'): string =>
  JSON.stringify({
    'current-context': context,
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  });

test('reads server, authority and credentials, as data or as files', () => {
  const access = clusterAccess('f', config({ 'certificate-authority-data': 'YQ==' }, { 'client-certificate': 'c.pem', tokenFile: '/t' }));
  expect(access).toMatchObject({ server: 'https://127.0.0.1:6443', cert: { file: 'c.pem' }, key: undefined, token: { file: '/t' } });
  expect(clusterAccess('f', config({ 'tls-server-name': 'api.example' }, { token: 't' })).serverName).toBe('api.example');
  expect(access.ca).toEqual({ data: Buffer.from('a') });
});

test.each([
  ['plain http', config({ server: 'http://127.0.0.1' }, { token: 't' })],
  ['a server that is not verified', config({ 'insecure-skip-tls-verify': true }, { token: 't' })],
  ['a proxy', config({ 'proxy-url': 'http://127.0.0.1:1' }, { token: 't' })],
  ['a program', config({}, { exec: { command: 'aws' } })],
  ['a password', config({}, { username: 'a', password: 'b' })],
  ['a context that leads nowhere', config({}, { token: 't' }, 'y')],
  ['nothing', ''],
])('refuses %s', (_what, text) => {
  expect(() => clusterAccess('f', text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('quotes nothing of one that is no YAML: it may be the token', () => {
  const text = 'users:\n  - user: { token: "of-the-site }\n';
  expect(() => clusterAccess('f', text)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('of-the-site') as string }),
  );
});

test('one that is a credential is given to the unit, and found where systemd lays it', () => {
  const env = { CREDENTIALS_DIRECTORY: '/run/credentials/x.service' };
  expect([kubeconfigProperties('/etc/k'), kubeconfigFile('/etc/k', env)]).toEqual([[], '/etc/k']);
  const place = { loadCredentialEncrypted: '/etc/k.cred' };
  expect(kubeconfigProperties(place)).toEqual(['LoadCredentialEncrypted=kubeconfig:/etc/k.cred']);
  expect(kubeconfigFile(place, env)).toBe('/run/credentials/x.service/kubeconfig');
});
