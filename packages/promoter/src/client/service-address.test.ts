/** Addresses of a service, as they are given. */
import { expect, test } from 'vitest';
import { serviceAddress } from './service-address.js';

const read = (server: string): string | undefined => serviceAddress({ options: { server } });

test.each([
  ['', undefined],
  ['https://sealane.example', 'https://sealane.example'],
  ['https://sealane.example/lane/', 'https://sealane.example/lane'],
])('%j is read', (server, address) => {
  expect(read(server)).toBe(address);
});

test.each(['sealane.example', 'ftp://sealane.example', 'https://sealane.example/?a=b', 'https://'])('%j is none', (server) => {
  expect(() => read(server)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test.each(['https://ci:hunter2@sealane.example', 'https://hunter2@sealane.example/lane', 'ftp://ci:hunter2@sealane.example'])(
  '%j has a password in it, which is not quoted',
  (server) => {
    expect(() => read(server)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => read(server)).not.toThrow(/hunter2/);
  },
);
