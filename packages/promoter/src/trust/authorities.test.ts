/** Authorities whose certificates ask for what nothing here judges: real ones by OpenSSL, which says of the same chains what it makes of them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { timestampAuthority } from '../../../../test/support/certificates.js';
import { makeHome, type TestHome } from '../testing/test-home.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const ISSUES = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];

let dir: string;
let lane: TestHome;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-ca-'));
  lane = await makeHome();
});

afterAll(async () => {
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

function openssl(...words: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('openssl', words, { cwd: dir, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

function must(...words: readonly string[]): void {
  const { status, said } = openssl(...words);
  if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${said}`);
}

/** A root with these extensions, and a leaf of mallory's that it issued. */
function issued(extensions: readonly string[]): { readonly chain: string; readonly verdict: ReturnType<typeof openssl> } {
  const added = (all: readonly string[]): readonly string[] => all.flatMap((each) => ['-addext', each]);
  must('req', '-x509', ...KEY, '-keyout', 'root.key', '-out', 'root.pem', '-subj', '/CN=authority', ...added([...ISSUES, ...extensions]));
  must('req', ...KEY, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/');
  const leaf = 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=codeSigning\nsubjectAltName=critical,email:mallory@evil.example\n';
  writeFileSync(path.join(dir, 'leaf.ext'), leaf);
  must(
    'x509',
    '-req',
    '-in',
    'leaf.csr',
    '-CA',
    'root.pem',
    '-CAkey',
    'root.key',
    '-CAcreateserial',
    '-extfile',
    'leaf.ext',
    '-out',
    'leaf.pem',
  );
  return { chain: readFileSync(path.join(dir, 'root.pem'), 'utf8'), verdict: openssl('verify', '-CAfile', 'root.pem', 'leaf.pem') };
}

/** What is said to a pipeline whose identities these authorities are to vouch for. */
async function proposed(chain: string): Promise<Awaited<ReturnType<TestHome['run']>>> {
  const file = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(file, 'utf8');
  const authorities = {
    certificates: [{ url: 'https://ca.example', chain }],
    timestamps: [{ url: 'https://tsa.example', chain: (await timestampAuthority('TSA')).chain }],
  };
  writeFileSync(file, stringify({ ...(parse(text) as object), authorities }));
  const answer = await lane.run(['trust', 'propose']);
  writeFileSync(file, text);
  return answer;
}

describe.skipIf(!hasOpenssl)('an authority by OpenSSL (skipped without openssl)', () => {
  it('that asks for nothing unknown is put into policy', async () => {
    const { chain, verdict } = issued([]);
    expect(verdict).toMatchObject({ status: 0 });
    expect(await proposed(chain)).toMatchObject({ exit: 5, json: { targets: { missing: 2 } } });
  });

  it.each([
    [
      'a critical extension that nobody knows',
      '1.2.3.4=critical,ASN1:UTF8String:only here',
      'critical extension 1.2.3.4',
      'unhandled critical extension',
    ],
    [
      'name constraints that its leaves break',
      'nameConstraints=critical,permitted;email:example.org',
      'name constraints',
      'permitted subtree violation',
    ],
    [
      'name constraints that are not critical',
      'nameConstraints=excluded;email:evil.example',
      'name constraints',
      'excluded subtree violation',
    ],
  ])('with %s is refused, as OpenSSL refuses it', async (_what, extension, said, opensslSaid) => {
    const { chain, verdict } = issued([extension]);
    expect(verdict.status).not.toBe(0);
    expect(verdict.said).toContain(opensslSaid);
    const { exit, json } = await proposed(chain);
    expect(exit).not.toBe(0);
    expect(json.error.message).toContain(
      `expected certificates without ${said}, which nothing here judges, in the chain of https://ca.example`,
    );
  });

  it('that may issue for other uses alone is refused', async () => {
    const { chain } = issued(['extendedKeyUsage=serverAuth']);
    expect((await proposed(chain)).json.error.message).toContain('expected issuers of certificates that sign code');
  });
});
