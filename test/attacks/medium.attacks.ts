/** T10: a hostile medium. `media import` refuses it by name, within bounds, and installs nothing; a true one installs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TestSite } from '../support/site.js';
import { LaneCopy } from './attacker.js';
import { footprint, type World } from './world.js';

/** A site, what it fetched, and a medium that is plugged in there. */
interface Plugged {
  readonly site: TestSite;
  readonly mirror: string;
  readonly stick: LaneCopy;
}

/** By its name alone: a path of more than 107 bytes is cut off, and the socket stands elsewhere. */
function makeSocket(folder: string, name: string): void {
  execFileSync(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(name)}, () => process.exit())`], {
    cwd: folder,
  });
}

export function mediumAttacks(at: () => World): void {
  let world: World;
  let medium: string;

  beforeAll(async () => {
    world = at();
    medium = path.join(world.dir, 'medium');
    await world.lane.sealane(['media', 'export', '--stage', 'prod', '--out', medium]);
  });

  /** A site whose upstream is gone, and a copy of the medium. */
  async function plug(): Promise<Plugged> {
    const { site, copy, mirror } = await world.scene();
    rmSync(copy.dir, { recursive: true });
    return { site, mirror, stick: LaneCopy.of(medium, path.join(site.dir, 'stick')) };
  }

  /** Imports, and asserts the refusal; that nothing was installed; and that trust is as it was. */
  async function expectRefused({ site, stick }: Plugged, code: string): Promise<string> {
    const before = footprint(site);
    const answer = await site.run(['media', 'import', stick.dir]);
    expect({ exit: answer.exit, code: answer.json?.error?.code }, answer.stdout + answer.stderr).toEqual({ exit: 4, code });
    const after = footprint(site);
    expect({ ...after, receipts: [] }).toEqual({ ...before, receipts: [] });
    const updated = await site.run(['update']);
    expect(updated.json?.outcome).not.toBe('installed');
    expect(footprint(site).version).toBe('1.0.0');
    return String(answer.json.error.message);
  }

  function largestBlob(stick: LaneCopy): string {
    const folder = 'content/blobs/sha256';
    const names = readdirSync(stick.file(folder));
    const sizes = names.map((name) => ({ name, size: stick.read(`${folder}/${name}`).length }));
    return `${folder}/${sizes.sort((a, b) => b.size - a.size)[0]?.name ?? ''}`;
  }

  describe('B5 a medium', () => {
    it('the true medium is imported, installs nothing by itself, and then installs with the WAN cut', async () => {
      const { site, stick } = await plug();
      const imported = await site.must(['media', 'import', stick.dir]);
      expect(imported.imported).toBeGreaterThan(0);
      expect(footprint(site).version).toBe('1.0.0');
      expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
      expect(footprint(site).version).toBe('1.1.0');
      await site.stop();
    });

    it('one flipped byte is refused by the path of the blob', async () => {
      const scene = await plug();
      const blob = largestBlob(scene.stick);
      const bytes = scene.stick.read(blob);
      bytes[bytes.length >> 1]! ^= 1;
      scene.stick.write(blob, bytes);
      expect(await expectRefused(scene, 'CONTENT_DIGEST')).toContain(path.basename(blob));
    });

    it('a missing blob is refused by its path', async () => {
      const scene = await plug();
      const blob = largestBlob(scene.stick);
      rmSync(scene.stick.file(blob));
      expect(await expectRefused(scene, 'CONTENT_MISSING')).toContain(path.basename(blob));
    });

    it('a medium that was pulled before its timestamp was written is refused as a whole', async () => {
      const scene = await plug();
      rmSync(scene.stick.file('trust/metadata/timestamp.json'));
      await expectRefused(scene, 'TRUST_MALFORMED');
    });

    it('metadata changed on the way is refused', async () => {
      const scene = await plug();
      const name = 'trust/metadata/timestamp.json';
      scene.stick.write(name, readFileSync(scene.stick.file(name), 'utf8').replace('"version":', '"version":1'));
      await expectRefused(scene, 'TRUST_THRESHOLD');
    });

    it('links that lead off the medium are refused and not followed', async () => {
      const scene = await plug();
      const blob = largestBlob(scene.stick);
      const secret = path.join(scene.site.dir, 'secret');
      writeFileSync(secret, scene.stick.read(blob));
      rmSync(scene.stick.file(blob));
      symlinkSync(secret, scene.stick.file(blob));
      await expectRefused(scene, 'CONTENT_UNSAFE');
    });

    it('a folder that is a link is refused and not followed', async () => {
      const scene = await plug();
      const outside = path.join(scene.site.dir, 'outside');
      cpSync(scene.stick.file('content'), outside, { recursive: true, verbatimSymlinks: true });
      rmSync(scene.stick.file('content'), { recursive: true });
      symlinkSync(outside, scene.stick.file('content'));
      await expectRefused(scene, 'CONTENT_UNSAFE');
    });

    it('a pipe in place of a blob is refused and does not hang', async () => {
      const scene = await plug();
      const blob = scene.stick.file(largestBlob(scene.stick));
      rmSync(blob);
      execFileSync('mkfifo', [blob]);
      await expectRefused(scene, 'CONTENT_UNSAFE');
    });

    it('a device in place of a blob is refused and not read', async () => {
      const scene = await plug();
      const blob = scene.stick.file(largestBlob(scene.stick));
      rmSync(blob);
      // only root makes devices; a socket is none of them, and is no file either
      if (process.getuid?.() === 0) execFileSync('mknod', [blob, 'c', '1', '5']);
      else makeSocket(path.dirname(blob), path.basename(blob));
      await expectRefused(scene, 'CONTENT_UNSAFE');
    });

    it('a blob that is swapped for a link again and again while it is read is taken right or not at all', async () => {
      const scene = await plug();
      const blob = scene.stick.file(largestBlob(scene.stick));
      const other = path.join(scene.site.dir, 'other');
      writeFileSync(
        other,
        scene.stick.read(largestBlob(scene.stick)).map((byte) => byte ^ 1),
      );
      const bytes = readFileSync(blob);
      const swap = spawn(process.execPath, [
        '-e',
        `const fs = require('fs'); const [blob, other] = process.argv.slice(1); const bytes = fs.readFileSync(blob);
     for (;;) { fs.symlinkSync(other, blob + '.link'); fs.renameSync(blob + '.link', blob); fs.writeFileSync(blob + '.file', bytes); fs.renameSync(blob + '.file', blob); }`,
        blob,
        other,
      ]);
      try {
        for (let tries = 0; tries < 5; tries += 1) {
          const { exit, json } = await scene.site.run(['media', 'import', scene.stick.dir]);
          // a link that only `fetch` saw is none that `apply` could name: it finds a file again
          expect(['0 undefined', '4 CONTENT_UNSAFE', '4 CONTENT_DIGEST', '6 FETCH_FAILED'], JSON.stringify(json)).toContain(
            `${String(exit)} ${String(json?.error?.code)}`,
          );
          const taken = path.join(scene.mirror, 'content', 'blobs', 'sha256', path.basename(blob));
          if (existsSync(taken)) expect(readFileSync(taken).equals(bytes)).toBe(true);
        }
      } finally {
        swap.kill('SIGKILL');
        await once(swap, 'exit');
      }
      rmSync(blob, { force: true });
      writeFileSync(blob, bytes);
      expect((await scene.site.run(['media', 'import', scene.stick.dir])).exit).toBe(0);
    });

    it('a medium that is pulled while it is read is refused, and taken in when it is back', async () => {
      const scene = await plug();
      const gone = `${scene.stick.dir}-gone`;
      const blob = scene.stick.file(largestBlob(scene.stick));
      const size = statSync(blob).size;
      // half of a blob has been read when the medium goes: what is there of it is kept, and nothing else
      const bytes = readFileSync(blob);
      writeFileSync(blob, bytes.subarray(0, size >> 1));
      await expectRefused(scene, 'CONTENT_DIGEST');
      renameSync(scene.stick.dir, gone);
      expect((await scene.site.run(['media', 'import', scene.stick.dir])).exit).toBe(2);
      renameSync(gone, scene.stick.dir);
      writeFileSync(blob, bytes);
      expect((await scene.site.must(['media', 'import', scene.stick.dir])).imported).toBeGreaterThan(0);
      expect(await scene.site.must(['update'])).toMatchObject({ outcome: 'installed' });
      await scene.site.stop();
    });

    it('an endless blob is refused at its length', async () => {
      const scene = await plug();
      // a hole of a terabyte reads like an endless device
      truncateSync(scene.stick.file(largestBlob(scene.stick)), 2 ** 40);
      await expectRefused(scene, 'CONTENT_DIGEST');
    });

    it('endless metadata is refused', async () => {
      const scene = await plug();
      truncateSync(scene.stick.file('trust/metadata/timestamp.json'), 2 ** 40);
      await expectRefused(scene, 'TRUST_TOO_LARGE');
    });

    it('files that nobody asked for are not taken in', async () => {
      const { site, stick, mirror } = await plug();
      mkdirSync(stick.file('content/blobs/sha256/..evil'), { recursive: true });
      stick.write('content/blobs/sha256/..evil/payload', 'x');
      stick.write(`content/blobs/sha256/${'ab'.repeat(32)}`, 'not asked for');
      stick.write('journal', 'x');
      await site.must(['media', 'import', stick.dir]);
      const mirrored = readdirSync(mirror, { recursive: true }).map(String);
      expect(mirrored.filter((name) => /evil|journal|abababab/.test(name))).toEqual([]);
    });

    it('an older medium after a newer one is a source of blobs only', async () => {
      const { site, stick, mirror } = await plug();
      await site.must(['media', 'import', stick.dir]);
      await site.must(['update']);
      await site.stop();
      const old = path.join(site.dir, 'old-stick');
      cpSync(world.older, old, { recursive: true, verbatimSymlinks: true });
      const answer = await site.run(['media', 'import', old]);
      expect({ exit: answer.exit, code: answer.json?.error?.code }).toEqual({ exit: 4, code: 'TRUST_ROLLBACK' });
      await site.run(['update']);
      expect(footprint(site).version).toBe('1.1.0');
      await site.stop();
      expect(existsSync(path.join(mirror, 'trust', 'metadata', 'timestamp.json'))).toBe(true);
    });
  });
}
