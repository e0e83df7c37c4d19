/** How strictly the TUF client reads, and the words that all of its steps share. */

/**
 * `lane`: the lane's own rules, stricter than the specification. `plain`: what TUF 1.0.34 asks for and no more, so that any public repository can
 * be read. The difference, each at its step: the form of dates, key ids that are the hash of their key, paths outside a delegation, which version
 * floors a new root drops.
 */
export type TufRules = 'lane' | 'plain';

/**
 * Whose expiry is judged: over a network the timestamp's too; for an imported medium the timestamp's and the snapshot's are waived (DESIGN "Time").
 * `lifted`: the owners' roles alone, root and targets, where people let an install through with stale trust.
 */
export type TufExpiry = 'network' | 'medium' | 'lifted';

/** One update cycle: everything that stays fixed while it runs (TUF 5.1: the start time is recorded once). */
export interface TufRun {
  readonly rules: TufRules;
  readonly expiry: TufExpiry;
  readonly now: string;
}

/** The four roles that root itself names (TUF 2.1). */
export type TopRole = 'root' | 'timestamp' | 'snapshot' | 'targets';

export const TOP_ROLES: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets'];

/** The specification this client follows and the publisher declares. */
export const TUF_SPEC_VERSION = '1.0.34';
