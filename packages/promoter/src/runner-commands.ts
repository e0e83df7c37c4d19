/**
 * Text for the log of a CI job. Runners take commands out of what a step prints: GitHub's and its kin `::name::` at the beginning of a line and `##[name]`
 * anywhere in one, Azure Pipelines `##vso[name]`, TeamCity `##teamcity[name]`. Reports, inventories, file names and services are quoted there, and whoever
 * wrote them must not set a step's outputs or mask its log.
 */

/** What no font shows: .NET passes over it when it compares text. */
const HIDDEN = String.raw`\p{Default_Ignorable_Code_Point}`;
const ANYWHERE = new RegExp(String.raw`#(?=[${HIDDEN}]*#[${HIDDEN}a-z]*\[)`, 'giu');
// one class for all that may stand before it, within the line: two ways to read a character would cost twice the time for each
const AT_BEGINNING = new RegExp(String.raw`^((?:(?!\n)[\s${HIDDEN}])*):(?=[${HIDDEN}]*:)`, 'gmu');

/** Whole lines in which no runner finds a command: its first character is spelt out, as `\u0023`. In a string of a JSON document that means the same. */
export function withoutRunnerCommands(text: string): string {
  return text.replace(ANYWHERE, String.raw`\u0023`).replace(AT_BEGINNING, String.raw`$1\u003a`);
}
