/** `sealane plan` and `sealane promote` at a service. */
import { type ErrorCode, ERRORS } from '@sealane/core';
import type { CommandCall, CommandResult } from '@sealane/core/command-line';
import type { z } from 'zod';
import { toldResult, withMissing } from '../decision/outcome-result.js';
import { optionalText, textArgument, textOption } from '../promoter.js';
import { outcomeShape, planShape } from '../service/answers.js';
import { openService, type ServiceAnswer } from './service-shell.js';

/** What promote would say, by the service at `address`. */
export async function planAt(call: CommandCall, address: string): Promise<CommandResult> {
  const { release, ...question } = questionOf(call);
  const service = await openService(address, call.io);
  const path = `/api/v1/releases/${encodeURIComponent(release)}/plan?${new URLSearchParams(question).toString()}`;
  const answer = await service.call({ method: 'GET', path }, planShape);
  return withMissing(told(answer), answer.json.missing);
}

/** Promotes at the service at `address`; called again, it goes on where it stopped. */
export async function promoteAt(call: CommandCall, address: string): Promise<CommandResult> {
  const { release, ...question } = questionOf(call);
  const service = await openService(address, call.io);
  const path = `/api/v1/releases/${encodeURIComponent(release)}/promotions`;
  return told(await service.call({ method: 'POST', path, json: question }, outcomeShape));
}

function questionOf(call: CommandCall): { readonly release: string; readonly to: string; readonly group?: string } {
  const group = optionalText(call, 'group');
  return { release: textArgument(call, 0, 'RELEASE'), to: textOption(call, 'to'), ...(group === undefined ? {} : { group }) };
}

function told({ exit, json }: ServiceAnswer<z.output<typeof outcomeShape>>): CommandResult {
  const code = json.checks.find(({ verdict }) => verdict !== 'pass')?.['code'];
  const { text, hint } = toldResult(json, exit, isCode(code) ? code : null);
  return { exit, json, text, ...(hint === undefined ? {} : { hint }) };
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
