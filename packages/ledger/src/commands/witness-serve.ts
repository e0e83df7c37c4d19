/** `sealane witness serve`: a witness in a process of its own, with its own key and state. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { formatVkey, LedgerError, NOTE_KEY_TYPE, parseVkey, utf8, vkeyOf } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { durableWrite } from '../durable-write.js';
import { serveWitness } from '../witness/server-shell.js';

export const command: CommandSpec = {
  name: 'witness serve',
  summary: 'cosign checkpoints of a log that never goes back',
  options: [
    { flags: '--state <dir>', description: 'where the witness remembers what it saw; its key is DIR/witness.pem, made when missing', required: true },
    { flags: '--log <vkey>', description: 'the verifier key of the log, or a file that holds it', required: true },
    { flags: '--listen <host:port>', description: 'where to listen; port 0 takes a free one', required: true },
    { flags: '--name <name>', description: 'name of the witness in its cosignatures (default witness.example)' },
  ],
  example: 'sealane witness serve --state witness --log "$(cat home/log.vkey)" --listen 127.0.0.1:8791',
  run,
};

async function run({ options, io }: CommandCall): Promise<CommandResult> {
  const folder = path.resolve(io.cwd, text(options['state']));
  const name = typeof options['name'] === 'string' ? options['name'] : 'witness.example';
  const privateKey = witnessKey(folder);
  const { host, port } = listenAddress(text(options['listen']));
  const log = parseVkey(logVkey(io.cwd, text(options['log'])));
  const server = await serveWitness({ folder, log, name, privateKey, host, port, nowSeconds: () => Math.floor(Date.now() / 1000) });
  const vkey = formatVkey(vkeyOf(name, NOTE_KEY_TYPE.cosignature, privateKey));
  io.out(`${JSON.stringify({ url: server.url, vkey })}\n`);
  await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }));
  await server.close();
  return { exit: 0, json: { stopped: true }, text: '' };
}

function text(value: CommandCall['options'][string]): string {
  return typeof value === 'string' ? value : '';
}

/** The vkey itself, or the first line of the file that the option names. */
function logVkey(cwd: string, value: string): string {
  const file = path.resolve(cwd, value);
  return value.includes('+') || !existsSync(file) ? value : readFileSync(file, 'utf8').trim();
}

function witnessKey(folder: string): KeyObject {
  const file = path.join(folder, 'witness.pem');
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    durableWrite(file, utf8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()), 0o600);
  }
  try {
    return createPrivateKey(readFileSync(file));
  } catch (cause) {
    throw new LedgerError('KEY_MALFORMED', `read the key of the witness ${file}: expected an Ed25519 private key in PEM`, { file }, { cause });
  }
}

function listenAddress(value: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(value) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    throw new LedgerError('USAGE', `read --listen: expected HOST:PORT, got ${JSON.stringify(value)}`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
