/** A registry in memory, and servers that stand in front of it, for tests of what goes wrong on the way. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from '@sealane/core';
import { onTestFinished } from 'vitest';
import { OCI_INDEX } from '../media-types.js';
import { collect } from '../verified-stream.js';

/** Answers a request whose body has come. */
export type Handler = (request: IncomingMessage, response: ServerResponse, body: Uint8Array) => void;

/** A server on a free port that gives each request's body to `handler`, but for those that `seize` takes; returns its host:port. */
export async function serve(handler: Handler, seize: (request: IncomingMessage) => boolean = () => false): Promise<string> {
  const server = createServer((request, response) => {
    if (seize(request)) return;
    void collect(request).then((body) => handler(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has no other address
}

/** A registry in memory, as the distribution specification has it: one repository, no referrers API. */
export function memoryRegistry(blobs = new Map<string, Uint8Array>()): {
  readonly handler: Handler;
  readonly log: string[];
  readonly blobs: typeof blobs;
} {
  const uploads = new Map<string, Uint8Array>();
  const log: string[] = [];
  const handler: Handler = (request, response, body) => {
    const url = new URL(request.url ?? '', 'http://registry');
    const [, , repository = '', kind = '', name = '', id = ''] = url.pathname.split('/');
    const method = request.method ?? '';
    log.push(`${method} ${url.pathname.split('/').slice(2, 5).join('/')}`);
    const upload = `/v2/${repository}/blobs/uploads/${id}`;
    if (method === 'POST') {
      const next = `/v2/${repository}/blobs/uploads/${uploads.size + 1}`;
      uploads.set(next, new Uint8Array());
      return void response.writeHead(202, { location: next }).end();
    }
    const there = uploads.get(upload) ?? new Uint8Array();
    if (method === 'PATCH') {
      const [from = ''] = (request.headers['content-range'] ?? '').split('-');
      if (Number(from) !== there.length) return void response.writeHead(416).end();
      uploads.set(upload, Buffer.concat([there, body]));
      return void response.writeHead(202, { location: upload, range: `0-${there.length + body.length - 1}` }).end();
    }
    if (name === 'uploads' && method === 'GET')
      return void response.writeHead(204, { location: upload, range: `0-${Math.max(there.length - 1, 0)}` }).end();
    if (name === 'uploads') {
      blobs.set(`${repository}/blobs/${url.searchParams.get('digest') ?? ''}`, Buffer.concat([there, body]));
      return void response.writeHead(201).end();
    }
    const key = `${repository}/${kind}/${name}`;
    if (method === 'PUT') {
      blobs.set(key, body);
      blobs.set(`${repository}/${kind}/${sha256(body)}`, body);
      return void response.writeHead(201).end();
    }
    const found = blobs.get(key);
    if (found === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': found.length, 'content-type': OCI_INDEX }).end(method === 'HEAD' ? undefined : found);
  };
  return { handler, log, blobs };
}

/** An answer that the registry gives and nobody hears. */
export function lostAnswer(): ServerResponse {
  const lost = { writeHead: () => lost, end: () => lost };
  return lost as unknown as ServerResponse;
}
