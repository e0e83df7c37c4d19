/** The class of a workload, in five words: what a release declares about itself, and what a scope of policy asks for. */
import { z } from 'zod';
import { nameShape } from './shapes.js';

/** The class that a release declares: all five, or none at all. `compliance` is the regime's name, `none` where there is none. */
export type WorkloadClass = {
  /** How late an answer may be: a control loop misses its period, a person waits, nobody does. */
  readonly latency: 'control' | 'interactive' | 'background';
  /** Where it has to run: in the machine it serves, at its site, or anywhere. */
  readonly locality: 'device' | 'site' | 'anywhere';
  /** What is lost with its disk: nothing, what can be fetched again, or the only copy. */
  readonly state: 'stateless' | 'cache' | 'durable';
  readonly compliance: string;
  /** How soon it has to be back: by itself in seconds, in minutes, or when a person comes. */
  readonly recovery: 'seconds' | 'minutes' | 'manual';
};

const words = {
  latency: z.enum(['control', 'interactive', 'background']),
  locality: z.enum(['device', 'site', 'anywhere']),
  state: z.enum(['stateless', 'cache', 'durable']),
  compliance: nameShape,
  recovery: z.enum(['seconds', 'minutes', 'manual']),
} as const;

/** The five words, in the order in which people read them. */
const CLASS_WORDS = ['latency', 'locality', 'state', 'compliance', 'recovery'] as const;

/** Zod's shape of a class. */
export const workloadClassShape = z.strictObject(words);

/** The classes that a scope is for: each word that it names has to be one of these. */
export type ClassFilter = { readonly [Word in keyof WorkloadClass]?: readonly WorkloadClass[Word][] };

/** Zod's shape of a filter. An empty list would match nothing, which nobody means. */
export const classFilterShape = z.strictObject({
  latency: z.array(words.latency).min(1).max(8).exactOptional(),
  locality: z.array(words.locality).min(1).max(8).exactOptional(),
  state: z.array(words.state).min(1).max(8).exactOptional(),
  compliance: z.array(words.compliance).min(1).max(64).exactOptional(),
  recovery: z.array(words.recovery).min(1).max(8).exactOptional(),
});

/** Whether a class is one of those; a release that declares none is of no class that a filter names. */
export function isOfClass(filter: ClassFilter, declared: WorkloadClass | undefined): boolean {
  return CLASS_WORDS.every((word) => {
    const allowed: readonly string[] | undefined = filter[word];
    return allowed === undefined || (declared !== undefined && allowed.includes(declared[word]));
  });
}
