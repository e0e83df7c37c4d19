/** The OpenAPI 3.1 document of the service, made from the routes that serve it. */
import { z } from 'zod';
import { failureShape } from './answers.js';
import { OPEN, type OpenRoute } from './open-routes.js';
import type { Route, RouteBody } from './route.js';

type Json = Readonly<Record<string, unknown>>;

/** What every route may answer beside its own. */
const FAILURES: Readonly<Record<string, string>> = {
  '400': 'the request is not one that the route takes',
  '401': 'no caller that the service knows; the same for every request of a stranger',
  '403': 'the caller has no right to this',
  '404': 'what is named is not there',
  '409': 'the name and version stand for other bytes',
  '413': 'more than is read',
  '422': 'refused by policy, or not verified',
  '429': 'the caller has used up what it may ask for',
  '500': 'a fault of the service; its log describes it',
  '502': 'a remote of the service is unavailable',
  '503': 'not now: try again after retry-after',
};

/** The document. */
export function openApiDocument(routes: readonly Route[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sealane promoter service',
      version: '1',
      description:
        'What the commands of `sealane` do, with the same JSON. The header `sealane-exit` of each answer is the exit code of the command: a refused promotion is an answer (200) with exit code 3.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }, { certificate: [] }],
    paths: { ...pathsOf(routes), ...openPaths(Object.values(OPEN)) },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'an OIDC token whose claims service.yaml names' },
        certificate: { type: 'mutualTLS', description: 'a client certificate that service.yaml names' },
      },
      schemas: { Failure: schemaOf(failureShape) },
      responses: Object.fromEntries(
        Object.entries(FAILURES).map(([status, description]) => [
          `Failure${status}`,
          { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } } },
        ]),
      ),
    },
  };
}

function pathsOf(routes: readonly Route[]): Json {
  const paths = [...new Set(routes.map(({ path }) => path))];
  return Object.fromEntries(
    paths.map((path) => {
      const here = routes.filter((route) => route.path === path);
      return [path, Object.fromEntries(here.map((route) => [route.method.toLowerCase(), operationOf(route)]))];
    }),
  );
}

function openPaths(routes: readonly OpenRoute[]): Json {
  return Object.fromEntries(routes.map((route) => [route.path, { [route.method.toLowerCase()]: openOperation(route) }]));
}

/** `security` is empty: whoever asks is answered. */
function openOperation({ id, summary, body, answer, refusals }: OpenRoute): Json {
  const schema = answer.shape === undefined ? {} : { schema: schemaOf(answer.shape) };
  return {
    operationId: id,
    summary,
    security: [],
    parameters: [],
    ...(body === undefined ? {} : { requestBody: { description: body, required: true, content: { 'application/json': { schema: {} } } } }),
    responses: {
      [answer.status]: { description: answer.description, content: { [answer.mediaType]: schema } },
      ...Object.fromEntries(Object.entries(refusals).map(([status, description]) => [status, { description }])),
    },
  };
}

function operationOf({ id, summary, params, query, body, answer }: Route): Json {
  return {
    operationId: id,
    summary,
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    ...(body.kind === 'none' ? {} : { requestBody: { required: true, ...contentOf(body) } }),
    responses: {
      '200': {
        description: 'what the command prints with --json',
        headers: {
          'sealane-exit': { description: 'exit code of the command', required: true, schema: { type: 'integer', minimum: 0, maximum: 8 } },
        },
        content: { 'application/json': { schema: schemaOf(answer) } },
      },
      ...Object.fromEntries(Object.keys(FAILURES).map((status) => [status, { $ref: `#/components/responses/Failure${status}` }])),
    },
  };
}

function parametersOf(shape: z.ZodObject, where: 'path' | 'query'): readonly Json[] {
  const { properties = {}, required = [] } = schemaOf(shape) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: where, required: required.includes(name), schema }));
}

function contentOf(body: Exclude<RouteBody, { readonly kind: 'none' }>): Json {
  if (body.kind === 'json') return { content: { 'application/json': { schema: schemaOf(body.shape) } } };
  const schema = body.mediaType === 'application/json' ? {} : { type: 'string', format: 'binary' };
  return { description: body.description, content: { [body.mediaType]: { schema } } };
}

/** OpenAPI 3.1 takes JSON Schema 2020-12, which is what zod writes. */
function schemaOf(shape: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: 'input' });
  return schema;
}
