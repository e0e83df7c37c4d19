/** What a caller may be allowed: one right for each route of the API. */

/** All rights, in the order of the API document. */
export const RIGHTS = [
  'release.create',
  'release.list',
  'release.show',
  'blob.add',
  'evidence.add',
  'evidence.list',
  'plan',
  'explain',
  'promote',
  'statement.add',
  'revoke',
  'channel.show',
  'log.prove',
  'audit.trace',
  'audit.devices',
  'audit.cases',
  'audit.approvals',
  'audit.decisions',
  'audit.coverage',
  'audit.changes',
  'audit.awareness',
  'audit.evidence',
  'audit.at',
  'audit.parity',
  'audit.population',
  'audit.exposure',
  'audit.waivers',
  'audit.remedy',
  'audit.unit',
  'audit.keys',
  'audit.drift',
  'audit.snapshot',
  'audit.rollbacks',
  'audit.automatic',
  'audit.replay',
  'audit.policy',
] as const;

/** A right: the name of a route. */
export type Right = (typeof RIGHTS)[number];
