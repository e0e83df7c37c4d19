/** Connections on which nothing moves, and that wait for nothing of ours. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets go of a connection on which no byte came or went for so long, unless its request is whole and we have not begun to answer: what we take
 * long for is nobody's fault. Else whoever asks for a large file and never reads it would hold a connection for ever, and all of them together every one there is.
 */
export function letGoWhoStalls(server: Server, afterMs: number): void {
  const asking = new WeakMap<Socket, { readonly request: IncomingMessage; readonly response: ServerResponse }>();
  server.on('request', (request, response) => {
    asking.set(request.socket, { request, response });
  });
  server.setTimeout(afterMs, (socket) => {
    const { request, response } = asking.get(socket) ?? {};
    const isOurs = request?.complete === true && response?.headersSent === false;
    if (!isOurs) socket.destroy();
  });
}
