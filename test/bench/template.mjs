// Statements that differ in a few texts only: written once by whoever writes them, with marks where they differ, and then joined.

/**
 * A function from texts to the bytes that `write` makes of them. `marks` are texts of the same form, one for each place, each nowhere else in the statement:
 * a text that JSON writes as it is stands where its mark stood.
 */
export function template(marks, write) {
  const parts = [{ text: Buffer.from(write(...marks)).toString(), place: undefined }];
  for (const [place, mark] of marks.entries()) {
    const before = parts.length;
    for (let at = 0; at < parts.length; at += 1) {
      const { text } = parts[at];
      const found = text.indexOf(mark);
      if (found === -1) continue;
      parts.splice(at, 1, { text: text.slice(0, found), place }, { ...parts[at], text: text.slice(found + mark.length) });
    }
    if (parts.length === before) throw new Error(`make a template: expected ${mark} in the statement, got none`);
  }
  return (...texts) => {
    let whole = '';
    for (const { text, place } of parts) whole += place === undefined ? text : text + texts[place];
    return Buffer.from(whole);
  };
}
