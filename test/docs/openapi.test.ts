/** `docs/openapi.json` is made from the routes that the service serves. After a change: `npx vitest run --project system test/docs/openapi.test.ts -u`. */
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { format as pretty } from 'prettier';
import { describe, expect, test } from 'vitest';
import { OPEN } from '../../packages/promoter/src/service/open-routes.js';
import { openApiDocument } from '../../packages/promoter/src/service/openapi.js';
import { RIGHTS } from '../../packages/promoter/src/service/rights.js';
import { ROUTES } from '../../packages/promoter/src/service/routes/index.js';
import { ROOT } from '../support/run.js';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>>;
  /** Empty where no caller is asked for. */
  readonly security?: readonly object[];
}

const document = openApiDocument(ROUTES) as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const operations = Object.entries(document.paths).flatMap(([address, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ address, method, operation })),
);

describe('docs/openapi.json', () => {
  test('is made from the routes', async () => {
    const written = await pretty(JSON.stringify(document), { parser: 'json', printWidth: 140 });
    await expect(written).toMatchFileSnapshot(path.join(ROOT, 'docs', 'openapi.json'));
  });

  test('has every route with its method and right, and every right has its route', () => {
    expect(operations.map(({ address, method, operation }) => `${method} ${address} ${operation.operationId}`).sort()).toEqual(
      [...ROUTES, ...Object.values(OPEN)].map((route) => `${route.method.toLowerCase()} ${route.path} ${route.id}`).sort(),
    );
    expect(ROUTES.map(({ id }) => id).sort()).toEqual([...RIGHTS].sort());
  });

  test.for(operations.map((each) => ({ ...each })))(
    '$method $address: parameters are those of the address, schemas compile',
    ({ address, operation }) => {
      const inPath = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      const schemas = [
        ...operation.parameters.map(({ schema }) => schema),
        ...Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema),
        ...['200', '201'].flatMap((status) =>
          Object.values(operation.responses[status]?.content ?? {}).flatMap(({ schema = [] }) => schema),
        ),
      ];
      for (const schema of schemas) expect(() => new Ajv2020({ strict: false }).compile(schema)).not.toThrow();
      if (operation.security === undefined) expect(schemas.length).toBeGreaterThan(0);
    },
  );
});
