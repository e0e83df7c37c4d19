import { expect, test } from 'vitest';
import { isFromAnotherSite } from './cross-site.js';

test.each<[method: string, headers: Record<string, string>]>([
  ['POST', { 'sec-fetch-site': 'cross-site' }],
  ['POST', { 'sec-fetch-site': 'same-site', origin: 'https://promoter.example' }],
  ['PUT', { 'sec-fetch-site': 'cross-site' }],
  // a browser that sends no such header
  ['POST', { origin: 'https://evil.example' }],
  ['POST', { origin: 'https://promoter.example.evil.example' }],
  ['POST', { origin: 'https://promoter.example:8443' }],
  // of a page in a sandbox, or saved to a disk
  ['POST', { origin: 'null' }],
])('%s with %j is another site’s', (method, headers) => {
  expect(isFromAnotherSite(method, { host: 'promoter.example', ...headers })).toBe(true);
});

test.each<[method: string, headers: Record<string, string>]>([
  ['POST', {}],
  ['POST', { 'sec-fetch-site': 'same-origin', origin: 'https://promoter.example' }],
  ['POST', { 'sec-fetch-site': 'none' }],
  ['POST', { origin: 'https://promoter.example' }],
  ['GET', { 'sec-fetch-site': 'cross-site' }],
  ['HEAD', { origin: 'https://evil.example' }],
])('%s with %j is a program’s, the reader’s own, or changes nothing', (method, headers) => {
  expect(isFromAnotherSite(method, { host: 'promoter.example', ...headers })).toBe(false);
});
