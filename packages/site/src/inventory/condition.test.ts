import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { diskWear, hostCondition, mmcWear, untoldCondition } from './condition.js';
import { inventorySource } from './inventory-shell.js';

/** A host as these files below a folder of their own show it. */
function host(files: Readonly<Record<string, string>>): ReturnType<typeof inventorySource> {
  const root = mkdtempSync(path.join(tmpdir(), 'sealane-condition-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return inventorySource(root);
}

const smart = (said: object): string | undefined =>
  diskWear(host({ 'cmd/smartctl --json -A -n standby /dev/nvme0': JSON.stringify(said) }), 'nvme0');

test('temperatures, fans, free memory and free room are told with their units', () => {
  const df = [
    'Filesystem 1-blocks Used Available Capacity Mounted on',
    '/dev/sda2 1000 400 600 40% /',
    'tmpfs 50 0 50 0% /run',
    '/dev/sdb1 10 10 0 100% /var/lib/a b',
  ];
  const found = hostCondition(
    host({
      'sys/class/hwmon/hwmon0/name': 'k10temp\n',
      'sys/class/hwmon/hwmon0/temp1_input': '41500\n',
      'sys/class/hwmon/hwmon0/temp1_label': 'Tctl\n',
      'sys/class/hwmon/hwmon1/name': 'nct6775\n',
      'sys/class/hwmon/hwmon1/fan2_input': '0\n',
      'sys/class/hwmon/hwmon1/temp2_input': '-3000\n',
      'sys/class/hwmon/hwmon1/temp3_input': 'broken\n',
      'proc/meminfo': 'MemTotal:        2048 kB\nMemFree: 1 kB\nMemAvailable:    1024 kB\n',
      'cmd/df -l -P -B1': df.join('\n'),
    }),
  );
  expect(found).toEqual({
    'temperature/k10temp/Tctl': '41.5 °C',
    'fan/nct6775/2': '0 rpm',
    'temperature/nct6775/2': '-3.0 °C',
    'free/memory': '1048576 of 2097152 bytes',
    'free/disk/': '600 of 1000 bytes',
    'free/disk/var/lib/a b': '0 of 10 bytes',
  });
});

test('wear is what smartctl says of endurance, of any kind of disk; what is no number of per cent is unknown', () => {
  expect(smart({ endurance_used: { current_percent: 7 }, nvme_smart_health_information_log: { percentage_used: 6 } })).toBe('7 % used');
  expect(smart({ nvme_smart_health_information_log: { percentage_used: 0 } })).toBe('0 % used');
  expect(smart({ nvme_smart_health_information_log: { percentage_used: 130 } })).toBe('130 % used');
  for (const value of [-1, 256, 1.5, '7', null]) expect(smart({ endurance_used: { current_percent: value } })).toBeUndefined();
  expect(smart({})).toBeUndefined();
  expect(diskWear(host({ 'cmd/smartctl --json -A -n standby /dev/sda': 'no JSON' }), 'sda')).toBeUndefined();
  expect(diskWear(host({}), 'sda')).toBeUndefined();
});

test('an eMMC is as worn as the worse of its two memories', () => {
  const wear = (text: string): string | undefined =>
    mmcWear(host({ 'sys/block/mmcblk0/device/life_time': text }).tree, 'sys/block/mmcblk0');
  expect(['0x01 0x02\n', '0x0b 0x01\n', '0x00 0x00\n', 'x'].map(wear)).toEqual(['10–20 % used', 'over 100 % used', undefined, undefined]);
});

test('what nobody tells is said', () => {
  expect(untoldCondition([], [{ model: 'M1', told: [] }])).toEqual(['temperature', 'fans', 'free memory', 'free disk', 'wear of M1']);
  const told = ['sealane:temperature/a/1', 'sealane:fan/a/1', 'sealane:free/memory', 'sealane:free/disk/'];
  expect(untoldCondition(told, [{ model: 'M1', told: ['sealane:wear'] }])).toEqual([]);
});
