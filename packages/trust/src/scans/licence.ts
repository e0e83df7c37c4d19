/** SPDX licence expressions against a list of forbidden ones: `OR` leaves a choice, `AND` does not. */

/** Whether a licence must be refused; `unknown` for an expression that cannot be read. */
export function licenceVerdict(expression: string, forbidden: ReadonlySet<string>): 'allowed' | 'forbidden' | 'unknown' {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  const reader = { at: 0 };
  const peek = (): string | undefined => tokens[reader.at];
  const take = (): string | undefined => tokens[reader.at++];
  const isWord = (token: string | undefined, word: string): boolean => token?.toUpperCase() === word;
  const any = (): boolean | undefined => {
    let value = all();
    while (isWord(peek(), 'OR')) {
      take();
      const right = all();
      value = value === undefined || right === undefined ? undefined : value && right;
    }
    return value;
  };
  const all = (): boolean | undefined => {
    let value = one();
    while (isWord(peek(), 'AND')) {
      take();
      const right = one();
      value = value === undefined || right === undefined ? undefined : value || right;
    }
    return value;
  };
  const one = (): boolean | undefined => {
    const token = take();
    if (token === '(') {
      const inner = any();
      return take() === ')' ? inner : undefined;
    }
    if (token === undefined || [')', 'AND', 'OR', 'WITH'].some((word) => isWord(token, word))) return undefined;
    if (isWord(peek(), 'WITH')) reader.at += 2;
    return forbidden.has(token.toLowerCase().replace(/\+$/, '-or-later')) || forbidden.has(token.toLowerCase());
  };
  const value = any();
  if (value === undefined || reader.at !== tokens.length) return 'unknown';
  return value ? 'forbidden' : 'allowed';
}
