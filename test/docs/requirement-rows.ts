/** The requirements, row by row, and what of each is open. Tests show a row by beginning their name with it: `A5 …`. */

/** A row: its id, the capability, and what no test shows yet (empty: nothing). */
export type RequirementRow = readonly [id: string, capability: string, open: string];

const NONE_YET = 'not built yet';

/** A. Promotion. */
const PROMOTION: readonly RequirementRow[] = [
  ['A1', 'a release is an immutable set of parts named by digest; a manifest with a mutable tag is refused, naming file and line', ''],
  ['A2', 'three stages or more, any DAG; no sequence of commands, retries, crashes or callers skips one', ''],
  ['A3', 'each stage has its own keys and its quorum of approvers; keys from files, the environment, PKCS#11, helpers, or keyless', ''],
  ['A4', 'provenance gate: builder, source, materials; exact identity', ''],
  ['A5', 'test gate: counts, named suites and fault cases, freshness; zero tests or all skipped never passes', ''],
  ['A6', 'tested-hardware gate: every class at the target sites, attached devices included; uncovered sites are listed', ''],
  ['A7', 'fidelity ladder: the rung of each declared dependency, by its criticality', ''],
  ['A8', 'topology parity: each difference is declared with reason, owner and expiry, or refused', ''],
  ['A9', 'approvals: m of n people, over what they saw; they expire; sites check them offline', ''],
  ['A10', 'soak, windows, vulnerabilities, SBOM, and one CEL gate that fails closed', ''],
  ['A11', 'policy as code on the payload', ''],
  ['A12', 'plan, explain, replay', ''],
  ['A13', 'refuse, revoke, waive, freeze: signed, logged, with reason and expiry', ''],
  ['A14', 'images and their signatures copied by digest from registry to registry, as OCI referrers', ''],
  ['A15', 'CI steps: templates, job summary, exit codes, idempotent on retry', ''],
  ['A16', 'offline promotion in an enclave, from exported evidence', ''],
  ['A17', 'key life: root ceremony, rotation of every role, revocation of a stolen key and what it signed', ''],
  ['A18', 'policy has owners other than promotion; the plan of a policy change lists what it would let through', ''],
  ['A19', 'trust boundaries: keys, repositories and approvers scoped by team and workload class', ''],
  ['A20', 'qualified rigs: enrolled, inventoried in the run, rebuilt, free of drift; revoking one reopens what it vouched for', ''],
  ['A21', 'rollback rehearsed in the stage before, in the declared time', ''],
  ['A22', 'measured conditions: each bounded; a missing number refuses', ''],
  ['A23', 'site variables: declared with type and range; the receipt names the rendered digest', ''],
  [
    'A24',
    'promoter service: OIDC and mTLS callers, rights per route; killed in mid-promotion it loses and doubles nothing; several on one PostgreSQL act as one',
    'a p99 of 100 ms at 200 decisions a second: docs/performance.md has what was measured',
  ],
];

/** B. Distribution and the site. */
const SITE: readonly RequirementRow[] = [
  ['B1', 'mirror: verified before it is served, nothing that was not asked for, killed anywhere, bounded, garbage collected', ''],
  ['B2', 'engines pull from the mirror by digest, with the WAN cut', ''],
  ['B3', 'upstreams in order for each class of traffic; bulk cannot starve revocations; a bad upstream is left and rejoined', ''],
  ['B4', 'little over the WAN: resumable, only chunks that the site lacks', 'chunks; blobs resume and are shared (shown by B3)'],
  ['B5', 'removable media out and back; a hostile one gets a clear refusal', ''],
  ['B6', 'verifies by itself, offline: each TUF and Uptane attack is refused by name', ''],
  ['B7', 'applies atomically: old or new, at any kill or power cut', ''],
  ['B8', 'rolls back by itself and by hand, to a good release, never to a revoked one or below the floor', ''],
  ['B9', 'drivers: files, Podman, quadlet, Kubernetes, command, self', ''],
  ['B10', 'degraded but functional, for days without WAN, DNS, NTP and central', ''],
  ['B11', 'a systemd service: notify, watchdog, credentials, hardened; or a timer', ''],
  ['B12', 'maintenance windows, holds, deferral', ''],
  ['B13', 'hardware facts and drift', ''],
  ['B14', 'break-glass and technicians', ''],
  ['B15', 'fence, drain, rejoin', ''],
  ['B16', 'enrol, template, rebuild', ''],
  ['B17', 'sovereignty and placement', NONE_YET],
  ['B18', 'only approved workloads run', ''],
  ['B19', 'secrets: named by releases, sealed to sites, rotated with the WAN cut; a fenced site opens none', ''],
  ['B20', 'attested hardware', NONE_YET],
  ['B21', 'outbound only', ''],
  ['B22', 'retire, repurpose', ''],
];

/** D. Ledger and audit. */
const LEDGER: readonly RequirementRow[] = [
  ['D1', 'append-only, provable: editing or dropping any row is found by anyone with an old checkpoint', ''],
  [
    'D2',
    'durable and fast: an acknowledged entry survives a kill; group commit',
    '15,000 appends a second; a check of each signature is slower than one of hashes, which has its 200,000 a second: docs/performance.md has what was measured',
  ],
  ['D3', 'complete: who, what, on which devices, refusals, grants, receipts, key events', ''],
  ['D4', 'answers to the auditor’s questions, with digests and proofs', ''],
  ['D5', 'two times: what was true then, and what was known then', ''],
  ['D6', 'pages for people', ''],
  ['D7', 'export: one file to check a release or a period offline, without Sealane', ''],
  ['D8', 'outgrows one machine: PostgreSQL with several promoters', ''],
  ['D9', 'backup and retention', 'receipts and records of sites and rigs are not erased: questions about a site would lack them unseen'],
];

/** The parts of the page, each with its letter. */
export const REQUIREMENT_PARTS: readonly { readonly title: string; readonly rows: readonly RequirementRow[] }[] = [
  { title: 'Promotion', rows: PROMOTION },
  { title: 'Distribution and the site', rows: SITE },
  { title: 'Ledger and audit', rows: LEDGER },
];
