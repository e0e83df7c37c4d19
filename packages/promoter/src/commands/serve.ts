/** `sealane serve`. */
import { PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { homeOf, textOption } from '../promoter.js';
import { serveLane } from '../service/server-shell.js';

export const command: CommandSpec = {
  name: 'serve',
  summary: 'serve the lane as static files and take receipts in',
  options: [{ flags: '--listen <host:port>', description: 'where to listen; port 0 takes a free one', required: true }],
  example: 'sealane serve --listen 127.0.0.1:8790 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { io } = call;
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(textOption(call, 'listen')) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535)
    throw new PromoterError('USAGE', 'read --listen: expected HOST:PORT');
  const server = await serveLane({ home: homeOf(call), io, host: host.replace(/^\[|\]$/g, ''), port: Number(port) });
  io.out(`${JSON.stringify({ url: server.url })}\n`);
  await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }));
  await server.close();
  return { exit: 0, json: { stopped: true }, text: '' };
}
