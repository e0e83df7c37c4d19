/** `sealane witness serve`: a witness in a process of its own, with its own key and state. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { EXAMPLE_KEY_IDS, keyIdOf, LedgerError, parseVkey, utf8, type Vkey } from '@sealane/core';
import { type CommandCall, type CommandIo, type CommandResult, type CommandSpec, untilAborted } from '@sealane/core/command-line';
import { writeDurably } from '../durable-write.js';
import { createWitness } from '../witness/server.js';

const DEFAULT_NAME = 'witness.example';
/** Of one log: its own, and the next one while it replaces its key. */
const MAX_KEYS = 2;
/** Bits by which others than the owner could read or write. */
const OTHERS = 0o077;

export const command: CommandSpec = {
  name: 'witness serve',
  summary: 'cosign checkpoints of a log that never goes back',
  options: [
    { flags: '--state <dir>', description: 'where the witness remembers what it saw, made when missing', required: true },
    {
      flags: '--log <vkey>',
      description: 'verifier key of a log, or a file with one a line; may be given again, two of one log while it replaces its key',
      repeat: true,
    },
    { flags: '--listen <host:port>', description: 'where to listen; port 0 takes a free one', required: true },
    {
      flags: '--key <keyref>',
      description: 'its Ed25519 key, file:PATH or the name of a key (default: DIR/witness.pem, made when missing)',
    },
    { flags: '--name <name>', description: `its name in cosignatures (default: ${DEFAULT_NAME})` },
  ],
  example: 'sealane witness serve --state witness --log my-lane/log.vkey --listen 127.0.0.1:8791',
  run,
};

/** Serves until the signal; the first line of stdout is `{url, vkey}`, written as soon as requests are answered. */
async function run({ options, io }: CommandCall): Promise<CommandResult> {
  const stateDir = path.resolve(io.cwd, text(options.state) ?? '');
  const witness = await createWitness({
    stateDir,
    logs: logsOf(options.log, io),
    name: text(options.name) ?? DEFAULT_NAME,
    privateKey: witnessKey(stateDir, keyFile(text(options.key), text(options.home) ?? '.'), io),
    listen: listenAddress(text(options.listen) ?? ''),
    now: () => new Date().toISOString(),
    onFault: (error) => {
      io.talk(`sealane: error: ${error instanceof Error ? error.message : String(error)}\n`);
    },
  });
  const { url, vkey } = witness;
  io.out(`${JSON.stringify({ url, vkey })}\n`);
  await untilAborted(io.signal);
  await witness.close();
  return { exit: 0, json: { url, vkey }, text: '', isSaid: true };
}

function text(value: CommandCall['options'][string]): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function logsOf(value: CommandCall['options'][string], io: CommandIo): readonly Vkey[] {
  const given = Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  const logs = given.flatMap((item) => vkeyLines(item, io)).map(parseVkey);
  if (logs.length === 0) throw new LedgerError('USAGE', 'read --log: expected the verifier key of a log, got none');
  const many = logs.find(({ name }) => logs.filter((log) => log.name === name).length > MAX_KEYS);
  if (many !== undefined)
    throw new LedgerError(
      'USAGE',
      `read --log: expected at most ${MAX_KEYS} keys for each log, its own and the next one, got more for ${many.name}`,
    );
  return logs;
}

/** A verifier key has a plus sign after its name; anything else names a file. */
function vkeyLines(value: string, io: CommandIo): readonly string[] {
  if (/^[^\s/]+\+[0-9a-f]{8}\+/.test(value)) return [value];
  const file = path.resolve(io.cwd, value);
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  } catch (cause) {
    throw new LedgerError(
      'VKEY_MALFORMED',
      `read --log: expected a verifier key or a file with one, got ${JSON.stringify(value)}`,
      { file },
      { cause },
    );
  }
}

/** A path, or a bare name: of a key of the home here, as everywhere else. */
function keyFile(keyRef: string | undefined, home: string): string | undefined {
  const isBare = keyRef !== undefined && /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(keyRef);
  return isBare ? path.join(home, 'keys', `${keyRef}.pem`) : keyRef?.replace(/^file:/, '');
}

function witnessKey(stateDir: string, given: string | undefined, io: CommandIo): KeyObject {
  if (given !== undefined) return readKey(path.resolve(io.cwd, given));
  const file = path.join(stateDir, 'witness.pem');
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  return readKey(file, () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeDurably({ path: file, bytes: utf8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()), mode: 0o600 });
    io.talk(`sealane: made a new key in ${file}: a lane that has a witness of this name already knows another\n`);
    return privateKey;
  });
}

function readKey(file: string, whenMissing?: () => KeyObject): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') return notExposed(file, key);
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing && whenMissing !== undefined) return whenMissing();
    throw new LedgerError(
      'KEY_MALFORMED',
      `read the key of the witness ${file}: expected an Ed25519 private key in PEM, got ${isMissing ? 'no file' : 'something else'}`,
      { file },
      { cause },
    );
  }
  throw new LedgerError('KEY_MALFORMED', `read the key of the witness ${file}: expected Ed25519, got another kind`, { file });
}

/** A key that others can read is theirs too; the example keys are everybody's anyway. */
function notExposed(file: string, key: KeyObject): KeyObject {
  const id = keyIdOf(new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })));
  if ((statSync(file).mode & OTHERS) === 0 || EXAMPLE_KEY_IDS.has(id)) return key;
  throw new LedgerError('KEY_EXPOSED', `read the key of the witness ${file}: expected mode 0600, others can read or write it`, { file });
}

function listenAddress(value: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535)
    throw new LedgerError('USAGE', `read --listen: expected HOST:PORT, got ${JSON.stringify(value)}`);
  return { host, port: Number(port) };
}
