/** Where everything lies in the promoter's private state. */
import path from 'node:path';

/** Paths below HOME; `lane` may be elsewhere. */
export interface Home {
  readonly folder: string;
  readonly pipeline: string;
  readonly keys: string;
  readonly owners: string;
  readonly ledger: string;
  readonly lock: string;
  /** Held while a list of referrers is written in a registry: see `release copy`. */
  readonly registryLock: string;
  readonly logVkey: string;
  /** The open proposal, and the folder of published ones. */
  readonly proposal: string;
  readonly proposals: string;
  readonly trust: string;
  readonly content: string;
  readonly log: string;
  /** The log of records: see `sealane records init`. */
  readonly records: string;
  readonly lane: string;
}

/** The paths of a home, and of its lane when that is kept elsewhere. */
export function homeAt(folder: string, lane = path.join(folder, 'lane')): Home {
  return {
    folder,
    pipeline: path.join(folder, 'pipeline.yaml'),
    keys: path.join(folder, 'keys'),
    owners: path.join(folder, 'owners'),
    ledger: path.join(folder, 'ledger', 'ledger.sqlite'),
    lock: path.join(folder, 'ledger', 'publish.lock'),
    registryLock: path.join(folder, 'ledger', 'registry.lock'),
    logVkey: path.join(folder, 'log.vkey'),
    proposal: path.join(folder, 'proposal.json'),
    proposals: path.join(folder, 'proposals'),
    lane,
    trust: path.join(lane, 'trust'),
    content: path.join(lane, 'content'),
    log: path.join(lane, 'log'),
    records: path.join(lane, 'records'),
  };
}
