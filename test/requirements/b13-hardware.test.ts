/** B13: a site knows its own hardware: how worn, warm and full it is, and what is another part than yesterday. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseBundle, readReceipt } from '@sealane/trust';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeMachine } from '../support/hardware.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { expectJson } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

let dir: string;
let lane: TestLane;
let site: TestSite;
let root: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sealane-b13-'));
  const facts = 'require: [vendor, model, revision, firmware]';
  lane = await makeLane(dir, { pipeline: (text) => text.replace('require: [arch, cpu]', facts) });
  const lab = writeMachine(path.join(dir, 'lab'), { serial: 'NR0001', cameras: { 'OK-9': '10.12' } });
  const here = writeMachine(path.join(dir, 'here'), { serial: 'NR0101', cameras: { 'OK-1': '10.12' } });
  ({ root } = here);
  for (const machine of [lab.root, root]) condition(machine, { wear: 3, temperature: 41_500, fan: 1200, free: 500 });
  await expectJson('sealane-site', ['inventory', '--root', lab.root, '--devices', lab.devices, '--out', lane.hardware]);
  site = await enrolSite(lane, path.join(dir, 'site'), { yaml: `inventory: { root: ${root}, devices: [${here.devices}] }` });
  await lane.promote(await lane.release('1.0.0'));
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed' });
});

afterAll(async () => {
  await site.stop();
  await lane.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What a machine shows of how it is. */
function condition(
  machine: string,
  { wear, temperature, fan, free }: Readonly<Record<'wear' | 'temperature' | 'fan' | 'free', number>>,
): void {
  const files = {
    'sys/class/nvme/nvme0/model': 'Samsung PM9A3',
    'sys/class/nvme/nvme0/firmware_rev': 'GDC5602Q',
    'sys/class/hwmon/hwmon0/name': 'k10temp',
    'sys/class/hwmon/hwmon0/temp1_input': `${temperature}`,
    'sys/class/hwmon/hwmon0/fan1_input': `${fan}`,
    'proc/meminfo': `MemTotal: 2048 kB\nMemAvailable: 1024 kB\n`,
    'cmd/df -l -P -B1': `/dev/sda2 1000 400 ${free} 40% /\n`,
    'cmd/smartctl --json -A -n standby /dev/nvme0': JSON.stringify({ nvme_smart_health_information_log: { percentage_used: wear } }),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(machine, name)), { recursive: true });
    writeFileSync(path.join(machine, name), `${text}\n`);
  }
}

/** The properties of the machine and of its disk in the last receipt that waits. */
function lastReported(): Readonly<Record<string, string>> {
  const folder = path.join(site.state, 'receipts');
  const name =
    readdirSync(folder)
      .filter((each) => /^\d+\.json$/.test(each))
      .at(-1) ?? '';
  const { hardware } = readReceipt(parseBundle(new Uint8Array(readFileSync(path.join(folder, name)))).statement);
  const text = JSON.stringify(hardware);
  return Object.fromEntries(
    [...text.matchAll(/"name":"sealane:([^"]+)","value":"([^"]+)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
}

test('B13 a receipt says how worn, warm and full the site is; none of it makes another machine of it', async () => {
  expect(lastReported()).toMatchObject({
    wear: '3 % used',
    'temperature/k10temp/1': '41.5 °C',
    'fan/k10temp/1': '1200 rpm',
    'free/memory': '1048576 of 2097152 bytes',
    'free/disk/': '500 of 1000 bytes',
  });
  condition(root, { wear: 88, temperature: 90_000, fan: 0, free: 1 });
  const release = await lane.release('1.1.0');
  await lane.promote(release);
  const answer = await site.run(['update']);
  expect({ exit: answer.exit, ...answer.json }, answer.stderr).toMatchObject({ exit: 0, outcome: 'installed', release });
  expect(answer.stderr).not.toContain('the hardware has changed');
  expect(lastReported()).toMatchObject({ wear: '88 % used', 'temperature/k10temp/1': '90.0 °C', 'fan/k10temp/1': '0 rpm' });
});

test('B13 what nobody tells at a host is said to be unknown', async () => {
  const bare = path.join(dir, 'bare');
  writeMachine(bare, { serial: 'NR0009' });
  const words = ['inventory', '--root', path.join(bare, 'machine'), '--out', path.join(bare, 'hbom.json')];
  expect((await expectJson('sealane-site', words)).untold).toEqual(['temperature', 'fans', 'free memory', 'free disk']);
  expect(readFileSync(path.join(bare, 'hbom.json'), 'utf8')).not.toContain('temperature');
});

test('B13 a swapped part is told against yesterday, and its site is covered again only if that kind was tested', async () => {
  writeMachine(path.join(dir, 'here'), { serial: 'NR0101', cameras: { 'OK-2': '10.12' } });
  const same = await site.run(['update']);
  expect(same.json, same.stderr).toMatchObject({ outcome: 'unchanged' });
  expect(same.stderr).toContain('the hardware has changed: gone: Okulo VX-8 HW 1.2, serial OK-1');
  expect(same.stderr).toContain('the hardware has changed: new: Okulo VX-8 HW 1.2, serial OK-2');
  expect((await site.run(['update'])).stderr).not.toContain('the hardware has changed');
  const release = await lane.release('1.2.0');
  await lane.promote(release);
  writeMachine(path.join(dir, 'here'), { serial: 'NR0101', cameras: { 'OK-3': '10.13' } });
  const other = await site.run(['update']);
  expect({ exit: other.exit, ...other.json }, other.stderr).toMatchObject({ exit: 3, outcome: 'refused', reason: 'HARDWARE_UNCOVERED' });
  expect(other.stderr).toContain('new: Okulo VX-8 HW 1.2, serial OK-3');
  writeMachine(path.join(dir, 'here'), { serial: 'NR0101', cameras: { 'OK-4': '10.12' } });
  expect(await site.must(['update'])).toMatchObject({ outcome: 'installed', release });
});
