/** Stages that take releases with parts without a way back. */

/** The pipeline with the gate `irreversible` in each stage; in prod so many people have to have said that they know. */
export function withIrreversible(text: string, people: number): string {
  const names = { dev: 0, 'edge-preprod': 0, prod: people };
  return Object.entries(names).reduce((said, [stage, count]) => {
    const head = new RegExp(`(- name: ${stage}\\n(?:    from: .*\\n)?    gates:\\n)`);
    return said.replace(head, `$1      - use: irreversible\n        with: { count: ${count} }\n`);
  }, text);
}
