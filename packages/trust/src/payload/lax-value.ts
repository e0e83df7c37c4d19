/** Values as an orchestrator may take them: Kubernetes reads YAML 1.1, where `yes` is true, and our parser reads 1.2, where it is a text. */

const OFF: readonly unknown[] = [undefined, null, false, '', 'false', 'no', 'off', 'n', 'f', '0', 0];

/** Whether a switch is on. What is not plainly off counts as on. */
export function isOn(value: unknown): boolean {
  return !OFF.includes(typeof value === 'string' ? value.toLowerCase().trim() : value);
}

/** Whether a limit is one: an amount above zero. Zero means none to container engines. */
export function isLimit(value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  return /^\s*(?=[\d.]*[1-9])\d*\.?\d+\s*[A-Za-z%]*\s*$/.test(String(value));
}

/** Whether a network address stands for every interface or every host, in any of its spellings. What a variable stands for is not known, and counts as one. */
export function isAnyAddress(value: unknown): boolean {
  if (typeof value !== 'string') return true;
  return /^\[?(?:::ffff:)?[0:.]*\]?$|^\*$|[$%]/i.test(value.trim());
}

/** Whether a namespace is that of the host: `host`, one by its path, or whatever a variable or a specifier stands for. */
export function isOfHost(namespace: unknown): boolean {
  return typeof namespace === 'string' && /^(?:host(?::|$)|ns:)|[$%]/.test(namespace.trim());
}

/** Whether an option takes confinement away; `spc_t` is the type of containers that SELinux does not hold. */
export function isUnconfined(option: unknown): boolean {
  return /unconfined|disable|\bspc_t\b|\bunmask\b|[$%]/i.test(String(option));
}

/** Whether a range holds every address of its family. */
export function isAnyRange(value: unknown): boolean {
  return typeof value === 'string' && /\/0+\s*$/.test(value);
}

/** Capabilities that are as good as root on the host. */
export function isHostCapability(value: unknown): boolean {
  const name = String(value).trim().toUpperCase().replace(/^CAP_/, '');
  return ['ALL', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_PTRACE', 'SYS_RAWIO', 'DAC_READ_SEARCH', 'BPF'].includes(name) || /[$%]/.test(name);
}

/** A list, or none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
