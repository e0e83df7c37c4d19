// The service's own tests. The quickstart runs them against the very bytes of each release, with the JUnit reporter.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { handle } from './server.mjs';
import { summarise } from './readings.mjs';

const server = createServer((request, response) => void handle(request, response));
let url;

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test('an empty list has no mean', () => {
  assert.deepEqual(summarise([]), { count: 0 });
});

test('counts, averages and finds the largest reading', () => {
  assert.deepEqual(summarise([1, 2, 6]), { count: 3, mean: 3, largest: 6 });
});

test('takes a reading and reports it', async () => {
  const posted = await fetch(`${url}/readings`, { method: 'POST', body: '21.5' });
  assert.equal(posted.status, 201);
  assert.deepEqual(await (await fetch(`${url}/readings`)).json(), { count: 1, mean: 21.5, largest: 21.5 });
});

test('says which version it is', async () => {
  const { version } = await (await fetch(`${url}/version`)).json();
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

test('answers 404 to what it does not know', async () => {
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
});
