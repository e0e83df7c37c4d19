/** The promoter's requirements, row by row, and what of each is open. Tests show a row by beginning their name with it: `A5 …`. */

/** A row: its id, the capability, and what no test shows yet (empty: nothing). */
export type RequirementRow = readonly [id: string, capability: string, open: string];

const NONE_YET = 'not built yet';

export const REQUIREMENT_ROWS: readonly RequirementRow[] = [
  [
    'A1',
    'a release is an immutable set of parts named by digest; a manifest with a mutable tag is refused, naming file and line',
    'a part that cannot roll back cannot be marked yet',
  ],
  ['A2', 'three stages or more, any DAG; no sequence of commands, retries, crashes or callers skips one', ''],
  [
    'A3',
    'each stage has its own keys and its quorum of approvers; keys from files, the environment, PKCS#11, helpers, or keyless',
    'keyless signing by an OIDC identity',
  ],
  ['A4', 'provenance gate: builder, source, materials; exact identity', ''],
  ['A5', 'test gate: counts, named suites and fault cases, freshness; zero tests or all skipped never passes', ''],
  ['A6', 'tested-hardware gate: every class at the target sites, attached devices included; uncovered sites are listed', ''],
  ['A7', 'fidelity ladder: the rung of each declared dependency, by its criticality', ''],
  ['A8', 'topology parity: each difference is declared with reason, owner and expiry, or refused', ''],
  [
    'A9',
    'approvals: m of n people, over what they saw; they expire; sites check them offline',
    'an approver needs a copy of the ledger beside the lane; expiry at witnessed time is shown by tests of packages/trust alone',
  ],
  ['A10', 'soak, windows, vulnerabilities, SBOM, and one CEL gate that fails closed', ''],
  ['A11', 'policy as code on the payload', ''],
  ['A12', 'plan, explain, replay', ''],
  [
    'A13',
    'refuse, revoke, waive, freeze: signed, logged, with reason and expiry',
    'waivers of kind gate only: stale, rollback, window, hardware and local-role are not built',
  ],
  ['A14', 'images and their signatures copied by digest from registry to registry, as OCI referrers', NONE_YET],
  ['A15', 'CI steps: templates, job summary, exit codes, idempotent on retry', ''],
  ['A16', 'offline promotion in an enclave, from exported evidence', ''],
  ['A17', 'key life: root ceremony, rotation of every role, revocation of a stolen key and what it signed', 'a log keeps its key'],
  ['A18', 'policy has owners other than promotion; the plan of a policy change lists what it would let through', ''],
  ['A19', 'trust boundaries: keys, repositories and approvers scoped by team and workload class', ''],
  ['A20', 'qualified rigs: enrolled, inventoried in the run, rebuilt, free of drift; revoking one reopens what it vouched for', ''],
  ['A21', 'rollback rehearsed in the stage before, in the declared time', NONE_YET],
  ['A22', 'measured conditions: each bounded; a missing number refuses', ''],
  ['A23', 'site variables: declared with type and range; the receipt names the rendered digest', ''],
  ['A24', 'promoter service: OIDC and mTLS callers, rights per route; killed in mid-promotion it loses and doubles nothing', ''],
];
