import { SiteError } from '@sealane/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from './config.js';
import { siteJsonSchema } from './config-shape.js';
import { plainPlace } from './fetch/routes/place.js';

const minimal = `name: harbour-7
stage: prod
driver:
  use: files
  start: [node, app/main.mjs]
`;

function problem(source: string): string {
  try {
    parseConfig(source, '/etc/sealane/site.yaml');
  } catch (error) {
    if (error instanceof SiteError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'none';
}

test('fills in what is not said', () => {
  expect(parseConfig(minimal, '/etc/sealane/site.yaml')).toEqual({
    name: 'harbour-7',
    stage: 'prod',
    upstreams: [],
    receiptsTo: [],
    receiptQueue: 256,
    allowExampleKeys: false,
    driver: {
      use: 'files',
      start: ['node', 'app/main.mjs'],
      env: {},
      health: [],
      healthIntervalMs: 1000,
      healthFailures: 1,
      startSeconds: 15,
      stopGraceSeconds: 10,
      strays: 'report',
      probationSeconds: 10,
    },
    inventory: { root: '/', from: 'here', devices: [] },
    variables: {},
    unpack: { setuid: 'refuse', unchanged: 'write' },
    keep: 2,
    pollSeconds: 60,
  });
});

test('resolves folders against the file and leaves addresses', () => {
  const config = parseConfig(
    `${minimal}upstreams: [https://lane.example/, ../lane, 'file:///srv/lane']\nreceiptsTo: out\n`,
    '/etc/sealane/site.yaml',
  );
  expect(config.upstreams).toEqual(['https://lane.example', '/etc/lane', '/srv/lane'].map(plainPlace));
  expect(config.receiptsTo).toEqual([plainPlace('/etc/sealane/out')]);
});

test('an upstream says what it carries and may cost; receipts go there with the same certificate', () => {
  const tls = '{ ca: ca.pem, certificate: site.pem, key: /run/site.key }';
  const rates = `{ timeZone: Europe/Berlin, limits: [{ from: '06:00', to: '22:00', bytesPerSecond: 8192 }] }`;
  const [upstream, again] = [`{ at: https://a.example/, carries: [trust], tls: ${tls} }`, `{ at: b, dailyBytes: 1000, rates: ${rates} }`];
  const config = parseConfig(`${minimal}upstreams: [${upstream}, ${again}]\nreceiptsTo: [https://a.example, out]\n`, '/etc/site.yaml');
  const files = { ca: '/etc/ca.pem', certificate: '/etc/site.pem', key: '/run/site.key' };
  expect(config.upstreams).toMatchObject([
    { at: 'https://a.example', carries: ['trust'], dailyBytes: null, rates: null, tls: files },
    { at: '/etc/b', carries: ['trust', 'content'], dailyBytes: 1000, tls: null, rates: { limits: [{ bytesPerSecond: 8192 }] } },
  ]);
  expect(config.receiptsTo).toMatchObject([
    { at: 'https://a.example', tls: files },
    { at: '/etc/out', tls: null },
  ]);
  const turns = '[https://a.example, { at: https://a.example, carries: [content], tls: { ca: ca.pem }, proxy: "http://10.0.0.1:3128" }]';
  expect(parseConfig(`${minimal}upstreams: ${turns}\nreceiptsTo: https://a.example\n`, '/etc/site.yaml').receiptsTo).toMatchObject([
    { at: 'https://a.example', tls: { ca: '/etc/ca.pem' }, proxy: 'http://10.0.0.1:3128' },
  ]);
  expect(problem(`${minimal}upstreams: [{ at: x, carries: [receipts] }]\n`)).toMatch(/line 6, column \d+: upstreams\.0\.carries/);
});

test('an address can be asked, and has no login, which would stand in logs and in files that others read', () => {
  const of = (at: string): readonly string[] => [`upstreams: ['${at}']`, `upstreams: [{ at: '${at}' }]`, `receiptsTo: '${at}'`];
  for (const at of ['http://', 'https://a b', 'https://a:99999', 'https://[::1'])
    for (const line of of(at)) expect(problem(`${minimal}${line}\n`), line).toContain(`read ${at}: expected an address with a host`);
  for (const at of ['https://user:secretword@a.example', 'https://secretword@a.example', 'https://user:secretword@a b'])
    for (const line of of(at)) {
      expect(problem(`${minimal}${line}\n`), line).toContain('no login in it');
      expect(problem(`${minimal}${line}\n`), line).not.toContain('secretword');
    }
  for (const proxy of ['http://10.0.0.1:99999', 'http://a:b:80', 'http://[::1:80'])
    expect(problem(`${minimal}upstreams: [{ at: https://a.example, proxy: '${proxy}' }]\n`), proxy).toMatch(
      /upstreams\.0\.proxy: expected/,
    );
});

test('files of TLS stand at an https address alone: elsewhere nobody would look at them', () => {
  for (const at of ['http://a.example', '/srv/lane'])
    expect(problem(`${minimal}upstreams: [{ at: '${at}', tls: { ca: ca.pem } }]\n`)).toContain('expected an https address with tls');
  expect(problem(`${minimal}upstreams: [{ at: 'https://a.example', tls: { ca: ca.pem } }]\n`)).toBe('none');
});

test('takes the three kinds of health check, and a command as one text', () => {
  const health = `  health:\n    - http: http://127.0.0.1:8080/healthz\n      status: 204\n    - tcp: '[::1]:5432'\n    - command: test -f ok\n      timeoutMs: 50\n`;
  expect(parseConfig(minimal + health, '/s.yaml').driver.health).toEqual([
    { kind: 'http', url: 'http://127.0.0.1:8080/healthz', status: 204, timeoutMs: 2000 },
    { kind: 'tcp', host: '::1', port: 5432, timeoutMs: 2000 },
    { kind: 'command', command: ['/bin/sh', '-c', 'test -f ok'], timeoutMs: 50 },
  ]);
});

test('takes an address alone for a health check of it', () => {
  expect(parseConfig(`${minimal}  health: ['http://127.0.0.1:8080/health']\n`, '/s.yaml').driver.health).toEqual([
    { kind: 'http', url: 'http://127.0.0.1:8080/health', status: undefined, timeoutMs: 2000 },
  ]);
  for (const text of ['127.0.0.1:8080', '/health', 'ftp://127.0.0.1/'])
    expect(problem(`${minimal}  health: ['${text}']\n`)).toMatch(/line 6, column 12: driver\.health\.0: expected one of the forms/);
});

test('names line and column of what is wrong', () => {
  expect(problem(`${minimal}keep: many\n`)).toMatch(/^read \/etc\/sealane\/site\.yaml, line 6, column 7: keep: /);
  expect(problem(`${minimal}kept: 3\n`)).toBe('read /etc/sealane/site.yaml, line 6, column 1: the whole: unknown kept');
  expect(problem(`${minimal}  probation: 3\n`)).toMatch(/line 6, column 3: driver: unknown probation/);
  expect(problem(`${minimal}  health:\n    - http: not-an-address\n`)).toMatch(/line 7, column 13: driver\.health\.0\.http: /);
  expect(problem(`${minimal}  health:\n    - udp: x\n`)).toMatch(/line 7, column 7: driver\.health\.0: expected one of the forms/);
  expect(problem(minimal.replace('name: harbour-7\n', ''))).toMatch(/line 1, column 1: name: /);
  const drivers = 'driver.use: expected one of files, command, podman, quadlet, kubernetes, got';
  expect(problem(minimal.replace('use: files', 'use: docker'))).toMatch(new RegExp(`line 4, column 8: ${drivers} docker$`));
  expect(problem(minimal.replace('use: files', 'stop: []'))).toMatch(new RegExp(`${drivers} nothing$`));
  expect(problem(`${minimal}upstreams: [a\n`)).toMatch(/line [67], column \d+: /);
  expect(problem(`${minimal}name: again\n`)).toMatch(/line 6, column \d+: .*unique/i);
  expect(problem('')).toBe('read /etc/sealane/site.yaml: expected keys with values, got an empty file');
  expect(problem('# later\n')).toMatch(/got a file of comments and blank lines$/);
  expect(problem(`${minimal}---\n${minimal}`)).toMatch(/line 6, column 1: expected one document, got another one after it$/);
});

test('an alias bomb, tags and arbitrary text are refused, not run', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
  expect(problem(bomb + minimal)).toMatch(/alias/);
  fc.assert(
    fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (source) => {
      expect(() => parseConfig(source, '/s.yaml')).toThrow(SiteError);
    }),
  );
});

test('publishes a JSON Schema that asks for name, stage and driver', () => {
  expect(siteJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false, required: ['name', 'stage', 'driver'] });
});

test('takes a kubeconfig as a file, or as a credential of systemd for units', () => {
  const cluster = (kubeconfig: string): string => `name: harbour-7\nstage: prod\ndriver:\n  use: kubernetes\n  kubeconfig: ${kubeconfig}\n`;
  expect(problem(cluster('/etc/k'))).toBe('none');
  expect(problem(`${cluster('{ loadCredential: kubeconfig }')}  unit: {}\n`)).toBe('none');
  expect(problem(`${cluster('{ loadCredentialEncrypted: /etc/k.cred }')}  unit: {}\n`)).toBe('none');
  expect(problem(cluster('{ loadCredential: kubeconfig }'))).toContain('expected unit');
  expect(problem(`${cluster('{ loadCredential: "/etc/k:x" }')}  unit: {}\n`)).not.toBe('none');
});
