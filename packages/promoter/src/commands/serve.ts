/** `sealane serve`. */
import path from 'node:path';
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { readNamed, readOptional } from '../disk-shell.js';
import type { Home } from '../home.js';
import { homeOf, optionalText, requireHome, textOption } from '../promoter.js';
import { hostPort } from '../service/listen-shell.js';
import { startService } from '../service/server-shell.js';
import { parseServiceFile, type ServiceConfig, serviceWithoutCallers } from '../service/service-file.js';

export const command: CommandSpec = {
  name: 'serve',
  summary:
    'serve the API to known callers and the lane to everybody, and take receipts in; what it publishes is signed anew before it runs out',
  options: [
    { flags: '--listen <host:port>', description: 'where to listen; port 0 takes a free one', required: true },
    { flags: '--config <file>', description: 'who may call, and what (default: HOME/service.yaml; without one nobody may)' },
  ],
  example: 'sealane serve --listen 127.0.0.1:8790 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  const at = hostPort(textOption(call, 'listen'));
  if (at === undefined)
    throw new PromoterError('USAGE', 'read --listen: expected HOST:PORT', {}, { hint: 'name both: --listen 127.0.0.1:8790' });
  const home = homeOf(call);
  requireHome(home);
  requireLane(home);
  const named = optionalText(call, 'config');
  const file = named === undefined ? path.join(home.folder, 'service.yaml') : path.resolve(io.cwd, named);
  const config = configAt(file, named !== undefined);
  const service = await startService({ home, io, config, configFolder: path.dirname(file), ...at });
  io.out(`${JSON.stringify({ url: service.url, ...(service.tlsUrl === undefined ? {} : { tlsUrl: service.tlsUrl }) })}\n`);
  await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }));
  await service.stop();
  return { exit: 0, json: {}, text: '', isSaid: true };
}

/** A folder with nothing in it would be served as well, and every site would be told that there is no lane. */
function requireLane({ lane, trust }: Home): void {
  if (readOptional(path.join(trust, 'metadata', '1.root.json')) !== undefined) return;
  throw new PromoterError(
    'CONFIG_INVALID',
    `serve the lane ${lane}: expected trust/metadata/1.root.json there, got nothing`,
    {},
    { hint: 'name the published lane with --lane DIR, and see that its storage is mounted' },
  );
}

function configAt(file: string, isNamed: boolean): ServiceConfig {
  const bytes = isNamed ? readNamed(file, 'service file') : readOptional(file);
  return bytes === undefined ? serviceWithoutCallers() : parseServiceFile(bytes, file);
}
