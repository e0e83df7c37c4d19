/** `WWW-Authenticate` of a registry (RFC 9110, section 11; distribution's token and basic schemes), parsed. Pure. */

/** What a registry asks for. Other schemes are passed over. */
export type Challenge =
  { readonly scheme: 'basic' } | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string };

/** Longer ones are no challenge but an attack on the parser. */
const MAX_HEADER_LENGTH = 8192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SEPARATORS = /[ \t,]*/y;

/** The challenges of a header in their order; what cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  if (header.length > MAX_HEADER_LENGTH) return [];
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  for (take(SEPARATORS); at < header.length; take(SEPARATORS)) {
    const word = take(TOKEN)?.[0];
    if (word === undefined) break;
    if (header[at] !== '=') {
      // a word without = starts the next challenge
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    at += 1;
    const quoted = take(QUOTED)?.[1]?.replaceAll(/\\(.)/g, '$1');
    const value = quoted ?? take(TOKEN)?.[0];
    if (value === undefined) break;
    found.at(-1)?.parameters.set(word.toLowerCase(), value);
  }
  return found.flatMap(({ scheme, parameters }) => challengeOf(scheme, parameters));
}

function challengeOf(scheme: string, parameters: ReadonlyMap<string, string>): Challenge[] {
  if (scheme === 'basic') return [{ scheme }];
  const realm = parameters.get('realm');
  if (scheme !== 'bearer' || realm === undefined) return [];
  const service = parameters.get('service');
  const scope = parameters.get('scope');
  return [{ scheme, realm, ...(service !== undefined && { service }), ...(scope !== undefined && { scope }) }];
}
