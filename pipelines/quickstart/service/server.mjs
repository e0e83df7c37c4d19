// A small real HTTP service: it takes readings and sums them up, with a health page. The quickstart releases it four times.
import { readFileSync } from 'node:fs';
import { summarise } from './readings.mjs';

const release = JSON.parse(readFileSync(new URL('./release.json', import.meta.url), 'utf8'));
const readings = [];

/** Answers one request: `GET /healthz`, `GET /version`, `GET /readings`, `POST /readings` (a JSON number). */
export async function handle(request, response) {
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /version') return send(response, 200, { name: 'readings', version: release.version });
  if (route === 'GET /readings') return send(response, 200, summarise(readings));
  if (route === 'POST /readings') {
    readings.push(JSON.parse(await body(request)));
    return send(response, 201, { count: readings.length });
  }
  if (route === 'GET /healthz') {
    // `release.json` of 1.2.0 names a store that does not exist: its tests never ask for it, its first real request does.
    const healthy = release.store === 'memory';
    return send(response, healthy ? 200 : 503, healthy ? { ok: true } : { ok: false, reason: `store ${release.store} is not there` });
  }
  return send(response, 404, { error: 'not found' });
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}

async function body(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 1024) throw new Error('read a request body: expected at most 1024 bytes');
  }
  return text;
}
