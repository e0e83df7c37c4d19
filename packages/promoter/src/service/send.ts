/** A short answer. */
import type { ServerResponse } from 'node:http';

/** Ends a response with a status and a text. */
export function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
