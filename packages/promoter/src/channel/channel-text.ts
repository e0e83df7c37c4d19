/** What a channel says, as lines for people. */

/** The parts of an answer of `channel show` that have a line. */
export interface ShownChannel {
  readonly stage: string;
  readonly version: number;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly groups: readonly { readonly name: string; readonly release: string; readonly counter: number }[];
  readonly frozen?: { readonly until: string; readonly reason: string } | null | undefined;
  readonly held: readonly { readonly group: string; readonly reason: string }[];
  readonly fenced: readonly { readonly site: string; readonly reason: string }[];
  readonly drained: readonly { readonly site: string; readonly reason: string }[];
  readonly revoked: readonly { readonly release: string; readonly reason: string }[];
}

/** A line for the stage, and one for each group, hold, fence, drain and revocation. */
export function channelText({ stage, version, issuedAt, expiresAt, groups, frozen, held, fenced, drained, revoked }: ShownChannel): string {
  const lines = [
    `${stage}: version ${version}, issued ${issuedAt}, expires ${expiresAt}`,
    ...groups.map(({ name, release, counter }) => `  ${name}  ${release}  #${counter}`),
    ...(frozen === null || frozen === undefined ? [] : [`  frozen until ${frozen.until}: ${frozen.reason}`]),
    ...held.map(({ group, reason }) => `  held ${group}: ${reason}`),
    ...fenced.map(({ site, reason }) => `  fenced ${site}: ${reason}`),
    ...drained.map(({ site, reason }) => `  drained ${site}: ${reason}`),
    ...revoked.map(({ release, reason }) => `  revoked ${release}: ${reason}`),
  ];
  return lines.join('\n');
}
