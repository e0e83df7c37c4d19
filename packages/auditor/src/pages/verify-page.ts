/**
 * `/audit/verify`: checks a statement in the reader's own browser, by keys that the reader brings.
 *
 * The page is the same bytes whoever serves it and whatever is asked, so that it can be compared with the one that came with the program, or be opened from a disk.
 */
import { base64, sha256Raw, utf8 } from '@sealane/core';
import { html, raw } from 'hono/html';
import { htmlText } from './layout.js';
import type { AuditPage } from './page.js';
import { STYLE } from './style.js';
import { VERIFY_FORM } from './verify-form.js';
import { VERIFY_LIBRARY } from './verify-library.js';

const SCRIPT = `${VERIFY_LIBRARY}${VERIFY_FORM}`;

/** What the page may do, wherever it is opened: run this script, apply this stylesheet, ask the service that it came from. */
const OWN_POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${base64(sha256Raw(utf8(SCRIPT)))}'`,
  `style-src 'sha256-${base64(sha256Raw(utf8(STYLE)))}'`,
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
].join('; ');

/** The whole page. It never changes for a version of the program. */
export const VERIFY_PAGE = htmlText(
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        ${raw(`<meta http-equiv="content-security-policy" content="${OWN_POLICY}">`)}
        <title>Verify in this browser – Sealane audit</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <strong class="served"><a href="/audit/">Sealane audit</a></strong>
        </header>
        <main id="content">
          <h1>Verify in this browser</h1>
          <p>
            One signed statement, checked here: its signature, its place in the log, the log’s signature and those of witnesses. Nobody else
            is asked whether they hold. What counts are the keys that you bring.
          </p>
          <noscript>
            <p>
              <span class="mark wait">no script</span> This page works with a script only. Without one: <code>sealane bundle verify</code>,
              or the README of <code>sealane audit export</code>.
            </p>
          </noscript>
          <form id="form" class="rows" hidden>
            <p id="fetched" hidden>Entry <span id="fetched-entry"></span> of the log comes from this service, unless you choose a file.</p>
            <label for="bundle">The statement with its proof: a file of <code>sealane log prove</code>, or of an export</label>
            <input id="bundle" type="file" accept=".json,application/json" />
            <label for="asked">Its digest, if you know it</label>
            <input id="asked" size="74" maxlength="71" placeholder="sha256:…" autocomplete="off" spellcheck="false" />
            <label for="keys">The keys that you trust: a policy of the lane, or the keys of its log and witnesses, one on each line</label>
            <textarea id="keys" rows="6" spellcheck="false" required></textarea>
            <label for="keys-file"
              >… or from files: <code>policy/STAGE.json</code>, <code>log-1.vkey</code>, <code>witness-1.vkey</code></label
            >
            <input id="keys-file" type="file" multiple />
            <label for="quorum">So many witnesses must have seen it (a policy says how many itself)</label>
            <input id="quorum" type="number" min="1" max="100" />
            <p><input id="remember" type="checkbox" /> <label for="remember">Remember the keys in this browser</label></p>
            <p><button>Verify</button></p>
          </form>
          <section id="result" role="status" aria-live="polite" aria-label="Result"></section>
          <h2>What this does not show</h2>
          <ul>
            <li>
              <span class="served"
                >Who serves this page could serve another one that always says “verified”, or that changes the keys it remembers. To be free
                of that, <a href="/audit/verify" download="sealane-verify.html">save the page</a>, compare it with
                <code>docs/verify.html</code> of the program’s sources (<code>sha256sum</code>), and open it from your disk.</span
              >
              Take the keys from the lane’s owners or from an old export, never from who gave you the statement.
            </li>
            <li>
              Whether the signer may say such a thing: the policy names who may. Given a policy, the page says whose key it is. It takes the
              policy as it is given and does not check the owners’ signatures over it: <code>sealane audit check --root</code> does.
            </li>
            <li>
              Whether the key had been revoked by then, or a certificate was good: <code>sealane bundle verify</code> and sites check that.
            </li>
            <li>
              Whether something was left out. <code>sealane audit export --period FROM/TO</code> packs a period with a proof that nothing
              was.
            </li>
          </ul>
        </main>
        ${raw(`<script>${SCRIPT}</script>`)}
      </body>
    </html> `,
);

export const verifyPage: AuditPage = {
  path: '/audit/verify',
  question: 'prove',
  policy: `${OWN_POLICY}; frame-ancestors 'none'`,
  show: () => Promise.resolve(VERIFY_PAGE),
};
