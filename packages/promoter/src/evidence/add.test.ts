/** Evidence that says nothing, or speaks of something else, is refused whole and leaves no statement. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { slowHelper } from '../testing/slow-helper.js';
import { makeHome, PROVENANCE, type TestHome } from '../testing/test-home.js';

let lane: TestHome;
let release: string;
let provenance: string;

beforeEach(async () => {
  lane = await makeHome();
  release = await lane.release('1.0.0');
  provenance = lane.file('provenance.json', PROVENANCE);
});

afterEach(async () => {
  await lane.stop();
});

const GOOD_REPORT = '<testsuite name="s"><testcase name="a"/><testcase name="b"/></testsuite>';
const statements = async (of = release): Promise<{ predicateType: string }[]> => (await lane.sealane(['evidence', 'list', of])).statements;

async function expectRefused(words: readonly string[], exit: number, code: string): Promise<void> {
  const before = await statements();
  const answer = await lane.run(['evidence', 'add', ...words]);
  expect({ exit: answer.exit, code: answer.json?.error?.code }, answer.talk).toEqual({ exit, code });
  expect(await statements()).toEqual(before);
}

describe('evidence add', () => {
  it('lets others publish, and log the same run, while somebody has still to touch the token that signs', async () => {
    const dated = '<testsuite name="dated" timestamp="2026-01-02T03:04:05"><testcase name="a"/></testsuite>';
    const words = ['evidence', 'add', release, '--tests', lane.file('dated.xml', dated), '--key'];
    const before = await statements();
    const adding = lane.run([...words, slowHelper(lane, 'lab')]);
    await expect.poll(() => existsSync(path.join(lane.dir, 'asked'))).toBe(true);
    await lane.sealane(['publish', '--refresh']);
    const other = await lane.sealane([...words, 'lab']);
    writeFileSync(path.join(lane.dir, 'touched'), '');
    expect(await adding).toMatchObject({ exit: 0, json: other });
    expect(await statements()).toHaveLength(before.length + 1);
  });

  it('answers in the contract’s shape', async () => {
    const added = await lane.sealane(['evidence', 'add', release, '--provenance', provenance, '--key', 'builder']);
    expect(added.statements).toMatchObject([
      { predicateType: 'https://slsa.dev/provenance/v1', digest: expect.stringMatching(/^sha256:/), logIndex: 1 },
    ]);
  });

  it.each([
    ['empty', ''],
    ['of no suite', '<testsuites/>'],
    ['of zero tests', '<testsuites><testsuite name="s" tests="0"/></testsuites>'],
    ['that claims tests it does not have', '<testsuite name="s" tests="5" failures="0"/>'],
    [
      'of skipped tests only',
      '<testsuite name="s"><testcase name="a"><skipped/></testcase><testcase name="b"><skipped/></testcase></testsuite>',
    ],
    ['that is cut off', '<testsuite name="s"><testcase name="a"/>'],
    ['that is no XML', '{"tests": 5}'],
    ['with an entity', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite name="s"><testcase name="&e;"/></testsuite>'],
  ])('refuses a test report %s (3)', async (_, text) => {
    await expectRefused([release, '--tests', lane.file('junit.xml', text), '--key', 'lab'], 3, 'EVIDENCE_RESULT');
  });

  it('takes a report that says when it ran once, however often a job hands it in, and one that does not as another run', async () => {
    const dated = '<testsuite name="dated" timestamp="2026-01-02T03:04:05"><testcase name="a"/></testsuite>';
    const words = ['evidence', 'add', release, '--tests', lane.file('dated.xml', dated), '--key', 'lab'];
    const first = await lane.sealane(words);
    expect(await lane.sealane(words)).toEqual(first);
    const other = await lane.sealane([
      'evidence',
      'add',
      release,
      '--tests',
      lane.file('later.xml', dated.replace('02T', '03T')),
      '--key',
      'lab',
    ]);
    expect(other.statements[0].digest).not.toBe(first.statements[0].digest);
    const undated = ['evidence', 'add', release, '--tests', lane.file('undated.xml', GOOD_REPORT), '--key', 'lab'];
    expect((await lane.sealane(undated)).statements[0].digest).not.toBe((await lane.sealane(undated)).statements[0].digest);
  });

  it('refuses a bundle about another release, and takes it for that one', async () => {
    const other = await lane.release('2.0.0');
    await lane.sealane(['evidence', 'add', other, '--provenance', provenance, '--key', 'builder']);
    const [{ digest }] = (await lane.sealane(['evidence', 'list', other])).statements.filter(
      ({ predicateType }: { predicateType: string }) => predicateType.includes('provenance'),
    );
    await lane.sealane(['promote', other, '--to', 'dev']);
    const proof = await lane.sealane(['log', 'prove', digest]);
    const bundle = lane.file('bundle.json', JSON.stringify(proof.bundle));
    await expectRefused([release, '--bundle', bundle], 3, 'EVIDENCE_SUBJECT');
    const before = await statements(other);
    await lane.sealane(['evidence', 'add', other, '--bundle', bundle]);
    // it is there already: a statement keeps its place
    expect(await statements(other)).toEqual(before);
  });

  it('logs none of several when one is bad', async () => {
    await expectRefused(
      [release, '--provenance', provenance, '--bundle', lane.file('bundle.json', '{}'), '--key', 'builder'],
      4,
      'TRUST_MALFORMED',
    );
  });

  it('refuses a key that is not listed for that kind (3)', async () => {
    await expectRefused([release, '--provenance', provenance, '--key', 'lab'], 3, 'EVIDENCE_SIGNER');
    await expectRefused([release, '--tests', lane.file('junit.xml', GOOD_REPORT), '--key', 'builder'], 3, 'EVIDENCE_SIGNER');
  });

  it('refuses hardware without the tests that ran on it, nothing at all, and no key', async () => {
    await expectRefused([release, '--hardware', lane.file('hw.json', '{}'), '--key', 'lab'], 2, 'USAGE');
    await expectRefused([release], 2, 'USAGE');
    await expectRefused([release, '--provenance', provenance], 2, 'USAGE');
  });

  it('refuses provenance of another shape, and a statement about other bytes', async () => {
    await expectRefused([release, '--provenance', lane.file('p.json', '{"builder": "me"}'), '--key', 'builder'], 2, 'CONFIG_INVALID');
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'x', digest: { sha256: 'a'.repeat(64) } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: JSON.parse(readFileSync(provenance, 'utf8')),
    };
    await expectRefused(
      [release, '--provenance', lane.file('p.json', JSON.stringify(statement)), '--key', 'builder'],
      3,
      'EVIDENCE_SUBJECT',
    );
  });

  it('refuses provenance that vouches for a part alone, such as that of a release with the same part in it', async () => {
    const make = async (version: string, own: string): Promise<{ release: string; components: { digest: string }[] }> => {
      const parts = [lane.file('shared.yaml', 'shared: true\n'), lane.file('own.yaml', own)].flatMap((file) => ['--manifest', file]);
      return await lane.sealane(['release', 'create', '--name', 'pair', '--version', version, ...parts, '--key', 'author']);
    };
    const [first, second] = [await make('1.0.0', 'own: 1\n'), await make('2.0.0', 'own: 2\n')];
    const statementOf = (digests: readonly string[], predicateType = 'https://slsa.dev/provenance/v1'): string =>
      lane.file(
        'statement.json',
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          subject: digests.map((digest) => ({ name: 'x', digest: { sha256: digest.slice('sha256:'.length) } })),
          predicateType,
          predicate: JSON.parse(readFileSync(provenance, 'utf8')),
        }),
      );
    const add = (digests: readonly string[], type?: string): string[] => [
      ...[second.release, '--provenance', statementOf(digests, type), '--key', 'builder'],
    ];
    const [shared, own] = second.components.map(({ digest }) => digest);
    await expectRefused(add([first.release, ...first.components.map(({ digest }) => digest)]), 3, 'EVIDENCE_SUBJECT');
    await expectRefused(add([shared ?? '']), 3, 'EVIDENCE_SUBJECT');
    await expectRefused(add([second.release], 'https://ci.example/another/v1'), 2, 'CONFIG_INVALID');
    await lane.sealane(['evidence', 'add', ...add([own ?? '', shared ?? ''])]);
    await lane.sealane(['evidence', 'add', ...add([second.release])]);
  });

  it('refuses evidence about a release that is not there', async () => {
    await expectRefused([`sha256:${'0'.repeat(64)}`, '--provenance', provenance, '--key', 'builder'], 2, 'RELEASE_UNKNOWN');
  });
});
