/** `release copy` where things go wrong or happen at once: kills, writers at the same time, logins, statements that say no. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Discovered, discover, verifyAttestation } from '../support/cosign.js';
import { killAt, standAt } from '../support/kill.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { startDistribution, type TestRegistry } from '../support/registry.js';
import { requireProgram } from '../support/require-program.js';
import { runJson } from '../support/run.js';
import { IDENTITY_TOKEN, startTokenIssuer } from '../support/token-issuer.js';

const missing = ['cosign', 'oras', 'docker-registry', 'openssl'].filter((name) => requireProgram(name) === undefined);

const VSA = 'https://slsa.dev/verification_summary/v1';
const USER = 'ci:ships in harbour';
/** bcrypt of the password, as htpasswd writes it. */
const HTPASSWD = 'ci:$2b$04$KcktLdH1/FcFK3xa3hJm4uIz5zxFjDyHSBB1Kyl7XOIrKtDB7v7SC\n';

describe('A14 release copy under fire', () => {
  describe.skipIf(missing.length > 0)(`with real parts (skipped without ${missing.join(', ')})`, () => {
    let dir: string;
    let lane: TestLane;
    let release: string;
    let image: string;
    let registry: TestRegistry;

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-copy-'));
      registry = await startDistribution(path.join(dir, 'registry'));
      lane = await makeLane(dir, { pipeline: withRepositories(registry.host) });
      release = await lane.release('1.0.0');
      image = (await lane.sealane(['release', 'show', release])).components[0].digest;
      await lane.promote(release);
    });

    afterAll(async () => {
      await Promise.all([lane.stop(), registry.stop()]);
      rmSync(dir, { recursive: true, force: true });
    });

    const copy = (to: string, ...words: readonly string[]): readonly string[] => [
      ...['release', 'copy', release, '--to', `docker://${to}`, ...words, '--home', lane.home],
    ];

    it('blobs are mounted from the repository of the stage before, not sent', async () => {
      const dev = await lane.sealane(['release', 'copy', release, '--stage', 'dev']);
      expect(dev.to).toBe(`docker://${registry.host}/dev/readings@${release}`);
      expect(dev.copied).toMatchObject({ mounted: 0 });
      const prod = await lane.sealane(['release', 'copy', release, '--stage', 'prod']);
      // a config and a layer; the two manifests are sent
      expect(prod.copied).toMatchObject({ mounted: 2, sent: 2, there: 0 });
      expect((await verifyAttestation(lane, `${registry.host}/prod/readings@${image}`, VSA, 'prod')).exit).toBe(0);
    });

    it.each(['oci:pushed', 'oci:pushed#3', 'copy:images-there', 'oci:referrers-put', 'copy:attached'])(
      'killed at %s and run again it does not move what is there, and no tag comes before its end',
      async (point) => {
        const to = `${registry.host}/killed/${point.replace(/\W/g, '-')}`;
        await killAt(point, 'sealane', copy(to, '--stage', 'prod'));
        expect((await fetch(`http://${to.replace('/', '/v2/')}/manifests/readings-1.0.0`)).status).toBe(404);
        const { exit, json } = await runJson('sealane', copy(to, '--stage', 'prod'));
        expect(exit).toBe(0);
        const moved = Number(/#(\d)/.exec(point)?.[1] ?? (point === 'oci:pushed' ? 1 : 4));
        expect(json.copied).toMatchObject({ there: moved });
        expect(json.copied.mounted + json.copied.sent).toBe(4 - moved);
        expect(await discover(`${to}@${image}`)).toHaveLength(3);
      },
    );

    it('four copies at once leave every referrer in the list that writers keep', async () => {
      const to = `${registry.host}/at-once/readings`;
      const wishes = [['--stage', 'dev'], ['--stage', 'edge-preprod'], ['--stage', 'prod'], []];
      const ended = await Promise.all(wishes.map((words) => runJson('sealane', copy(to, ...words))));
      for (const { exit, stdout, stderr } of ended) expect(exit, `${stdout}${stderr}`).toBe(0);
      const found = await discover(`${to}@${image}`);
      // provenance and tests, the same for all; and a decision of each stage
      expect(found.map(typeOf).sort()).toEqual([...Array<string>(3).fill(VSA), ...found.map(typeOf).filter((type) => type !== VSA)].sort());
      expect(found).toHaveLength(5);
    });

    it('what says no is attached nowhere, and the image of a refused release is not copied for the stage', async () => {
      const refused = await lane.release('2.0.0');
      const report = path.join(dir, 'failed.xml');
      writeFileSync(
        report,
        '<testsuites><testsuite name="readings" tests="1" failures="1"><testcase name="a"><failure/></testcase></testsuite></testsuites>',
      );
      await lane.sealane(['evidence', 'add', refused, '--tests', report, '--hardware', lane.hardware, '--key', 'lab']);
      await lane.sealane(['evidence', 'add', refused, '--provenance', path.join(dir, 'provenance.json'), '--key', 'builder']);
      await lane.sealane(['promote', refused, '--to', 'prod'], 3);
      await lane.sealane(['reject', refused, '--to', 'prod', '--key', 'alice', '--reason', 'leaks']);
      const to = `docker://${registry.host}/refused/readings`;
      expect((await lane.sealane(['release', 'copy', refused, '--stage', 'prod', '--to', to], 4)).error.code).toBe('WAYBILL_STAGE_ORDER');
      expect((await fetch(`http://${registry.host}/v2/refused/readings/manifests/${refused}`)).status).toBe(404);
      const copied = await lane.sealane(['release', 'copy', refused, '--to', to]);
      const attached = copied.attached.flatMap(({ statements }: { statements: { predicateType: string }[] }) => statements);
      expect(new Set(attached.map(({ predicateType }: { predicateType: string }) => predicateType))).toEqual(
        new Set(['urn:sealane:release:v1', 'https://slsa.dev/provenance/v1']),
      );
      expect(copied.left.map(({ why }: { why: string }) => why).sort()).toEqual([
        'a refusal, or the decision of another stage',
        'a test that did not pass',
        'a veto',
      ]);
      for (const [type, key] of [
        [VSA, 'prod'],
        ['https://in-toto.io/attestation/test-result/v0.1', 'lab'],
        ['urn:sealane:approval:v1', 'alice'],
      ] as const) {
        expect((await verifyAttestation(lane, `${registry.host}/refused/readings@${refused}`, type, key)).exit).not.toBe(0);
      }
    });

    it('a revoked release is not copied', async () => {
      const revoked = await lane.release('3.0.0');
      await lane.promote(revoked, 'dev');
      await lane.sealane(['revoke', revoked, '--reason', 'leaks']);
      const answer = await runJson('sealane', [
        'release',
        'copy',
        revoked,
        '--to',
        `docker://${registry.host}/revoked/x`,
        '--home',
        lane.home,
      ]);
      expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 3, code: 'RELEASE_REVOKED' });
      expect((await fetch(`http://${registry.host}/v2/revoked/x/manifests/${revoked}`)).status).toBe(404);
    });

    it.each(['copy:images-there', 'copy:attached'])('a release that is revoked while it is copied, at %s, gets no tag', async (point) => {
      const recalled = await lane.release(point === 'copy:attached' ? '3.2.0' : '3.1.0');
      await lane.promote(recalled, 'dev');
      const to = `${registry.host}/recalled/${point.replace(/\W/g, '-')}`;
      const words = ['release', 'copy', recalled, '--stage', 'dev', '--to', `docker://${to}`, '--home', lane.home];
      const copying = await standAt(point, 'sealane', words, path.join(dir, point.replace(/\W/g, '-')));
      await lane.sealane(['revoke', recalled, '--reason', 'leaks']);
      const { exit, json } = await copying.goOn();
      expect({ exit, code: json.error.code }).toEqual({ exit: 3, code: 'RELEASE_REVOKED' });
      const tags = await fetch(`http://${to.replace('/', '/v2/')}/tags/list`);
      expect(((await tags.json()) as { tags?: string[] }).tags?.filter((tag) => tag.startsWith('readings-')) ?? []).toEqual([]);
      // what was attached before is there; nothing is attached to what was called back by then
      const found = await discover(`${to}@${recalled}`);
      expect(found.length > 0).toBe(point === 'copy:attached');
    });

    it('a tag that stands for other bytes is left alone', async () => {
      const to = `${registry.host}/taken/readings`;
      expect((await runJson('sealane', copy(to))).exit).toBe(0);
      const manifest = await (await fetch(`http://${to.replace('/', '/v2/')}/manifests/${image}`, { headers: OCI })).text();
      await fetch(`http://${to.replace('/', '/v2/')}/manifests/readings-1.0.0`, { method: 'PUT', body: manifest, headers: OCI_MANIFEST });
      const answer = await runJson('sealane', copy(to));
      expect({ exit: answer.exit, code: answer.json.error.code }).toEqual({ exit: 2, code: 'RELEASE_EXISTS' });
    });

    describe('logins', () => {
      const login = (host: string, user = USER): Readonly<Record<string, string>> => {
        const file = path.join(mkdtempSync(path.join(dir, 'login-')), 'auth.json');
        writeFileSync(file, JSON.stringify({ auths: { [host]: { auth: Buffer.from(user).toString('base64') } } }), { mode: 0o600 });
        return { REGISTRY_AUTH_FILE: file };
      };

      async function tryBoth(guarded: TestRegistry): Promise<void> {
        const words = copy(`${guarded.host}/guarded/readings`, '--stage', 'prod');
        for (const env of [{ REGISTRY_AUTH_FILE: '/dev/null/none' }, login('other.example'), login(guarded.host, 'ci:guessed')]) {
          const denied = await runJson('sealane', words, { env: { ...env, HOME: dir } });
          expect({ exit: denied.exit, code: denied.json.error.code }).toEqual({ exit: 6, code: 'REGISTRY_DENIED' });
          expect(denied.stdout + denied.stderr).not.toMatch(/guessed/);
        }
        const { exit, json, stdout, stderr } = await runJson('sealane', words, { env: login(guarded.host) });
        expect(exit, stderr).toBe(0);
        expect(json.copied).toMatchObject({ sent: 4 });
        expect(stdout + stderr).not.toMatch(/ships in harbour/);
      }

      it('basic, with a real htpasswd', async () => {
        const folder = path.join(dir, 'basic');
        mkdirSync(folder);
        writeFileSync(path.join(folder, 'htpasswd'), HTPASSWD);
        const guarded = await startDistribution(folder, `auth: {htpasswd: {realm: harbour, path: ${folder}/htpasswd}}\n`);
        onTestFinished(() => guarded.stop());
        await tryBoth(guarded);
      });

      it.each([
        ['basic, with a password', USER],
        ['tokens, with an identity token', `<token>:${IDENTITY_TOKEN}`],
      ])('that a credential helper keeps: %s', async (what, kept) => {
        const folder = path.join(dir, what.replace(/\W/g, '-'));
        mkdirSync(path.join(folder, 'bin'), { recursive: true });
        writeFileSync(path.join(folder, 'htpasswd'), HTPASSWD);
        const issuer = await startTokenIssuer(folder, USER);
        const config = kept === USER ? `auth: {htpasswd: {realm: harbour, path: ${folder}/htpasswd}}\n` : issuer.config;
        const guarded = await startDistribution(folder, config);
        onTestFinished(async () => {
          issuer.stop();
          await guarded.stop();
        });
        const [name = '', secret = ''] = kept.split(':');
        const answer = JSON.stringify({ ServerURL: guarded.host, Username: name, Secret: secret });
        const helper = (text: string): void =>
          writeFileSync(path.join(folder, 'bin', 'docker-credential-vault'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
        const file = path.join(folder, 'config.json');
        const env = { REGISTRY_AUTH_FILE: file, PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`, HOME: dir };
        const words = copy(`${guarded.host}/kept/readings`, '--stage', 'prod');
        const denied = async (): Promise<void> => {
          const { exit, json, stdout, stderr } = await runJson('sealane', words, { env });
          expect({ exit, code: json.error.code }).toEqual({ exit: 6, code: 'REGISTRY_DENIED' });
          expect(stdout + stderr).not.toContain(secret);
        };

        writeFileSync(file, JSON.stringify({ credHelpers: { [guarded.host]: 'vault' } }));
        await denied(); // there is no such program
        helper(`echo '${answer}'; exit 1`);
        await denied();
        helper(`echo 'credentials not found in native keychain'; exit 1`);
        await denied();
        // only for the registry that it is asked for, in the words of the protocol
        helper(`[ "$1 $(cat)" = 'get ${guarded.host}' ] || exit 2\necho '${answer}'`);
        const { exit, stdout, stderr } = await runJson('sealane', words, { env });
        expect(exit, stderr).toBe(0);
        expect(stdout + stderr).not.toContain(secret);
        writeFileSync(file, JSON.stringify({ credsStore: 'vault' }));
        expect((await runJson('sealane', copy(`${guarded.host}/all/readings`), { env })).exit).toBe(0);
        writeFileSync(file, JSON.stringify({ credsStore: 'absent' }));
        await denied();
      });

      it('tokens, of a real issuer: asked for one repository and the rights needed', async () => {
        const folder = path.join(dir, 'token');
        mkdirSync(folder);
        const issuer = await startTokenIssuer(folder, USER);
        const guarded = await startDistribution(folder, issuer.config);
        onTestFinished(async () => {
          issuer.stop();
          await guarded.stop();
        });
        await tryBoth(guarded);
        expect(new Set(issuer.asked)).toEqual(new Set(['repository:guarded/readings:pull,push']));
      });
    });
  });
});

const OCI = { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' };
const OCI_MANIFEST = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
const typeOf = ({ annotations }: Discovered): string => annotations['dev.sigstore.bundle.predicateType'] ?? '';

/** The pipeline with a repository for dev and for prod. */
function withRepositories(host: string): (text: string) => string {
  return (text) =>
    text.replace(/- name: (dev|prod)\n/g, (line, name: string) => `${line}    repository: docker://${host}/${name}/readings\n`);
}
