/** Keys that are not plain files: encrypted by cosign, in a real SoftHSM token, with a helper program; through the commands, and what they refuse. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageText } from '../docs/pages.js';
import { requireProgram } from '../support/require-program.js';
import { type Answer, runJson } from '../support/run.js';
import { makeToken, SOFTHSM_MODULE, SOFTHSM_PROGRAMS, SPY_MODULE, type Token } from '../support/softhsm.js';

const cosign = requireProgram('cosign');
const softhsm = SOFTHSM_PROGRAMS.map(requireProgram);
const PASSWORD = 'correct horse battery staple';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-signers-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A folder of a test's own with a folder of keys. */
function folder(name: string): { readonly home: string; readonly file: (name: string, text: string, mode?: number) => string } {
  const home = path.join(dir, name.replaceAll(' ', '-'));
  mkdirSync(path.join(home, 'keys'), { recursive: true });
  const file = (base: string, text: string, mode = 0o600): string => {
    writeFileSync(path.join(home, base), text, { mode });
    chmodSync(path.join(home, base), mode);
    return path.join(home, base);
  };
  return { home, file };
}

type Env = Readonly<Record<string, string>>;

const sealane = (home: string, words: readonly string[], env: Env = {}): Promise<Answer> =>
  runJson('sealane', [...words, '--home', home], { env, cwd: home });

/** Takes a key by reference: the least that asks for its public half. */
const hold = (home: string, name: string, keyRef: string, env: Env = {}): Promise<Answer> =>
  sealane(home, ['key', 'create', name, '--held-by', keyRef], env);

function expectRefusal({ exit, json, stderr, stdout }: Answer, code: string, secrets: readonly string[] = []): void {
  expect({ code: json?.error?.code }, stderr).toEqual({ code });
  expect(exit).not.toBe(0);
  for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
}

describe.skipIf(cosign === undefined)('a key that cosign made (skipped without cosign)', () => {
  const run = (home: string, words: readonly string[], password: string): ReturnType<typeof spawnSync> =>
    spawnSync(cosign ?? '', words, { cwd: home, env: { ...process.env, COSIGN_PASSWORD: password }, encoding: 'utf8' });

  it.each([
    ['a passphrase', PASSWORD],
    ['an empty passphrase', ''],
  ])('signs with %s, as a file and out of the environment', async (what, password) => {
    const { home, file } = folder(`cosign ${what}`);
    expect(run(home, ['generate-key-pair'], password).status).toBe(0);
    const pem = readFileSync(path.join(home, 'cosign.key'), 'utf8');
    const pub = readFileSync(path.join(home, 'cosign.pub'), 'utf8');
    file('password', `${password}\n`);
    const sources: readonly (readonly [string, Env])[] = [
      ['file:cosign.key', { COSIGN_PASSWORD: password }],
      ['file:cosign.key', { SEALANE_PASSWORD_FILE: 'password' }],
      ['env:COSIGN_KEY', { COSIGN_KEY: pem, COSIGN_PASSWORD: password }],
    ];
    for (const [at, [keyRef, env]] of sources.entries()) {
      const out = await sealane(home, ['key', 'export', keyRef], env);
      expect(out.exit, out.stderr).toBe(0);
      expect(out.json.public.trim(), String(at)).toBe(pub.trim());
    }
  });

  it('is not opened by another passphrase, by none, or out of a file that others can read', async () => {
    const { home, file } = folder('cosign locked');
    expect(run(home, ['generate-key-pair'], PASSWORD).status).toBe(0);
    const words = ['key', 'export', 'file:cosign.key'];
    expectRefusal(await sealane(home, words, { COSIGN_PASSWORD: 'hunter2' }), 'KEY_LOCKED', ['hunter2']);
    expectRefusal(await sealane(home, words), 'KEY_LOCKED');
    file('open', PASSWORD, 0o644);
    expectRefusal(await sealane(home, words, { SEALANE_PASSWORD_FILE: 'open' }), 'KEY_EXPOSED', [PASSWORD]);
    chmodSync(path.join(home, 'cosign.key'), 0o640);
    expectRefusal(await sealane(home, words, { COSIGN_PASSWORD: PASSWORD }), 'KEY_EXPOSED');
  });

  it('and one that sealane encrypted opens in cosign', async () => {
    const { home } = folder('encrypted here');
    const made = await sealane(home, ['key', 'create', 'carol', '--encrypt'], { COSIGN_PASSWORD: PASSWORD });
    expect(made.exit, made.stderr).toBe(0);
    expect(statSync(made.json.path).mode & 0o777).toBe(0o600);
    expect(readFileSync(made.json.path, 'utf8')).not.toContain('BEGIN PRIVATE KEY');
    const shown = run(home, ['public-key', '--key', made.json.path], PASSWORD);
    expect(String(shown.stdout).trim(), String(shown.stderr)).toBe(made.json.public.trim());
    writeFileSync(path.join(home, 'artifact'), 'hello\n');
    const signed = run(
      home,
      [
        'sign-blob',
        '--key',
        made.json.path,
        '--yes',
        '--use-signing-config=false',
        '--tlog-upload=false',
        '--output-signature',
        'sig',
        '--bundle',
        'b.json',
        'artifact',
      ],
      PASSWORD,
    );
    expect(signed.status, String(signed.stderr)).toBe(0);
  });
});

describe.skipIf(softhsm.includes(undefined))('a key in a SoftHSM token (skipped without softhsm2-util and pkcs11-tool)', () => {
  let token: Token;
  let home: string;
  const env = (more: Env = {}): Env => ({ ...token.env, ...more });

  beforeAll(() => {
    token = makeToken(path.join(dir, 'token'));
    token.generate('prod', '01');
    ({ home } = folder('softhsm'));
  });

  it('is taken by its URI with the PIN of a file or of the environment', async () => {
    const made = [
      await hold(home, 'one', token.uri('object=prod'), env()),
      await hold(home, 'two', token.uri('id=%01', ''), env({ SEALANE_PKCS11_PIN: token.pin })),
      await hold(home, 'three', token.uri('object=prod;type=private', ''), env({ SEALANE_PKCS11_PIN_FILE: token.pinFile })),
    ];
    for (const { exit, stderr } of made) expect(exit, stderr).toBe(0);
    expect(new Set(made.map(({ json }) => json.id)).size).toBe(1);
    const kept = readFileSync(path.join(home, 'keys', 'one.keyref'), 'utf8');
    expect(kept).not.toContain('PRIVATE');
    expect(statSync(path.join(home, 'keys', 'one.keyref')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['a wrong PIN', () => token.uri('object=prod', ''), () => ({ SEALANE_PKCS11_PIN: '9999' }), 'KEY_LOCKED'],
    ['no PIN', () => token.uri('object=prod', ''), () => ({}), 'KEY_LOCKED'],
    ['a PIN in the reference', () => token.uri('object=prod', `pin-value=${token.pin}`), () => ({}), 'USAGE'],
    ['another token', () => token.uri('object=prod').replace('token=sealane', 'token=other'), () => ({}), 'KEY_UNAVAILABLE'],
    ['another key', () => token.uri('object=staging'), () => ({}), 'KEY_UNAVAILABLE'],
    ['another module', () => token.uri('object=prod').replace('libsofthsm2', 'nothing'), () => ({}), 'KEY_UNAVAILABLE'],
    ['no key named', () => token.uri(''), () => ({}), 'USAGE'],
  ] as const)('is refused with %s, and nothing is written', async (what, uri, more, code) => {
    const name = `refused-${what.replaceAll(' ', '-')}`;
    expectRefusal(await hold(home, name, uri(), env(more())), code, [token.pin, '9999']);
    expect(existsSync(path.join(home, 'keys', `${name}.keyref`))).toBe(false);
  });

  it('that two objects match is refused, and so is a key of another curve', async () => {
    token.generate('twin', '02');
    token.generate('twin', '03');
    expectRefusal(await hold(home, 'twin', token.uri('object=twin'), env()), 'KEY_UNAVAILABLE');
    token.generate('p384', '04', 'EC:secp384r1');
    expectRefusal(await hold(home, 'p384', token.uri('object=p384'), env()), 'KEY_MALFORMED');
  });
});

describe.skipIf(softhsm.includes(undefined))('stages in one SoftHSM token (skipped without softhsm2-util and pkcs11-tool)', () => {
  it('whose PIN is wrong is shown it once by a process, however often it signs: others would lock; a right one is taken all the same', async () => {
    const token = makeToken(path.join(dir, 'counted'));
    const { home, file } = folder('wrong pin');
    const [right, wrong] = [file('right', token.pin), file('wrong', token.pin)];
    // OpenSC's spy stands before the module and writes down each call
    const calls = path.join(home, 'calls');
    const env = { ...token.env, PKCS11SPY: SOFTHSM_MODULE, PKCS11SPY_OUTPUT: calls };
    for (const [at, [stage, pin]] of [['dev', right] as const, ['edge-preprod', wrong] as const, ['prod', wrong] as const].entries()) {
      token.generate(stage, `0${at + 1}`);
      const uri = token.uri(`object=${stage}`, `pin-source=${pin}`).replace(SOFTHSM_MODULE, SPY_MODULE);
      expect((await hold(home, stage, uri, env)).exit).toBe(0);
    }
    const must = async (words: readonly string[], exit: number): Promise<Answer['json']> => {
      const answer = await sealane(home, words, env);
      expect(answer.exit, answer.stderr).toBe(exit);
      return answer.json;
    };
    const made = await runJson('sealane', ['init', home], { env, cwd: home });
    expect(made.exit, made.stderr).toBe(0);
    mkdirSync(path.join(home, 'app'));
    writeFileSync(path.join(home, 'app', 'greeting.txt'), 'hello\n');
    const { release } = await must(
      ['release', 'create', '--name', 'greeting', '--version', '1.0.0', '--files', 'app', '--key', 'author'],
      0,
    );
    writeFileSync(wrong, '999999');
    rmSync(calls);
    const { left } = await must(['revoke', release, '--reason', 'burns its host'], 5);
    expect(left).toEqual(
      ['edge-preprod', 'prod'].map((stage) => ({ stage, why: expect.stringContaining('which is not tried again') as string })),
    );
    const seen = readFileSync(calls, 'utf8');
    expect(seen.match(/Returned: .*CKR_PIN_INCORRECT/g)).toHaveLength(1);
    expect((await must(['channel', 'show', 'dev'], 0)).revoked).toHaveLength(1);
    // a program that is started anew asks again
    writeFileSync(wrong, token.pin);
    expect(await must(['revoke', release, '--reason', 'burns its host'], 0)).not.toHaveProperty('left');
  });
});

describe('a key with a helper program', () => {
  const HELPER = /```sh\n(#!\/bin\/sh\n# usage: exec:[\s\S]*?)```/.exec(pageText('docs/keys.md'))?.[1] ?? '';

  it.skipIf(requireProgram('openssl') === undefined)(
    'is used through the helper of docs/keys.md, which alone opens it (skipped without openssl)',
    async () => {
      const { home, file } = folder('helper');
      const made = await sealane(home, ['key', 'create', 'service.pem']);
      const helper = file('helper', HELPER, 0o700);
      const held = await hold(home, 'prod', `exec:${helper} ${made.json.path}`);
      expect(held.exit, held.stderr).toBe(0);
      expect(held.json.id).toBe(made.json.id);
    },
  );

  it.each([
    ['that fails', 'echo no such key >&2; exit 1', /exit 0, got 1.*no such key/],
    ['that answers nothing', 'exit 0', /one JSON object/],
    ['that answers another field too', `printf '{"publicKey":"x","more":1}'`, /publicKey/],
    ['that answers without end', 'yes', /at most 16384 bytes/],
    ['that is not there', undefined, /expected it to start/],
  ])('%s is refused', async (what, script, message) => {
    const { home, file } = folder(`helper ${what}`);
    const helper = script === undefined ? path.join(home, 'none') : file('helper', `#!/bin/sh\n${script}\n`, 0o700);
    const answer = await hold(home, 'prod', `exec:${helper}`);
    expectRefusal(answer, 'KEY_UNAVAILABLE');
    expect(answer.json.error.message).toMatch(message);
    expect(readdirSync(path.join(home, 'keys'))).toEqual([]);
  });
});
