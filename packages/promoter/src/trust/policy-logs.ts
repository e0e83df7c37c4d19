/** Who signs and witnesses the lane's log, as a policy says it: those of today, and up to which size those count that were replaced. */
import type { Policy, PolicyLog } from '@sealane/trust';
import type { PolicySource } from './policy-source.js';

/** What of a policy is about the log. */
type LogPart = Pick<Policy, 'logs' | 'witnesses' | 'pastWitnesses' | 'quorum'>;

/** The log part of every stage's policy. One log serves all stages: a new stage's sites are shown what was proved before it, too. */
export function logPart(source: PolicySource): LogPart {
  const { pipeline } = source;
  return {
    logs: [laneLog(source)],
    witnesses: pipeline.witnesses.map(({ vkey }) => vkey),
    ...pastWitnesses(source),
    quorum: pipeline.quorum,
  };
}

/** A key that the log signs with no more goes on counting for what was proved under it up to now. A limit only ever gets lower. */
function laneLog({ pipeline, laneBefore, logVkey, logSize, now }: PolicySource): PolicyLog {
  const before = laneBefore?.logs.find(({ origin }) => origin === pipeline.lane);
  const earlier = before?.past ?? [];
  const gone = before === undefined ? [] : [{ vkey: before.vkey, belowSize: logSize, endedAt: now }];
  const past = [...earlier, ...gone].filter(({ vkey }) => vkey !== logVkey);
  return {
    origin: pipeline.lane,
    baseUrl: pipeline.baseUrl ?? `https://${pipeline.lane}`,
    vkey: logVkey,
    ...(past.length === 0 ? {} : { past }),
  };
}

/** Witnesses that the pipeline names no more: what was proved under them up to now goes on counting. A limit only ever gets lower. */
function pastWitnesses({ pipeline, laneBefore, logSize }: PolicySource): Pick<Policy, 'pastWitnesses'> {
  const now = new Set(pipeline.witnesses.map(({ vkey }) => vkey));
  const earlier = laneBefore?.pastWitnesses ?? [];
  const gone = (laneBefore?.witnesses ?? []).map((vkey) => ({ vkey, belowSize: logSize }));
  const past = [...earlier, ...gone.filter(({ vkey }) => !earlier.some((witness) => witness.vkey === vkey))].filter(
    ({ vkey }) => !now.has(vkey),
  );
  return past.length === 0 ? {} : { pastWitnesses: past };
}
