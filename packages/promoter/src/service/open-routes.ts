/**
 * What the service answers without knowing a caller: what is posted is signed by somebody whom the lane knows, what is read is for all. Lane files are served
 * beside these, under their paths in the lane.
 */
import type { z } from 'zod';
import { statementsShape } from './answers.js';

/** One of them, as `openapi.json` describes it. `refusals`: what else it answers, by status; their bodies say nothing more. */
export interface OpenRoute {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  /** What is posted, as JSON. */
  readonly body?: string;
  readonly answer: { readonly status: 200 | 201; readonly description: string; readonly mediaType: string; readonly shape?: z.ZodType };
  readonly refusals: Readonly<Record<number, string>>;
}

const TOO_LARGE = { 413: 'more than is read' };
const LATER = { 503: 'not now: try again later' };

export const OPEN = {
  receipts: {
    id: 'receipts.post',
    method: 'POST',
    path: '/api/v1/receipts',
    summary: 'log receipts of sites; one that is logged already is a success',
    body: 'one bundle or a list of them, each with a receipt that its site has signed',
    answer: { status: 201, description: 'where they are logged', mediaType: 'application/json', shape: statementsShape },
    refusals: {
      400: 'no receipts of sites that the lane knows',
      ...TOO_LARGE,
      429: 'the site has used up its hour: try again after retry-after',
      ...LATER,
    },
  },
  certificates: {
    id: 'certificates.post',
    method: 'POST',
    path: '/api/v1/certificates',
    summary: 'give a site a certificate; the same request gets the same one',
    body: 'a request that the key of the site’s record has signed',
    answer: { status: 200, description: 'the certificate and its chain', mediaType: 'application/pem-certificate-chain' },
    refusals: { 400: 'no request of a site that the lane knows', ...TOO_LARGE, ...LATER },
  },
  records: {
    id: 'records.post',
    method: 'POST',
    path: '/api/v2/log/entries',
    summary: 'log a record as Rekor v2 does, where service.yaml has `records`',
    body: 'a hashedRekordRequestV002 of the Rekor v2 API',
    answer: { status: 201, description: 'the TransparencyLogEntry of the Rekor v2 API', mediaType: 'application/json' },
    refusals: {
      400: 'no such request',
      401: 'not signed by a key that may log here',
      405: 'this service has no log of records',
      ...TOO_LARGE,
      429: 'too many records',
      ...LATER,
    },
  },
  health: {
    id: 'health.get',
    method: 'GET',
    path: '/healthz',
    summary: 'say whether the service takes requests',
    answer: { status: 200, description: 'it does', mediaType: 'text/plain' },
    refusals: { 503: 'it is stopping' },
  },
  metrics: {
    id: 'metrics.get',
    method: 'GET',
    path: '/metrics',
    summary: 'numbers for Prometheus',
    answer: { status: 200, description: 'the text format of Prometheus', mediaType: 'text/plain' },
    refusals: {},
  },
  openapi: {
    id: 'openapi.get',
    method: 'GET',
    path: '/openapi.json',
    summary: 'this document',
    answer: { status: 200, description: 'OpenAPI 3.1', mediaType: 'application/json' },
    refusals: {},
  },
} as const satisfies Readonly<Record<string, OpenRoute>>;
