/** Who asks a workload how it is: this process, or one that stands outside of its sandbox. */
import type { Check } from '@sealane/core';
import type { HealthProbe } from './probe.js';

/** Where a question is asked: folder and environment of command probes. */
export interface ProbePlace {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Asks one question at a time or many. */
export interface Prober {
  /** The answer is a check that passes or fails, never a rejection. */
  ask(question: HealthProbe, place: ProbePlace): Promise<Check>;
  /** Nothing more is asked. */
  close(): Promise<void>;
}
