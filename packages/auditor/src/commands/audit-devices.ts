/** `sealane audit devices`. */
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { devices, type Devices } from '../answers/devices.js';
import { answerQuestion, argument, ASKED, counted } from './question.js';
import { deviceText } from './device-text.js';

export const auditDevices: CommandSpec = {
  name: 'audit devices',
  summary: 'on which devices a release was tested: model, serial, revision, firmware',
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
      ...there.map(({ role, serial, facts }) => `    ${role}: ${deviceText(facts)}${serial === null ? '' : `, serial ${serial}`}`),
    ]),
  ];
}
