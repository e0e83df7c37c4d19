/** The pipeline that `init` writes when none is given: three stages, two approvers, one witness. */

import { isMap } from 'yaml';
import { parseYaml } from './yaml-file.js';

/** Where a witness listens unless somebody says otherwise. */
const WITNESS_URL = 'http://127.0.0.1:8791';

/** The default pipeline as text, with a witness's vkey filled in. */
export function defaultPipeline(witnessVkey: string): string {
  return `# Three stages, each with its own key and gates. Change it, then: sealane trust propose
apiVersion: sealane/v1
kind: Pipeline
lane: lane.example
baseUrl: https://lane.example

stages:
  - name: dev
    gates:
      - use: provenance
      - use: tests
  - name: edge-preprod
    from: [dev]
    gates:
      - use: provenance
      - use: tests
      - use: hardware
  - name: prod
    from: [edge-preprod]
    gates:
      - use: provenance
      - use: tests
      - use: hardware
      - use: approvals
        with: { count: 2 }

# Quorums count people, not keys.
people:
  - { id: alice, keys: [alice] }
  - { id: bob, keys: [bob] }

# Whose signature counts for what, by key name under keys/.
signers:
  release: [author]
  provenance: [builder]
  tests: [lab]
  hardware: [lab]
registrar: [registrar]

# Witnesses cosign the log; they must not run on this host. Their addresses are not signed and may change at any time.
witnesses:
  - vkey: '${witnessVkey}'
    url: ${WITNESS_URL}
quorum: 1

# Facts that must be known of the hardware, at the lab and at the site.
hardware:
  require: [arch, cpu]
`;
}

/** A pipeline file that names no witness, with one: below what is there, so that every line keeps its number. */
export function withWitness(bytes: Uint8Array, file: string, vkey: string): Uint8Array {
  const { document } = parseYaml(bytes, file);
  const text = new TextDecoder().decode(bytes);
  // JSON and the like, and what has said that it ends, take nothing below
  if (isMap(document.contents) && (document.contents.flow === true || /^\.\.\./m.test(text))) {
    document.set('witnesses', [{ vkey, url: WITNESS_URL }]);
    return new TextEncoder().encode(document.toString({ lineWidth: 0 }));
  }
  return new TextEncoder().encode(`${text}${text.endsWith('\n') ? '' : '\n'}\nwitnesses:\n  - vkey: '${vkey}'\n    url: ${WITNESS_URL}\n`);
}
