/** What the page that verifies in a browser does with its form: reads files, fetches a statement where a service served the page, shows each check. */

/** Runs after the library, in the same script. Everything that is shown is set as text. */
export const VERIFY_FORM = String.raw`
const part = (id) => document.getElementById(id);
const REMEMBERED = 'sealane-verify';
const isServed = location.protocol !== 'file:';
const query = new URLSearchParams(location.search);
const entry = isServed && /^\d{1,15}$/.test(query.get('entry') ?? '') ? query.get('entry') : undefined;

/** Only as text: nothing that a statement says becomes an element. */
function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

async function bundleText() {
  const [file] = part('bundle').files;
  if (file !== undefined) return await file.text();
  if (entry === undefined) throw new Error('choose the file of a statement');
  const answer = await fetch('/api/v1/log/' + entry);
  if (!answer.ok) throw new Error('the service did not give entry ' + entry + ': ' + answer.status);
  return await answer.text();
}

async function pins() {
  const read = await readPins(part('keys').value);
  const quorum = part('quorum').value === '' ? read.quorum : Number(part('quorum').value);
  return { ...read, quorum };
}

function remember() {
  if (!part('remember').checked) return localStorage.removeItem(REMEMBERED);
  localStorage.setItem(REMEMBERED, JSON.stringify({ keys: part('keys').value, quorum: part('quorum').value }));
}

function recall() {
  try {
    const { keys, quorum } = JSON.parse(localStorage.getItem(REMEMBERED));
    [part('keys').value, part('quorum').value, part('remember').checked] = [keys, quorum, true];
  } catch {
    // nothing is remembered, or this browser remembers nothing
  }
}

function show({ checks, text, signer }) {
  const failed = checks.filter(({ holds }) => !holds).length;
  const verdict = failed === 0 ? 'Verified' : 'Not verified: ' + failed + ' of ' + checks.length + ' checks fail';
  const rows = checks.map(({ what, holds, said }) =>
    element('li', '', element('span', holds ? 'mark good' : 'mark bad', holds ? 'holds' : 'fails'), ' ', element('strong', '', what), ': ' + said),
  );
  const list = element('ol', 'checks', ...rows);
  const statement = text === undefined ? [] : [element('p', '', 'Signed with ' + signer + '.'), element('pre', '', text)];
  part('result').replaceChildren(element('h2', '', verdict), list, ...statement);
}

part('form').addEventListener('submit', (event) => {
  event.preventDefault();
  part('result').replaceChildren(element('p', '', 'Verifying …'));
  const work = async () => {
    if (crypto.subtle === undefined) throw new Error('this browser verifies only on pages that came over https or from a disk');
    show(await verifyStatement(await bundleText(), await pins(), part('asked').value.trim()));
    remember();
  };
  work().catch((error) => show({ checks: [{ what: 'What was given can be read', holds: false, said: error.message }] }));
});
part('keys-file').addEventListener('change', async (event) => {
  const texts = await Promise.all([...event.target.files].map((file) => file.text()));
  part('keys').value = texts.join('\n');
});

for (const one of document.querySelectorAll('.served')) one.hidden = !isServed;
part('fetched').hidden = entry === undefined;
part('fetched-entry').textContent = entry ?? '';
part('asked').value = query.get('statement') ?? '';
part('form').hidden = false;
recall();
`;
