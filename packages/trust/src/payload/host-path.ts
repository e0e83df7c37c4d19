/** What a volume takes: a folder of the host, or one that the orchestrator makes. */

/** Whether a source is a path of the host. What a variable, a specifier or a quoted text stands for is not known, and counts as one. */
export function isHostPath(source: string): boolean {
  return /^(?:[/\\.~$%"']|[A-Za-z]:[\\/])/.test(source);
}

/** Whether what a volume is mounted from is the host's: a folder or a disk, and not another machine's `//server/share`. */
export function isHostSource(type: unknown, device: string): boolean {
  return isHostPath(device) && !(/^(?:cifs|smb3)$/.test(String(type)) && device.startsWith('//'));
}

/** The source in `SOURCE:TARGET[:OPTIONS]`; undefined where there is a target alone. */
export function volumeSource(text: string): string | undefined {
  return /^((?:[A-Za-z]:[\\/])?[^:]*):/.exec(text)?.[1];
}

/** Devices that hold what the host holds: its disks, its memory, or every device of it. */
const HOST_DISK =
  /^\/dev\/*$|^\/dev\/+(?:block|char|disk|mapper|(?:sd|hd|vd|xvd)[a-z]+\d*$|nvme|mmcblk|dm-|md\d|loop\d|mtd|ubi|bcache|zram|nbd|sg\d|k?mem$|port$|root$)/;

/** Whether a device is one of those. Another path may lead to one, and so may a variable. A name that is no path is a device that the host has listed (CDI). */
export function isHostDisk(device: string): boolean {
  return HOST_DISK.test(device) || /^[.~"'\\]|^\/(?!dev\/)|[$%]|\/\.\.?(?:\/|$)/.test(device);
}
