/** The pipeline that `init` writes when none is given: three stages, two approvers, one witness. */

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

/** A pipeline file that names no witness, with one. */
export function withWitness(bytes: Uint8Array, vkey: string): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  return new TextEncoder().encode(`${text}${text.endsWith('\n') ? '' : '\n'}\nwitnesses:\n  - vkey: '${vkey}'\n    url: ${WITNESS_URL}\n`);
}
