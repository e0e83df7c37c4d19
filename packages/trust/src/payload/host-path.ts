/** What a volume takes: a folder of the host, or one that the orchestrator makes. */

/** Whether a source is a path of the host. What a variable or a specifier stands for is not known, and counts as one. */
export function isHostPath(source: string): boolean {
  return /^(?:[/\\.~$%]|[A-Za-z]:[\\/])/.test(source);
}

/** The source in `SOURCE:TARGET[:OPTIONS]`; undefined where there is a target alone. */
export function volumeSource(text: string): string | undefined {
  return /^((?:[A-Za-z]:[\\/])?[^:]*):/.exec(text)?.[1];
}
