/** What the rules on payload find: a rule, and the file, line and object that break it. */

/** The rules, each of which policy may switch off. */
export const PAYLOAD_RULES = [
  'unpinned-image',
  'privileged',
  'host-network',
  'host-mount',
  'unbounded-resources',
  'open-route',
  'plaintext-secret',
] as const;

export type PayloadRule = (typeof PAYLOAD_RULES)[number];

/** One thing that breaks a rule. `line` is 1-based; `object` is what people call it, as `Deployment/web container app`. */
export interface Finding {
  readonly rule: PayloadRule;
  readonly line: number;
  readonly object: string;
  readonly what: string;
}
