/** A device on one line, for people. */
import { type HardwareFacts, partName } from '@sealane/core';

export function deviceText(facts: HardwareFacts): string {
  const firmware = [facts, ...facts.parts].flatMap((part) =>
    Object.entries(part.firmware).map(([name, version]) => `${part === facts ? '' : `${partName(part)} `}${name} ${version}`),
  );
  return [partName(facts), facts.cpu, facts.arch, ...firmware].filter((word) => word !== undefined && word !== '').join(', ');
}
