/** Which target paths a delegation covers (TUF 4.5: `PATHPATTERN`). */

/**
 * Whether `path` matches `pattern`: `*` stands for any characters and `?` for one, neither for `/`. Nothing else is special.
 *
 * Linear in the path for each `*`, whatever the pattern: no regular expression is made from it.
 */
export function matchesPathPattern(path: string, pattern: string): boolean {
  const pathParts = path.split('/');
  const patternParts = pattern.split('/');
  return pathParts.length === patternParts.length && patternParts.every((part, index) => matchesPart(pathParts[index] ?? '', part));
}

/** Greedy glob with one place to go back to: the last `*`. */
function matchesPart(text: string, glob: string): boolean {
  let textAt = 0;
  let globAt = 0;
  let star: { readonly globAt: number; textAt: number } | undefined;
  while (textAt < text.length) {
    if (glob[globAt] === '*') {
      star = { globAt, textAt };
      globAt += 1;
    } else if (globAt < glob.length && (glob[globAt] === '?' || glob[globAt] === text[textAt])) {
      globAt += 1;
      textAt += 1;
    } else if (star !== undefined) {
      star.textAt += 1;
      textAt = star.textAt;
      globAt = star.globAt + 1;
    } else {
      return false;
    }
  }
  return /^\**$/.test(glob.slice(globAt));
}
