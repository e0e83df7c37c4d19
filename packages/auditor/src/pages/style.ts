/** The one stylesheet of the pages, and the policy that lets a browser apply it and nothing else. Dark and light, screen and paper. */
import { base64, sha256Raw, utf8 } from '@sealane/core';

/** It is put into each page letter for letter: its digest is what the policy names. Text and ground differ by 4.5 to 1 or more. */
export const STYLE = `:root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;--link:#0550ae;
--good:#116329;--good-ground:#dafbe1;--bad:#a40e26;--bad-ground:#ffebe9;--wait:#6b4700;--wait-ground:#fff8c5;--bar:#0969da}
@media (prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#e6edf3;--soft:#9aa4af;--line:#30363d;--card:#161b22;--link:#79b8ff;
--good:#7ee787;--good-ground:#12261e;--bad:#ffa198;--bad-ground:#2d1517;--wait:#f2cc60;--wait-ground:#272115;--bar:#388bfd}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:var(--ground);color:var(--text)}
header,main,footer{max-width:76rem;margin:0 auto;padding:.75rem 1.25rem}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center;border-bottom:1px solid var(--line)}
header strong{font-size:1.05rem}
header form{margin-left:auto}
footer{border-top:1px solid var(--line);margin-top:2rem;color:var(--soft);font-size:.9rem}
h1{font-size:1.7rem;line-height:1.25;margin:1rem 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0}
a{color:var(--link)}
a:focus-visible,input:focus-visible,textarea:focus-visible,button:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--bar);outline-offset:2px}
.skip{position:absolute;left:-100rem}
.skip:focus{left:1rem;top:.5rem;background:var(--ground);padding:.3rem .6rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.soft{color:var(--soft)}
code{font:.85em/1.6 ui-monospace,monospace;overflow-wrap:anywhere}
pre{font:.8rem/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.75rem;margin:.5rem 0}
.scroll{overflow-x:auto;position:relative}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line)}
td{overflow-wrap:anywhere;min-width:6rem}
td:has(ul){min-width:18rem}
td:has(code:not(.digest)){min-width:12rem}
:is(td,tbody th) .digest{display:inline-block;max-width:8.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;vertical-align:bottom}
a .digest{text-decoration:underline}
thead th{white-space:nowrap;color:var(--soft);font-weight:600}
.number{font-variant-numeric:tabular-nums;white-space:nowrap}
.mark{display:inline-block;border-radius:1em;padding:0 .6em;font-size:.85em;font-weight:600;white-space:nowrap;border:1px solid currentColor}
.good{color:var(--good);background:var(--good-ground)}
.bad{color:var(--bad);background:var(--bad-ground)}
.wait{color:var(--wait);background:var(--wait-ground)}
.none{color:var(--soft);background:var(--card)}
.path{list-style:none;margin:1rem 0;padding:0;display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr))}
.path>li{border:1px solid var(--line);border-top:4px solid var(--line);border-radius:6px;padding:.75rem 1rem;background:var(--card)}
.path>li.passed{border-top-color:var(--good)}
.path>li.refused{border-top-color:var(--bad)}
.path .top{display:flex;justify-content:space-between;align-items:center;gap:.5rem}
.gates{list-style:none;margin:.5rem 0 0;padding:0;font-size:.9rem}
.gates li{display:flex;justify-content:space-between;gap:.75rem;border-top:1px solid var(--line);padding:.2rem 0}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.75rem 0}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
.matrix th[scope=col]{white-space:normal;vertical-align:bottom}
.matrix td{min-width:3.5rem;text-align:center;font-weight:700}
.matrix tbody th{min-width:14rem;font-weight:400}
input,textarea{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--soft);border-radius:6px;padding:.3rem .6rem;max-width:100%}
::placeholder{color:var(--soft);opacity:1}
button{font:inherit;font-weight:600;color:var(--ground);background:var(--link);border:1px solid var(--link);border-radius:6px;padding:.3rem .9rem}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
form.rows{display:grid;gap:.35rem;max-width:60rem}
form.rows label{margin-top:.6rem}
form.rows p label{margin:0}
textarea{font:.8rem/1.5 ui-monospace,monospace;width:100%}
.questions{margin:.2rem 0;padding-left:1.2rem;columns:auto 26rem}
.questions li{margin:.2rem 0;break-inside:avoid}
dd ul{margin:0;padding-left:1rem}
.part caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.part h3{margin:.75rem 0 .25rem}
.cards{list-style:none;margin:.5rem 0;padding:0;display:grid;gap:1rem}
.cards>li{border:1px solid var(--line);border-radius:6px;padding:.5rem 1rem;background:var(--card);min-width:0}
td ul{margin:0;padding-left:1rem}
.checks li{margin:.35rem 0;overflow-wrap:anywhere}
[hidden]{display:none!important}
.search input{flex:1 1 20rem;font-size:1.05rem}
svg{display:block;width:100%;height:auto;min-width:40rem}
svg text{fill:var(--text);font:13px system-ui,sans-serif}
svg text.soft{fill:var(--soft)}
svg .axis{stroke:var(--line)}
svg .run{fill:var(--bar)}
svg .area{fill:var(--bar);opacity:.22}
svg .step{fill:none;stroke:var(--bar);stroke-width:2.5;stroke-linejoin:round}
svg .event{fill:var(--ground);stroke:var(--text);stroke-width:2}
svg .event.refusal{stroke:var(--bad);fill:var(--bad-ground)}
@media (max-width:40rem){.facts{grid-template-columns:1fr}.facts dd{margin-bottom:.4rem}header form{margin-left:0;width:100%;flex-wrap:nowrap}header form input{flex:1;min-width:0}}
@media print{:root{--ground:#fff;--text:#000;--soft:#333;--line:#999;--card:#fff;--link:#000}
body{font-size:10.5pt}form,.times,.skip{display:none}header,main,footer{max-width:none;padding:0}
.scroll{overflow:visible}:is(td,tbody th) .digest{display:inline;white-space:normal}thead{display:table-header-group}tr,.path>li,svg{break-inside:avoid}h2{break-after:avoid}svg{min-width:0}
details::details-content{content-visibility:visible;block-size:auto}a{color:inherit}}`;

/** What a browser may do with a page: apply this stylesheet, send its forms back here. No script, no picture, no frame around it. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${base64(sha256Raw(utf8(STYLE)))}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');
