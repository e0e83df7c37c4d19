// Which Node the programs run under. Plain: an old Node has to be able to read it.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** What is wrong with the Node that runs this; undefined when nothing is. */
export const nodeProblem =
  major > 20 || (major === 20 && minor >= 20) ? undefined : `expected Node 20.20 or later, got ${process.versions.node}`;

/** Ends a program under a Node that cannot run it, as a command that fails ends. */
export function expectNode(program) {
  if (nodeProblem === undefined) return;
  console.error(`${program}: error: start ${program}: ${nodeProblem} (CONFIG_INVALID)`);
  console.error(`${program}: hint: install a newer Node, or start it by one that is elsewhere: /path/to/node bin/${program}.mjs`);
  process.exit(2);
}
