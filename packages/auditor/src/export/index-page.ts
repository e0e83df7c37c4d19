/** `index.html` of an export: what is in it, for people. It opens from disk, needs no script and asks for nothing outside the folder. */
import { html } from 'hono/html';
import { type AbsentDocument, absentText } from './erased.js';
import { type ExportPackage, stemOf } from './export-package.js';
import type { StatementRow } from './statement-rows.js';

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#6668}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{white-space:nowrap}
code,td.id{font:13px/1.6 ui-monospace,monospace}
td.number{font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
@media print{body{margin:0;max-width:none;font-size:11px}a{color:inherit}tr{break-inside:avoid}thead{display:table-header-group}}`;

/** The page. Every text from a statement is escaped. */
export function indexPage(
  { manifest, notes, blobs }: ExportPackage,
  rows: readonly StatementRow[],
  absent: readonly AbsentDocument[],
): string {
  const title = titleOf(manifest);
  const present = new Set<string>(blobs.keys());
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p>
            ${rows.length} statements from the log <code>${manifest.origin}</code>, proved under its
            <a href="log/checkpoint">checkpoint</a> of ${manifest.size} entries. This page is made from them, for reading; it proves
            nothing. <a href="README.txt">README.txt</a> says how to check every statement without Sealane.
          </p>
          ${
            manifest.period === null
              ? ''
              : html`<p>
                  Complete from entry ${manifest.period.first} on: the hash tiles in <code>log/tile</code> show that no entry is missing.
                  ${notes.length} earlier checkpoints are in <code>log/checkpoints</code>.
                </p>`
          }
          ${
            manifest.release === null || !present.has(manifest.release)
              ? ''
              : html`<p>
                  Of the release, and of its parts: those of an image alone name no release. Which parts it has,
                  <a href="blobs/${manifest.release.slice('sha256:'.length)}">its manifest</a> says by digest.
                </p>`
          }
          <h2>Statements</h2>
          <div class="scroll" role="region" aria-label="Statements" tabindex="0">
            <table>
              <thead>
                <tr>
                  <th scope="col">Entry</th>
                  <th scope="col">Witnessed</th>
                  <th scope="col">Kind</th>
                  <th scope="col">Says</th>
                  <th scope="col">Signed by</th>
                  <th scope="col">Files</th>
                </tr>
              </thead>
              <tbody>
                ${rows.map((row) => rowHtml(row, present))}
              </tbody>
            </table>
          </div>
          ${
            absent.length === 0
              ? ''
              : html`<h2>Not here</h2>
                  <p>Statements name these reports, inventories or manifests, and they were not there any more:</p>
                  <ul>
                    ${absent.map((one) => html`<li>${absentText(one)}</li>`)}
                  </ul>`
          }
        </main>
      </body>
    </html> `;
  // nothing in it is awaited, so it is text already
  return page instanceof Promise ? '' : page.toString();
}

function titleOf({ release, site, period }: ExportPackage['manifest']): string {
  if (release !== null) return `Audit export of the release ${release}`;
  return site === null ? `Audit export from ${period?.from ?? ''} to ${period?.to ?? ''}` : `Audit export of the site ${site}`;
}

function rowHtml(
  { index, witnessedAt, predicateType, says, signer, part, blobs }: StatementRow,
  present: ReadonlySet<string>,
): ReturnType<typeof html> {
  const stem = stemOf(index);
  const named = blobs.filter((blob) => present.has(blob));
  return html`<tr>
    <td class="number">${index}</td>
    <td class="number">${witnessedAt}</td>
    <td>${kindOf(predicateType)}</td>
    <td>${part === '' ? says : [says, `about the part ${part}`].filter((words) => words !== '').join('; ')}</td>
    <td>${signer}</td>
    <td>
      <a href="${stem}.json">statement</a>
      <a href="${stem}.bundle.json">bundle</a
      >${named.map((blob, at) => html` <a href="blobs/${blob.slice('sha256:'.length)}">document ${at + 1}</a>`)}
    </td>
  </tr> `;
}

/** The last telling part of a predicate type. */
export function kindOf(predicateType: string): string {
  const parts = predicateType.split(/[/:]/).filter((part) => part !== '' && !/^v\d/.test(part));
  return (parts.at(-1) ?? predicateType).replaceAll(/[-_]/g, ' ');
}
