import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type HealthProbe, probe } from './probe.js';

const world = { cwd: '/', env: { PATH: process.env['PATH'] }, signal: new AbortController().signal };

async function listening(server: Server | ReturnType<typeof createServer>, use: (port: number) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
}

const http = (port: number, path: string, status?: number): HealthProbe => ({
  kind: 'http',
  url: `http://127.0.0.1:${port}${path}`,
  status,
  timeoutMs: 300,
});

test('http: takes 2xx, or exactly the status that is asked for', async () => {
  const server = createHttpServer((request, response) => response.writeHead(Number(request.url?.slice(1))).end());
  await listening(server, async (port) => {
    const verdict = async (path: string, status?: number) => (await probe(http(port, path, status), world)).verdict;
    expect(await verdict('/200')).toBe('pass');
    expect(await verdict('/204')).toBe('pass');
    expect(await verdict('/301')).toBe('fail');
    expect(await verdict('/503')).toBe('fail');
    expect(await verdict('/503', 503)).toBe('pass');
    expect(await verdict('/200', 204)).toBe('fail');
  });
});

test('http: an endless body passes, an answer that never comes fails within its time', async () => {
  const server = createHttpServer((request, response) => {
    if (request.url === '/endless') response.writeHead(200).write('x'.repeat(1 << 20));
  });
  await listening(server, async (port) => {
    expect(await probe(http(port, '/endless'), world)).toMatchObject({ verdict: 'pass' });
    expect(await probe(http(port, '/never'), world)).toMatchObject({
      verdict: 'fail',
      code: 'HEALTH_FAILED',
      actual: 'no answer in 300 ms',
    });
  });
});

test('http: nobody listening fails, and says what was expected', async () => {
  let free = 0;
  await listening(createServer(), (port) => Promise.resolve(void (free = port)));
  expect(await probe(http(free, '/healthz'), world)).toMatchObject({
    verdict: 'fail',
    expected: `GET http://127.0.0.1:${free}/healthz answers 2xx within 300 ms`,
  });
});

test('tcp: an open port passes, a closed one fails', async () => {
  let closed = 0;
  await listening(createServer(), async (port) => {
    closed = port;
    expect(await probe({ kind: 'tcp', host: '127.0.0.1', port, timeoutMs: 300 }, world)).toMatchObject({ verdict: 'pass' });
  });
  expect(await probe({ kind: 'tcp', host: '127.0.0.1', port: closed, timeoutMs: 300 }, world)).toMatchObject({ verdict: 'fail' });
});

test('command: exit code 0 passes; another, none, or too late fails', async () => {
  const run = async (...command: string[]) => await probe({ kind: 'command', command, timeoutMs: 300 }, world);
  expect(await run('true')).toMatchObject({ verdict: 'pass' });
  expect(await run('sh', '-c', 'exit 4')).toMatchObject({ verdict: 'fail', actual: 'it exits with 4' });
  expect(await run('/no/such/program')).toMatchObject({ verdict: 'fail' });
  expect(await run('sh', '-c', 'sleep 5 & wait')).toMatchObject({ verdict: 'fail', actual: 'it took longer than 300 ms' });
});
