import { expect, test } from 'vitest';
import { listenHint } from './listening.js';

const refused = (code: string): Error => Object.assign(new Error('listen'), { code });

test('says what to do about an address, by what the system says of it', () => {
  expect(listenHint(refused('EADDRINUSE'), '--listen')).toMatch(/something else listens there.* --listen$/);
  expect(listenHint(refused('EACCES'), '--listen')).toMatch(/^ports below 1024/);
  expect(listenHint(refused('EADDRNOTAVAIL'), '--listen')).toMatch(/^this host has no such address/);
  expect(listenHint(new Error('other'), 'tls.listen of service.yaml')).toBe('choose another address with tls.listen of service.yaml');
});
