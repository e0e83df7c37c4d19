/** Row B18 on real Podman: the engine itself takes no image that no admitted release names; what was started by hand is reported or stopped, and told. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { busybox, FOREVER, podman, publishPod, shellImage, testEngine, type TestEngine } from '../support/podman.js';
import { requireProgram } from '../support/require-program.js';
import { runProgram } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const skopeo = requireProgram('skopeo');

describe.skipIf(podman === undefined || busybox === undefined || skopeo === undefined)(
  'B18 on podman (skipped without podman, skopeo, busybox)',
  () => {
    let dir: string;
    let lane: TestLane;
    let engine: TestEngine;
    let site: TestSite;
    let first: string;
    const home = (): string => path.join(dir, 'home');
    const conf = (name: string): string => path.join(home(), '.config', 'containers', name);

    beforeAll(async () => {
      dir = mkdtempSync(path.join(tmpdir(), 'sealane-b18-podman-'));
      lane = await makeLane(dir);
      engine = testEngine(path.join(dir, 'engine'), { HOME: home() });
      first = await publishPod(lane, dir, { version: '1.0.0', script: FOREVER });
      site = await enrolSite(lane, path.join(dir, 'site'), { driver: driver() });
      await site.must(['update']);
    });

    afterAll(async () => {
      await site.stop();
      await engine.clear();
      await lane.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    const driver = (): Readonly<Record<string, unknown>> => ({
      use: 'podman',
      start: undefined,
      stopGraceSeconds: 1,
      engine: engine.words,
      env: engine.env,
      network: ['none'],
      engineConfig: path.dirname(conf('policy.json')),
      strays: 'report',
      health: [],
      healthIntervalMs: 200,
      startSeconds: 20,
      probationSeconds: 0.2,
    });

    /** Runs the engine as anybody on the host would. */
    const byHand = (...words: readonly string[]): ReturnType<typeof runProgram> =>
      runProgram(engine.words[0] ?? '', [...engine.words.slice(1), ...words], { env: engine.env });

    /** The images that the engine takes. */
    const approved = (): readonly string[] =>
      Object.keys((JSON.parse(readFileSync(conf('policy.json'), 'utf8')) as { transports: { docker: object } }).transports.docker);

    /** An image that no release has, where anybody could copy it from. */
    const strangerImage = async (): Promise<{ readonly place: string; readonly digest: string }> => {
      const folder = path.join(dir, 'images', 'stranger');
      const { digest } = await shellImage(folder, '6.6.6');
      const { size } = statSync(path.join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)));
      const manifests = [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size }];
      writeFileSync(path.join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
      return { place: `oci:${folder}`, digest };
    };

    const handMade = async (...words: readonly string[]): Promise<string> => {
      const image = (await engine.say('ps', '--format', '{{.Image}}', '--filter', 'name=readings-app')).trim();
      return (await engine.say('run', '--detach', ...words, image, '-c', FOREVER)).trim();
    };

    test('B18 podman: an image that no admitted release names is neither pulled nor loaded; the release of the site runs', async () => {
      const stranger = await strangerImage();
      const archive = path.join(dir, 'stranger.tar');
      const copied = await runProgram(skopeo ?? '', ['copy', '--insecure-policy', stranger.place, `docker-archive:${archive}:stranger:1`]);
      expect(copied.exit, copied.stderr).toBe(0);
      const attempts = [
        ['load', '--input', archive],
        ['pull', `docker-archive:${archive}`],
        ['run', '--rm', `docker-archive:${archive}`],
      ];
      for (const words of attempts) {
        const refused = await byHand(...words);
        expect(refused.exit, words.join(' ')).not.toBe(0);
        expect(refused.stderr, words.join(' ')).toMatch(/rejected by policy/);
      }
      const asked = await byHand('pull', `registry.example/edge/readings@${stranger.digest}`);
      expect(asked.stderr).toContain('blocked');
      expect(JSON.parse(readFileSync(conf('policy.json'), 'utf8'))).toMatchObject({ default: [{ type: 'reject' }] });
      expect(await site.must(['status'])).toMatchObject({ current: { release: first }, workload: { is: 'running' }, strays: [] });
    });

    test('B18 podman: an update brings its own images in under the same policy, and nothing of what has left the site', async () => {
      const second = await publishPod(lane, dir, { version: '1.1.0', script: FOREVER });
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: second });
      expect(approved()).toHaveLength(2);
    });

    test('B18 podman: a policy that somebody edits is put back and told', async () => {
      const ours = readFileSync(conf('policy.json'), 'utf8');
      writeFileSync(conf('policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
      rmSync(conf('registries.conf'));
      await site.must(['update']);
      expect(readFileSync(conf('policy.json'), 'utf8')).toBe(ours);
      expect(existsSync(conf('registries.conf'))).toBe(true);
      const { strays } = await site.must(['status']);
      expect(strays).toEqual([
        expect.objectContaining({ what: conf('policy.json'), how: 'was changed', did: 'put back' }),
        expect.objectContaining({ what: conf('registries.conf'), how: 'was removed', did: 'put back' }),
      ]);
    });

    test('B18 podman: doctor sees the policy that somebody edited, and --mend puts it back', async () => {
      const ours = readFileSync(conf('policy.json'), 'utf8');
      const ofConfig = async (words: readonly string[]): Promise<unknown> =>
        (await site.run(words)).json.checks.find(({ id }: { readonly id: string }) => id === 'engine-config');
      expect(await ofConfig(['doctor'])).toMatchObject({ verdict: 'pass' });
      writeFileSync(conf('policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
      const remedy = expect.stringMatching(/: sealane-site doctor --mend$/);
      expect(await ofConfig(['doctor'])).toMatchObject({ verdict: 'fail', code: 'WORKLOAD_STRAY', remedy });
      expect(await ofConfig(['doctor', '--mend'])).toMatchObject({ verdict: 'pass' });
      expect(readFileSync(conf('policy.json'), 'utf8')).toBe(ours);
    });

    test('B18 podman: a container that was started by hand is reported, in the pod of the release too; the next receipt tells it once', async () => {
      const alone = await handMade('--name', 'hand-made', '--network', 'none');
      const inside = await handMade('--name', 'joined', '--pod', 'readings');
      await site.must(['update']);
      const seen = [
        expect.stringContaining(`hand-made (${alone.slice(0, 12)})`),
        expect.stringContaining(`joined (${inside.slice(0, 12)})`),
      ];
      const { strays, workload } = await site.must(['status']);
      expect(
        strays
          .filter(({ did }: { did: string }) => did === 'reported')
          .map(({ what }: { what: string }) => what)
          .sort(),
      ).toEqual(seen);
      expect(workload).toMatchObject({ is: 'running' });
      const doctor = await site.must(['doctor'], 3);
      expect(doctor.checks.filter(({ code }: { code?: string }) => code === 'WORKLOAD_STRAY')).toHaveLength(2);
      expect((await engine.say('ps', '--quiet', '--filter', 'name=hand-made')).trim()).not.toBe('');

      await publishPod(lane, dir, { version: '1.3.0', script: FOREVER });
      await site.must(['update']);
      expect(approved()).toHaveLength(2);
      await site.must(['rollback']);
      const told = toldBy(site);
      expect(told.at(-2)).toContain('hand-made');
      expect(told.at(-2)).toContain('was changed');
      expect(told.at(-1)).toBe('');
    });

    test('B18 podman: where site.yaml says so it is stopped, not removed; what runs of the release is not touched', async () => {
      const inside = await handMade('--name', 'joined-again', '--pod', 'readings');
      writeFileSync(site.config, readFileSync(site.config, 'utf8').replace('"strays":"report"', '"strays":"stop"'));
      const before = (await engine.say('ps', '--quiet', '--filter', 'name=readings-app')).trim();
      await site.must(['update']);
      expect(
        (await engine.say('ps', '--format', '{{.Names}}'))
          .trim()
          .split('\n')
          .filter((name) => !name.includes('infra')),
      ).toEqual(['readings-app']);
      expect((await engine.say('ps', '--all', '--no-trunc', '--quiet')).split('\n')).toContain(inside);
      expect((await engine.say('ps', '--quiet', '--filter', 'name=readings-app')).trim()).toBe(before);
      await site.must(['update']);
      expect(await site.must(['doctor'])).toMatchObject({ ok: true });
    });

    test('B18 podman: a release that the updater reads no more stays permitted, is told with what to do, and gives way to the next one', async () => {
      const before = approved();
      const slot = path.join(site.state, 'releases', path.basename(readlinkSync(path.join(site.state, 'current'))));
      const files = [path.join(slot, 'pods', 'readings.yaml'), path.join(site.state, 'run', 'podman', '000-readings.yaml')];
      for (const file of files) misspell(file);
      expect(await site.must(['update'])).toMatchObject({ outcome: 'unchanged' });
      expect(approved()).toEqual(before);
      const { strays, workload } = await site.must(['status']);
      expect(strays[0]).toMatchObject({ what: 'release readings 1.1.0', how: expect.stringContaining('got Containers'), did: 'reported' });
      expect(workload).toMatchObject({ is: 'running' });
      const remedy = expect.stringContaining('have a release made');
      expect((await site.must(['doctor'], 3)).checks).toContainEqual(expect.objectContaining({ code: 'WORKLOAD_STRAY', remedy }));

      const next = await publishPod(lane, dir, { version: '1.4.0', script: FOREVER });
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release: next });
      expect((await engine.say('pod', 'ps', '--format', '{{.Name}}')).trim()).toBe('readings');
    });
  },
);

/** A manifest as an earlier version of the updater would have taken it, and this one does not. The file is another one: the store has a name of the first. */
function misspell(file: string): void {
  const text = JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), Containers: [] });
  rmSync(file);
  writeFileSync(file, text);
}

/** What each receipt of the site says of strays, oldest first. */
function toldBy({ state }: TestSite): readonly string[] {
  const folder = path.join(state, 'receipts');
  const files = readdirSync(folder).filter((name) => /^\d+\.json$/.test(name));
  return files.sort().map((name) => {
    const { dsseEnvelope } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as { dsseEnvelope: { payload: string } };
    const { predicate } = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8')) as {
      predicate: { checks: readonly { id: string; actual: string }[] };
    };
    return predicate.checks
      .filter(({ id }) => id === 'strays')
      .map(({ actual }) => actual)
      .join('\n');
  });
}
