/** `sealane audit export`. */
import path from 'node:path';
import { AuditorError, counted } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { parseBundle } from '@sealane/trust';
import type { Answer } from '../answers/answer.js';
import type { AuditContext } from '../answers/context.js';
import { releaseNamed } from '../answers/inquiry.js';
import { collectExport, type ExportWish } from '../export/collect.js';
import { parsePeriod } from '../export/period.js';
import { renderExport } from '../export/render.js';
import { writeExport } from '../export/tar-shell.js';
import { withAudit } from '../open-audit-shell.js';

export const auditExport: CommandSpec = {
  name: 'audit export',
  summary: 'write one file with all that is known of a release, a site or a period, to be checked offline and without Sealane',
  options: [
    { flags: '--release <release>', description: 'sha256:… or NAME@VERSION' },
    { flags: '--site <site>', description: 'name of a site' },
    { flags: '--period <from/to>', description: 'every entry that was logged between two times, such as 2026-11-01T00:00:00Z/now' },
    { flags: '--out <file>', description: 'the tar to write; there must be none', required: true },
  ],
  example: 'sealane audit export --release readings@1.0.0 --out export.tar --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  const { out } = call.options;
  const file = path.resolve(call.io.cwd, typeof out === 'string' ? out : '');
  const exported = await withAudit(call, async (context, { trust }) => {
    const collected = await collectExport(context, trust, await wishOf(context, call.options));
    return { collected, files: renderExport(collected, context.policies) };
  });
  const { manifest, statements, checkpoint } = exported.collected;
  const written = await writeExport(file, exported.files);
  const { release, site, period, missing, origin, size } = manifest;
  const answer = { ...written, origin, size, release, site, period, files: exported.files.size, missing };
  const json: Answer<typeof answer> = {
    question: `export ${release ?? site ?? 'of a period'}`,
    answer,
    statements: statements.map(({ index, bundle }) => ({
      digest: parseBundle(bundle).statementDigest,
      logIndex: index,
    })),
    checkpoint,
    complete: missing.length === 0,
  };
  const lines = [
    `${file}: ${counted(statements.length, 'statement')}, proved by ${origin} at ${counted(size, 'entry')}; README.txt in it says how to check it`,
    `its digest, to be kept apart: ${written.digest}`,
    ...missing.map((digest) => `  not there any more: ${digest}`),
  ];
  return { exit: 0, json, text: lines.join('\n') };
}

async function wishOf(context: AuditContext, { release, site, period }: CommandCall['options']): Promise<ExportWish> {
  const wishes: readonly (() => Promise<ExportWish>)[] = [
    ...(typeof release === 'string' ? [async () => ({ release: await releaseNamed(context, release) })] : []),
    ...(typeof site === 'string' ? [() => Promise.resolve({ site })] : []),
    ...(typeof period === 'string' ? [() => Promise.resolve({ period: parsePeriod(period) })] : []),
  ];
  const [wish] = wishes;
  if (wish !== undefined && wishes.length === 1) return await wish();
  throw new AuditorError('USAGE', `export: expected one of --release, --site and --period, got ${wishes.length}`);
}
