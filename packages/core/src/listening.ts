/** What to do about an address that cannot be listened on. */

/** The next step, by the code of the system's refusal; `where` says what names the address. */
export function listenHint(error: unknown, where: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `something else listens there: end it, or choose another port with ${where}`;
    case 'EACCES':
      return `ports below 1024 are kept for root: choose a higher one with ${where}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this host has no such address: choose one that it has with ${where}, such as 127.0.0.1`;
    default:
      return `choose another address with ${where}`;
  }
}
