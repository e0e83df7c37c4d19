// How the walk speaks: numbered headings, short lines, a progress line on a terminal only.
const isTerminal = process.stdout.isTTY === true;
const paint = (code, text) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

/** A numbered part of the story. */
export function heading(number, text) {
  console.log(`\n${paint('1', `${number}. ${text}`)}`);
}

/** A fact that just became true. */
export function done(text) {
  console.log(`   ${paint('32', '✓')} ${text}`);
}

/** Something that was refused, as it should be. */
export function refused(text) {
  console.log(`   ${paint('33', '✗')} ${text}`);
}

/** A remark. */
export function note(text) {
  console.log(`     ${paint('2', text)}`);
}

/** Runs a long step: a moving line on a terminal, one plain line in a pipe. */
export async function working(text, step) {
  if (!isTerminal) {
    console.log(`   … ${text}`);
    return await step();
  }
  let seconds = 0;
  const show = () => process.stdout.write(`\r   … ${text} (${seconds} s)`);
  show();
  const timer = setInterval(() => {
    seconds += 1;
    show();
  }, 1000);
  try {
    return await step();
  } finally {
    clearInterval(timer);
    process.stdout.write('\r\u001b[K');
  }
}
