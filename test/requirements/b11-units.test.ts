/** B11: the units of a site give its services next to no rights, by systemd's own judgement; and each starts words that the program takes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runProgram } from '../support/run.js';
import { analyze, judgeUnit } from '../support/unit-exposure.js';

/** Highest exposure in tenths, which systemd-analyze compares with. */
const MOST = {
  'sealane-site-fetch.service': 15,
  'sealane-site-apply.service': 40,
  'sealane-site.service': 40,
  'sealane-site-mirror.service': 15,
} as const;

let dir: string;
let units: Readonly<Record<string, string>>;
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-units-'));
  const { siteUnits } = (await import(path.join(ROOT, 'bin', 'site-units.mjs'))) as { siteUnits: () => Record<string, string> };
  units = siteUnits();
  for (const [name, text] of Object.entries(units)) writeFileSync(path.join(dir, name), text);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('B11 units of a site', () => {
  it.skipIf(analyze === undefined).each(Object.entries(MOST))(
    'B11 %s has an exposure of at most %i tenths, and would not without its sandbox (skipped without systemd-analyze)',
    async (name, most) => {
      expect((await judgeUnit(path.join(dir, name), most)).exit).toBe(0);
      const open = path.join(dir, `open-${name}`);
      writeFileSync(
        open,
        (units[name] ?? '').replace(/^(?:Protect|Private|Restrict|SystemCall|Capability|NoNew|Dynamic|IPAddress).*\n/gm, ''),
      );
      expect((await judgeUnit(open, most)).exit).not.toBe(0);
    },
  );

  it('B11 apply has no network, fetch no state but its own, and every service tells systemd that it lives', () => {
    expect(units['sealane-site-apply.service']).toMatch(/^PrivateNetwork=yes$/m);
    expect(units['sealane-site-fetch.service']).toMatch(/^DynamicUser=yes$/m);
    for (const name of ['sealane-site-fetch.service', 'sealane-site-apply.service'])
      for (const line of ['Type=notify', 'WatchdogSec=30']) expect(units[name]?.split('\n')).toContain(line);
  });

  it('B2 who serves the mirror may open a port and change nothing, and sees no key but that of its certificate', () => {
    const unit = units['sealane-site-mirror.service'] ?? '';
    const hidden = [...unit.matchAll(/^InaccessiblePaths=(.*)$/gm)].flatMap(([, paths = '']) => paths.split(' '));
    for (const key of ['/var/lib/sealane-site/site.pem', '/var/lib/sealane-site/sealing.key', '/etc/credstore.encrypted'])
      expect(hidden).toContain(`-${key}`);
    expect(unit).toMatch(/^CapabilityBoundingSet=$/m);
    expect(unit).not.toMatch(/^(?:StateDirectory|ReadWritePaths|AmbientCapabilities=.|LoadCredential)/m);
  });

  it('B11 each service starts words that the program takes', async () => {
    const started = Object.values(units).flatMap((text) =>
      [...text.matchAll(/^ExecStart=\/usr\/bin\/sealane-site (.*)$/gm)].map(([, words = '']) => words),
    );
    expect(started).toHaveLength(4);
    for (const words of started) {
      const command = words.split(' ').filter((word) => /^[a-z]+$/.test(word));
      const options = words.split(' ').filter((word) => /^--[a-z]+$/.test(word));
      const help = await runProgram(process.execPath, [path.join(ROOT, 'bin', 'sealane-site.mjs'), ...command, '--help']);
      expect(help.exit).toBe(0);
      for (const option of options) expect(help.stdout).toContain(option);
    }
  });
});
