/** `sealane audit devices`. */
import { counted, type HardwarePart, partName } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { devices, type Devices } from '../answers/devices.js';
import { answerQuestion, argument, ASKED } from './question.js';
import { deviceText } from './device-text.js';

export const auditDevices: CommandSpec = {
  name: 'audit devices',
  summary: 'on which devices a release was tested: model, serial, revision, firmware, slots',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: ASKED,
  example: 'sealane audit devices readings@1.0.0 --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => devices(context, argument(call, 0), asked), lines);
}

function lines({ name, version, runs }: Devices): readonly string[] {
  return [
    `${name}@${version}: ${counted(runs.length, 'run')}`,
    ...runs.flatMap(({ suite, result, at, devices: there }) => [
      `  ${at}  ${suite} ${result}${there.length === 0 ? ', on nothing that it names' : ''}`,
      ...there.flatMap(({ role, serial, facts, parts }) => [
        `    ${role}: ${deviceText(facts)}${serialText(serial)}`,
        ...parts.filter((part) => part.slot !== null || part.serial !== null).map(partLine),
      ]),
    ]),
  ];
}

function partLine({ slot, serial, part }: Devices['runs'][number]['devices'][number]['parts'][number]): string {
  return `      ${slot === null ? '' : `in ${slot}: `}${partText(part)}${serialText(serial)}`;
}

function partText(part: HardwarePart): string {
  return [partName(part), ...Object.entries(part.firmware).map(([name, version]) => `${name} ${version}`)]
    .filter((word) => word !== '')
    .join(', ');
}

function serialText(serial: string | null): string {
  return serial === null ? '' : `, serial ${serial}`;
}
