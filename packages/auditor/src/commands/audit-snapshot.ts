/** `sealane audit snapshot`. */
import { counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { snapshot, type Snapshot } from '../answers/snapshot.js';
import { answerQuestion, ASKED } from './question.js';

export const auditSnapshot: CommandSpec = {
  name: 'audit snapshot',
  summary: 'what the ledger held at a time, with the proof that nothing of it was edited since',

  options: ASKED,
  example: 'sealane audit snapshot --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  return await answerQuestion(call, (context, asked) => snapshot(context, asked), lines);
}

function lines({ size, root, byType, last, today }: Snapshot): readonly string[] {
  return [
    `${counted(size, 'entry')}, root ${root}, the last witnessed ${last.witnessed ?? 'by nobody yet'}`,
    ...Object.entries(byType).map(([type, count]) => `  ${count}  ${type}`),
    `the log of today begins with it: ${counted(today.size, 'entry')}, root ${today.root}`,
  ];
}
