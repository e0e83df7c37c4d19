/** B13 and A6: the hardware as the installed service sees it from its sandbox is what an administrator and a lab see: cards of a network that it has not, disks of a /dev that it has not. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installSite, type InstalledSite } from '../support/installed-site.js';
import { canBoot } from '../support/machine.js';

const APPLY = 'sealane-site-apply.service';
const STATE = 'var/lib/sealane-site';
const SLOT = 'bus/pci/devices/0000:41:00.0';

/** Laid over /sys: a machine with a network card and a disk, which this host may not have. */
const SYS: Readonly<Record<string, string>> = {
  'class/dmi/id/sys_vendor': 'Northrack',
  'class/dmi/id/product_name': 'ER-220',
  'class/dmi/id/product_version': 'R3',
  'class/dmi/id/bios_version': '2.19.1',
  [`${SLOT}/class`]: '0x020000',
  [`${SLOT}/vendor`]: '0x8086',
  [`${SLOT}/device`]: '0x1521',
  [`${SLOT}/revision`]: '0x01',
  [`${SLOT}/net/wan0/address`]: '3c:ec:ef:00:00:01',
  'class/nvme/nvme0/model': 'Samsung PM9A3',
  'class/nvme/nvme0/firmware_rev': 'GDC5602Q',
  'class/nvme/nvme0/serial': 'S6EVNE0R000001',
};

/** Tools in the words of the real ones. A driver tells of its card in the network that the card is in, and a disk is asked through its device. */
const ETHTOOL = `#!/bin/sh
test "$(readlink /proc/self/ns/net)" = "$(cat /etc/network-of-the-host)" || { echo "netlink error: No such device" >&2; exit 75; }
echo "driver: igb"
echo "firmware-version: $(cat /etc/firmware-of-the-card)"
`;
const SMARTCTL = `#!/bin/sh
test -c /dev/disk-of-the-host || { echo "Smartctl open device: No such device" >&2; exit 2; }
echo '{ "nvme_smart_health_information_log": { "percentage_used": 7 } }'
`;

interface Seen {
  readonly class: string;
  readonly text: string;
}

describe.skipIf(!canBoot())('B13 the inventory of the installed service (skipped without root, systemd-nspawn)', () => {
  let here: InstalledSite;
  const inMachine = (place: string): string => path.join(here.machine.root, place);
  const flash = (version: string): void => writeFileSync(inMachine('etc/firmware-of-the-card'), `${version}\n`);

  /** The hardware as root sees it at the console. */
  const console = async (): Promise<Seen> => {
    const { class: hardwareClass } = JSON.parse(await here.machine.must('sealane-site', 'inventory', '--out', '/root/hbom.json', '--json'));
    return { class: hardwareClass, text: readFileSync(inMachine('root/hbom.json'), 'utf8') };
  };
  const parts = (text: string): unknown => JSON.parse(text).components;
  const reported = (): string => readFileSync(inMachine(`${STATE}/inventory.json`), 'utf8');

  /** A release that was tested on hardware as it is at the console now. */
  const promote = async (version: string): Promise<string> => {
    writeFileSync(here.lane.hardware, (await console()).text);
    const release = await here.lane.release(version);
    await here.lane.promote(release);
    return release;
  };

  beforeAll(async () => {
    const pipeline = (text: string): string => text.replace('require: [arch, cpu]', 'require: [vendor, model, revision, firmware]');
    here = await installSite(undefined, { pipeline });
    const { machine } = here;
    for (const [name, text] of Object.entries(SYS)) {
      mkdirSync(path.dirname(inMachine(`srv/sys/${name}`)), { recursive: true });
      writeFileSync(inMachine(`srv/sys/${name}`), `${text}\n`);
    }
    for (const [name, text] of Object.entries({ ethtool: ETHTOOL, smartctl: SMARTCTL })) {
      writeFileSync(inMachine(`usr/sbin/${name}`), text);
      chmodSync(inMachine(`usr/sbin/${name}`), 0o755);
    }
    for (const place of ['class', 'bus/pci'])
      await machine.must('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=/srv/sys/${place}:/sys/${place}`, `/sys/${place}`);
    writeFileSync(inMachine('etc/network-of-the-host'), await machine.must('readlink', '/proc/self/ns/net'));
    await machine.must('mknod', '/dev/disk-of-the-host', 'c', '1', '3');
    flash('3.30, 0x8000079c');
  });
  afterAll(async () => {
    await here.stop();
  });

  test('B13 A6 the service sees card, firmware and wear as root does at the console, and installs what was tested on them', async () => {
    const release = await promote('1.0.0');
    await here.machine.must('systemctl', 'enable', '--now', APPLY);
    await here.machine.until(/"state":"idle".*"version":"1.0.0"/, 'sealane-site', 'status', '--json');
    expect((await here.site('status')).json).toMatchObject({ current: { release } });
    expect(parts(reported())).toEqual(parts((await console()).text));
    expect(reported()).toContain('3.30, 0x8000079c');
    expect(reported()).toContain('3c:ec:ef:00:00:01');
    expect(reported()).toContain('7 % used');
    expect((await here.machine.must('systemctl', 'show', APPLY, '--value', '-p', 'PrivateNetwork', '-p', 'PrivateDevices')).trim()).toBe(
      'yes\nyes',
    );
  });

  test('B13 A6 other firmware in the card is told, and takes the site out of coverage until that was tested', async () => {
    const release = await promote('1.1.0');
    flash('3.31, 0x80000a01');
    expect(await here.site('update')).toMatchObject({ exit: 3, json: { outcome: 'refused', reason: 'HARDWARE_UNCOVERED', release } });
    const said = await here.machine.must('journalctl', '--output=cat', '-u', APPLY);
    expect(said).toContain('the hardware has changed');
    const tested = await promote('1.2.0');
    expect(await here.site('update')).toMatchObject({ exit: 0, json: { outcome: 'installed', release: tested } });
  });
});
