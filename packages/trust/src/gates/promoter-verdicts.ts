/** The gates that only the promoter evaluates, by name: sites, which load none of their code, take its signed verdict. */
export const PROMOTER_VERDICTS: readonly string[] = ['windows', 'vulnerabilities', 'sbom', 'payload', 'cel'];
