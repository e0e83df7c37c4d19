/** A promoter service over a real lane, with real OIDC issuers that mint tokens as GitHub and GitLab do. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { ROOT, type RunOptions, type Server, startNode, startServer } from './run.js';
import type { TestLane } from './lane.js';

/** The audience that tokens must have. */
export const AUDIENCE = 'https://sealane.example';

/** Claims of a token of a GitHub Actions job (docs.github.com, "OpenID Connect reference"). */
export const GITHUB_CLAIMS = {
  sub: 'repo:acme/readings:ref:refs/heads/main',
  repository: 'acme/readings',
  repository_id: '74',
  repository_owner: 'acme',
  ref: 'refs/heads/main',
  ref_protected: 'true',
  sha: '4f1c'.repeat(10),
  event_name: 'push',
  workflow_ref: 'acme/readings/.github/workflows/release.yml@refs/heads/main',
  runner_environment: 'github-hosted',
};

/** Claims of a token of a GitLab CI job (docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens"). */
export const GITLAB_CLAIMS = {
  sub: 'project_path:acme/readings:ref_type:branch:ref:main',
  project_path: 'acme/readings',
  project_id: '22',
  namespace_path: 'acme',
  ref: 'main',
  ref_type: 'branch',
  ref_protected: 'true',
  pipeline_source: 'push',
  runner_environment: 'gitlab-hosted',
};

/** A running issuer. */
export interface Issuer extends Server {
  /** A token for an audience, with claims changed as asked. */
  token(audience?: string, changes?: Readonly<Record<string, unknown>>): Promise<string>;
  /** What GitHub's runner puts into a job's environment. */
  readonly runnerEnv: Readonly<Record<string, string>>;
}

/** Starts an issuer whose tokens have these claims. */
export async function startIssuer(dir: string, name: string, claims: object): Promise<Issuer> {
  const file = path.join(dir, `${name}-claims.json`);
  writeFileSync(file, JSON.stringify(claims));
  const server = await startNode([path.join(ROOT, 'test', 'support', 'issuer.mjs'), file]);
  const runner = `${server.url}/runner/token?api-version=2.0`;
  return {
    ...server,
    runnerEnv: { ACTIONS_ID_TOKEN_REQUEST_URL: runner, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner', SEALANE_AUDIENCE: AUDIENCE },
    token: async (audience = AUDIENCE, changes = {}) => {
      const asked = new URL(runner);
      asked.searchParams.set('audience', audience);
      asked.searchParams.set('with', JSON.stringify(changes));
      const answer = await fetch(asked, { headers: { authorization: 'Bearer runner' } });
      return ((await answer.json()) as { readonly value: string }).value;
    },
  };
}

/** Rights of a job that makes releases, adds evidence and promotes. */
const CI_RIGHTS = [
  'release.create',
  'release.list',
  'release.show',
  'blob.add',
  'evidence.add',
  'evidence.list',
  'plan',
  'explain',
  'promote',
  'statement.add',
  'channel.show',
  'log.prove',
];

/** service.yaml for one GitHub-shaped and one GitLab-shaped issuer, and an operator who may revoke. */
export function serviceYaml(
  issuers: { readonly github: Pick<Issuer, 'url'>; readonly gitlab?: Pick<Issuer, 'url'> },
  more: object = {},
): string {
  const { github, gitlab } = issuers;
  const rule = ({ url }: Pick<Issuer, 'url'>): object => ({ issuer: url, audience: AUDIENCE, jwks: `${url}/jwks` });
  const { repository, ref, workflow_ref } = GITHUB_CLAIMS;
  return stringify({
    apiVersion: 'sealane/v1',
    kind: 'Service',
    issuers: [rule(github), ...(gitlab === undefined ? [] : [rule(gitlab)])],
    callers: [
      {
        name: 'readings-main',
        token: { issuer: github.url, claims: { repository, ref, workflow_ref } },
        rights: CI_RIGHTS,
        stages: ['dev', 'edge-preprod'],
      },
      {
        name: 'operator',
        token: { issuer: github.url, claims: { repository: 'acme/operations' } },
        rights: ['revoke', 'promote'],
        stages: ['prod'],
      },
      { name: 'reader', token: { issuer: github.url, claims: { repository: 'acme/reader' } }, rights: ['release.list', 'plan'] },
      ...(gitlab === undefined
        ? []
        : [
            {
              name: 'readings-gitlab',
              token: { issuer: gitlab.url, claims: { project_path: GITLAB_CLAIMS.project_path, ref: 'main', ref_type: 'branch' } },
              rights: CI_RIGHTS,
              stages: ['dev'],
            },
          ]),
    ],
    ...more,
  });
}

/** Serves the lane's home. */
export function startService(lane: Pick<TestLane, 'home'>, yaml: string, options: RunOptions = {}): Promise<Server> {
  const file = path.join(lane.home, 'service.yaml');
  writeFileSync(file, yaml);
  return startServer('sealane', ['serve', '--listen', '127.0.0.1:0', '--home', lane.home], options);
}

/** An answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  readonly exit: string | null;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is asserted is the shape itself
  readonly json: any;
}

/** Calls the API as a client without our code would. */
export async function api(
  server: Pick<Server, 'url'>,
  request: string,
  { token, body }: { readonly token?: string; readonly body?: unknown } = {},
): Promise<ApiAnswer> {
  const [method = 'GET', where = '/'] = request.split(' ');
  const answer = await fetch(`${server.url}${where}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  return { status: answer.status, exit: answer.headers.get('sealane-exit'), text, json: isJson ? JSON.parse(text) : undefined };
}

/** A key of the example set as KEYREF: the CI's own, on the CI's machine. */
export function exampleKey(name: string): string {
  return `file:${path.join(ROOT, 'keys-example', `${name}.pem`)}`;
}
