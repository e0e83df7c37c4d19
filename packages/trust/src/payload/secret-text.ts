/** Texts that are secrets, or that stand where a secret would: by the name of a variable, and by forms that only secrets have. */

const SECRET_NAME =
  /(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|(?:^|[_.-])(?:PASS|PWD|TOKEN|API[_.-]?KEY|PRIVATE[_.-]?KEY|ACCESS[_.-]?KEY|CREDENTIALS?)(?:$|[_.-]))/i;
/** Names about a secret that are not its value. */
const NOT_THE_VALUE = /[_.-](?:FILE|PATH|DIR|NAME|REF|ID|TTL|LENGTH|EXPIRY|EXPIRATION|URI|ENDPOINT|ISSUER|ALGORITHM)$/i;
/** A value that somebody else fills in: `$(NAME)`, `${NAME}`; not one with a default. */
const REFERENCE = /^\$(?:\([A-Za-z_]\w*\)|\{[A-Za-z_]\w*(?::?\?[^}]*)?\}|[A-Za-z_]\w*)$/;

const SECRET_FORMS: readonly { readonly form: RegExp; readonly what: string }[] = [
  { form: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/, what: 'a private key' },
  { form: /\bAKIA[0-9A-Z]{16}\b/, what: 'an access key of AWS' },
  { form: /\bgh[pousr]_[A-Za-z0-9]{36,}\b/, what: 'a token of GitHub' },
  { form: /\bglpat-[A-Za-z0-9_-]{20,}/, what: 'a token of GitLab' },
  { form: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:(?!\$[({])[^\s/@]+@/i, what: 'a URL with a password' },
  { form: /(?:^|\s)--?(?:password|passwd|token|secret|api-key)(?:=|\s+)(?!\$[({])\S+/i, what: 'a password on a command line' },
];

/** Whether a variable of this name with this value holds a secret in plain text. */
export function isPlainSecret(name: string, value: unknown): boolean {
  if (value === undefined || value === null || value === '' || typeof value === 'boolean') return false;
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : 'an object';
  return SECRET_NAME.test(name) && !NOT_THE_VALUE.test(name) && text !== '' && !REFERENCE.test(text);
}

/** What kind of secret a text holds by its form; undefined when it has none of them. */
export function secretForm(text: string): string | undefined {
  return SECRET_FORMS.find(({ form }) => form.test(text))?.what;
}
