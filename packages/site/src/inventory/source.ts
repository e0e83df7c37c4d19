/** What the collector reads from: a tree of small files as Linux shows it, a few tools, and what only the running system knows. */

/** A root with `sys/`, `proc/` below it; paths have no leading slash. Nothing there, or not readable: undefined, or an empty list. */
export interface InventoryTree {
  readonly read: (path: string) => string | undefined;
  readonly list: (path: string) => readonly string[];
  /** The path after following links, below the same root. */
  readonly resolve: (path: string) => string | undefined;
}

/** What a tool prints on stdout; undefined when it is not there, fails or takes too long. */
export type RunCommand = (argv: readonly string[]) => string | undefined;

/** Facts of the running system, where the tree does not tell them (macOS has none, Linux before 6.1 no architecture). */
export interface SystemFacts {
  readonly arch?: string;
  readonly cpuModel?: () => string | undefined;
}

/** Everything that a collection reads. */
export interface InventorySource {
  readonly tree: InventoryTree;
  readonly runCommand: RunCommand;
  readonly system: SystemFacts;
}
