/** OSCAL assessment results (NIST, version 1.0): each statement as an observation with its evidence, for tools of governance that read it. */
import { hex, type JsonObject, sha256Raw, utf8 } from '@sealane/core';
import { type ExportPackage, stemOf } from './export-package.js';
import { kindOf } from './index-page.js';
import type { StatementRow } from './statement-rows.js';

const OSCAL_VERSION = '1.0.6';

/** The document. It says what was observed; which control that satisfies is the assessor's to say, so it takes in all of them and finds nothing. */
export function assessmentResults({ manifest, checkpoint }: ExportPackage, rows: readonly StatementRow[]): JsonObject {
  const about = manifest.release ?? manifest.site ?? `${manifest.period?.from ?? ''}/${manifest.period?.to ?? ''}`;
  const times = rows.map(({ witnessedAt }) => witnessedAt).sort();
  const [start = '1970-01-01T00:00:00Z'] = times;
  const last = times.at(-1) ?? start;
  const name = (part: string): string => uuidOf(`${manifest.origin}\n${checkpoint}\n${about}\n${part}`);
  return {
    'assessment-results': {
      uuid: name('document'),
      metadata: {
        title: `Sealane audit export: ${about}`,
        'last-modified': last,
        version: String(manifest.size),
        'oscal-version': OSCAL_VERSION,
      },
      'import-ap': { href: '../README.txt', remarks: 'there is no assessment plan: README.txt says how each statement is checked' },
      results: [
        {
          uuid: name('result'),
          title: `Statements in the log ${manifest.origin}`,
          description: `${rows.length} signed statements, proved under a checkpoint of ${manifest.size} entries.`,
          start,
          end: last,
          'reviewed-controls': { 'control-selections': [{ 'include-all': {} }] },
          ...(rows.length === 0 ? {} : { observations: rows.map((row) => observation(row, name(`entry ${row.index}`))) }),
        },
      ],
    },
  };
}

function observation({ index, digest, predicateType, says, signer, witnessedAt, blobs }: StatementRow, uuid: string): JsonObject {
  const stem = `../${stemOf(index)}`;
  return {
    uuid,
    title: `${kindOf(predicateType)}${says === '' ? '' : `: ${oneLine(says)}`}`,
    description: `Entry ${index}, ${predicateType}, signed by ${oneLine(signer)}.`,
    methods: ['EXAMINE'],
    props: [{ name: 'statement-digest', ns: 'urn:sealane:oscal', value: digest }],
    collected: witnessedAt,
    'relevant-evidence': [
      { href: `${stem}.bundle.json`, description: 'the signed statement as a Sigstore bundle with its proof' },
      ...blobs.map((blob) => ({ href: `../blobs/${blob.slice('sha256:'.length)}`, description: 'a document that it names' })),
    ],
  };
}

/** OSCAL's strings are one line, without space around. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** A UUID of version 5's form out of a name: the same export has the same. */
function uuidOf(name: string): string {
  const digits = hex(sha256Raw(utf8(`urn:sealane:oscal\n${name}`)));
  const variant = '89ab'[Number.parseInt(digits[16] ?? '0', 16) % 4] ?? '8';
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-5${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
