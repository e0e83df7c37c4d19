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

/** Whether a network address stands for every interface or every host. */
export function isAnyAddress(value: unknown): boolean {
  if (typeof value !== 'string') return true;
  return ['', '0.0.0.0', '::', '[::]', '*'].includes(value.trim());
}

/** Whether a range holds every address of its family. */
export function isAnyRange(value: unknown): boolean {
  return typeof value === 'string' && /\/0+\s*$/.test(value);
}

/** Capabilities that are as good as root on the host. */
export function isHostCapability(value: unknown): boolean {
  return ['ALL', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_PTRACE'].includes(String(value).toUpperCase().replace(/^CAP_/, ''));
}

/** A list, or none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
