import { digestFromHex } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rangeOf, registryRequest } from './registry-request.js';

const digest = digestFromHex('a'.repeat(64));

describe('a request line', () => {
  test.each([
    ['/v2/', { is: 'version' }],
    ['/v2', { is: 'version' }],
    [`/v2/app/manifests/${digest}`, { is: 'manifest', digest }],
    [`/v2/edge/team/app/blobs/${digest}`, { is: 'blob', digest }],
    [`/v2/app/manifests/${digest}?ns=registry.example`, { is: 'manifest', digest }],
  ])('%s is taken', (target, expected) => {
    expect(registryRequest('GET', target)).toEqual(expected);
    expect(registryRequest('HEAD', target)).toEqual(expected);
  });

  test.each([
    ['a tag, which may stand for other bytes tomorrow', '/v2/app/manifests/latest', 404, 'MANIFEST_UNKNOWN'],
    ['a blob without a digest', '/v2/app/blobs/latest', 400, 'DIGEST_INVALID'],
    ['another algorithm', `/v2/app/blobs/sha512:${'a'.repeat(128)}`, 400, 'DIGEST_INVALID'],
    ['a path that leads out', `/v2/../etc/blobs/${digest}`, 400, 'NAME_INVALID'],
    ['a name in upper case', `/v2/App/blobs/${digest}`, 400, 'NAME_INVALID'],
    ['a name beyond 255 characters', `/v2/${'a'.repeat(256)}/blobs/${digest}`, 400, 'NAME_INVALID'],
    ['a path beyond a kilobyte', `/v2/${'a/'.repeat(600)}blobs/${digest}`, 400, 'NAME_INVALID'],
    ['the list of tags', '/v2/app/tags/list', 404, 'NAME_UNKNOWN'],
    ['referrers', `/v2/app/referrers/${digest}`, 404, 'NAME_UNKNOWN'],
    ['the catalogue', '/v2/_catalog', 404, 'NAME_UNKNOWN'],
    ['another version of the API', `/v1/app/blobs/${digest}`, 404, 'NAME_UNKNOWN'],
  ])('%s is refused', (_what, target, status, code) => {
    expect(registryRequest('GET', target)).toMatchObject({ is: 'refused', status, code });
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', ''])('method %j writes nothing', (method) => {
    expect(registryRequest(method, `/v2/app/blobs/${digest}`)).toMatchObject({ is: 'refused', status: 405 });
  });

  test('whatever is asked, only a digest is looked up', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webPath(),
          fc.constant('/v2/app/blobs/').chain((start) => fc.string().map((end) => start + end)),
        ),
        (target) => {
          const request = registryRequest('GET', target);
          if (request.is === 'blob' || request.is === 'manifest') expect(request.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
        },
      ),
    );
  });
});

describe('a range', () => {
  test.each([
    [undefined, undefined],
    ['bytes=0-', { start: 0, end: 99 }],
    ['bytes=10-19', { start: 10, end: 19 }],
    ['bytes=90-1000', { start: 90, end: 99 }],
    ['bytes=-5', { start: 95, end: 99 }],
    ['bytes=-1000', { start: 0, end: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', undefined],
    ['bytes=0-1,5-6', undefined],
    ['bytes=-', undefined],
    ['lines=0-1', undefined],
  ])('%s of 100 bytes', (header, expected) => expect(rangeOf(header, 100)).toEqual(expected));

  test('stays within the blob', () => {
    fc.assert(
      fc.property(fc.option(fc.nat(300)), fc.option(fc.nat(300)), fc.nat(200), (first, last, size) => {
        const range = rangeOf(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (typeof range !== 'object') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.start).toBeLessThanOrEqual(range.end);
        expect(range.end).toBeLessThan(size);
      }),
    );
  });
});
