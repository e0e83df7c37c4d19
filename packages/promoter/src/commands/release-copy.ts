/** `sealane release copy`. */
import { counted, PromoterError } from '@sealane/core';
import type { CommandCall, CommandResult, CommandSpec } from '@sealane/core/command-line';
import { loginsOf, parseRepository, type RepositoryName } from '@sealane/oci';
import { tryWitness } from '../log/log-statements.js';
import { optionalText, type Promoter, stageOf, textArgument, withLockedPromoter, withPromoter } from '../promoter.js';
import { releaseOf } from '../release/records.js';
import { type CopiedRelease, copyRelease } from '../registry/copy-release.js';

export const command: CommandSpec = {
  name: 'release copy',
  summary: 'copy a release into a repository of a registry, with what vouches for each image attached to it',
  arguments: [{ name: 'release', description: 'sha256:… or NAME@VERSION' }],
  options: [
    { flags: '--to <repository>', description: 'docker://REGISTRY/REPOSITORY (default: repository of the stage in pipeline.yaml)' },
    {
      flags: '--stage <stage>',
      description: 'attach the decision that let it into this stage, and what that rests on (default: evidence only)',
    },
  ],
  example: 'sealane release copy readings@1.0.0 --stage prod --to docker://registry.example/prod/readings --home my-lane',
  run,
};

async function run(call: CommandCall): Promise<CommandResult> {
  // what was logged since gets its proofs first; nothing else of this needs the lock, and an upload may take hours
  await withLockedPromoter(call, tryWitness);
  const copied = await withPromoter(call, async (promoter) => {
    const stage = optionalText(call, 'stage');
    return copyRelease(promoter, {
      release: await releaseOf(promoter, textArgument(call, 0, 'RELEASE')),
      to: repositoryOf(promoter, optionalText(call, 'to'), stage),
      stage,
      registry: { credentials: loginsOf(call.io), signal: call.io.signal },
    });
  });
  return { exit: 0, json: copied, text: textOf(copied) };
}

function repositoryOf(promoter: Promoter, to: string | undefined, stage: string | undefined): RepositoryName {
  if (stage !== undefined) stageOf(promoter, stage);
  const text = to ?? promoter.pipeline.stages.find(({ name }) => name === stage)?.repository;
  if (text !== undefined) return parseRepository(text);
  throw new PromoterError(
    'USAGE',
    'copy a release: expected --to docker://REGISTRY/REPOSITORY, or --stage of a stage with a repository in pipeline.yaml',
  );
}

function textOf({ to, tag, copied, attached, left }: CopiedRelease): string {
  const { there, mounted, sent, bytesSent } = copied;
  return [
    `${to}  ${tag}`,
    `  ${there} there, ${mounted} mounted, ${sent} sent (${counted(bytesSent, 'byte')})`,
    ...attached.flatMap(({ subject, statements }) => statements.map(({ predicateType }) => `  at ${subject}  ${predicateType}`)),
    ...left.map(({ digest, predicateType, why }) => `  left out  ${digest}  ${predicateType}: ${why}`),
  ].join('\n');
}
