import { expect, test } from 'vitest';
import { egressOf } from './egress.js';
import { plainPlace } from './place.js';

test('names each host and port once with all that goes there, and no folder', () => {
  const upstreams = ['https://lane.example', 'http://10.0.0.8:5080/lane', '/media/stick', 'https://[::1]:8443'].map(plainPlace);
  const receiptsTo = ['https://lane.example:443', '/var/out'].map(plainPlace);
  expect(egressOf({ upstreams, receiptsTo })).toEqual([
    { host: 'lane.example', port: 443, carries: ['trust', 'content', 'receipts'] },
    { host: '10.0.0.8', port: 5080, carries: ['trust', 'content'] },
    { host: '[::1]', port: 8443, carries: ['trust', 'content'] },
  ]);
});
