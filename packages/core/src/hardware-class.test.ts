import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from './bytes.js';
import type { JsonObject } from './canonical-json.js';
import { CoreError } from './errors.js';
import { fittedParts, hardwareClass, hardwareDevices, type HardwareFacts, hardwareFacts, hardwareSerial } from './hardware-class.js';
import { compareHardware, coversHardware, DEFAULT_REQUIRED_FACTS } from './hardware-comparison.js';
import { knownFact } from './hardware-inventory.js';
import { parseStrictJson } from './strict-json.js';

const folder = new URL('../../../test/vectors/hbom/', import.meta.url);

interface Manifest {
  readonly boms: readonly { readonly file: string }[];
  readonly sameClass: readonly { readonly left: string; readonly right: string; readonly same: boolean; readonly why: string }[];
  readonly classes: Readonly<
    Record<string, { vendor: string; model: string; revision: string; firmware: object; parts: [string, string, string | null, object][] }>
  >;
}

const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as Manifest;

function bom(file: string): JsonObject {
  return parseStrictJson(readFileSync(new URL(file, folder)), { maxBytes: 100_000, maxDepth: 32 }) as JsonObject;
}

const minimal = (component: JsonObject, components: readonly JsonObject[] = []): JsonObject => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  metadata: { component: { type: 'device', ...component } },
  components,
});

const whole: HardwareFacts = {
  arch: 'x86_64',
  cpu: 'Intel Xeon',
  vendor: 'Northrack',
  model: 'ER-220',
  revision: 'A03',
  firmware: { BIOS: '2.14.1' },
  parts: [{ vendor: 'Intel', model: 'X710', revision: '02', firmware: { NVM: '9.20' } }],
};

const compare = (tested: HardwareFacts, site: HardwareFacts, ...require: string[]) => compareHardware({ tested, site, require });

describe('the vectors of hbom', () => {
  test.each(manifest.sameClass)('$left and $right: same class $same ($why)', ({ left, right, same }) => {
    const [a, b] = [hardwareFacts(bom(left)), hardwareFacts(bom(right))];
    expect(hardwareClass(a) === hardwareClass(b)).toBe(same);
    expect(compare(a, b).covered).toBe(same);
    expect(compare(b, a).covered).toBe(same);
  });

  test('no two of the eight inventories are one class but the pairs that say so', () => {
    const same = manifest.boms.flatMap((a) =>
      manifest.boms
        .filter((b) => hardwareClass(hardwareFacts(bom(a.file))) === hardwareClass(hardwareFacts(bom(b.file))))
        .map((b) => [a.file, b.file].sort().join(' ')),
    );
    expect(new Set(same.filter((pair) => pair.split(' ')[0] !== pair.split(' ')[1]))).toEqual(
      new Set([
        'edge-server-a-twin.cdx.json edge-server-a.cdx.json',
        'edge-server-a-1.6.cdx.json edge-server-a.cdx.json',
        'edge-server-a-1.6.cdx.json edge-server-a-twin.cdx.json',
      ]),
    );
  });

  test.each(Object.entries(manifest.classes))('the facts of %s are those of the manifest', (name, expected) => {
    const facts = hardwareFacts(bom(`${name}.cdx.json`));
    expect(facts).toMatchObject({
      vendor: expected.vendor,
      model: expected.model,
      revision: expected.revision,
      firmware: expected.firmware,
    });
    for (const [vendor, model, revision, firmware] of expected.parts) {
      expect(facts.parts).toContainEqual({ vendor, model, ...(revision === null ? {} : { revision }), firmware });
    }
    expect(facts.cpu).toBe('Intel Xeon D-2776NT stepping 1');
  });

  test.each(manifest.boms)('no serial, MAC or slot of $file is among its facts', ({ file }) => {
    const text = JSON.stringify(hardwareFacts(bom(file)));
    for (const secret of ['NR000', 'S64', '02:00:00', 'LN7781', 'HB-33', 'OK-AC12', '0000:3b', 'urn:uuid'])
      expect(text).not.toContain(secret);
    expect(hardwareSerial(bom(file))).toBeDefined();
  });
});

describe('facts', () => {
  test('a firmware named twice keeps both versions, so a new one cannot hide behind the old', () => {
    const firmware = (version: string): JsonObject => ({ type: 'firmware', name: 'NVM', version });
    const facts = hardwareFacts(minimal({ components: [firmware('9.40'), firmware('9.20')] }));
    expect(facts.firmware).toEqual({ NVM: '9.20 | 9.40' });
  });

  test("a firmware listed beside the devices is the host's, not lost", () => {
    expect(hardwareFacts(minimal({}, [{ type: 'firmware', name: 'BIOS', version: '1' }])).firmware).toEqual({ BIOS: '1' });
  });

  test('what a board maker left unfilled is unknown', () => {
    for (const text of ['To Be Filled By O.E.M.', ' Default string ', '', 'None', 'System Product Name', '\0'])
      expect(knownFact(text)).toBeUndefined();
    expect(knownFact(' SAMSUNG  MZQL \n')).toBe('SAMSUNG MZQL');
    const facts = hardwareFacts(minimal({ name: 'Default string', manufacturer: { name: 'OEM' } }));
    expect(facts).toEqual({ firmware: {}, parts: [] });
  });

  test('finds devices at any depth, and their firmware stays theirs', () => {
    const inner: JsonObject = { type: 'device', name: 'module', components: [{ type: 'firmware', name: 'fw', version: '2' }] };
    const facts = hardwareFacts(minimal({ name: 'rack' }, [{ type: 'device', name: 'node', components: [inner] }]));
    expect(facts.parts.map((part) => part.model).sort()).toEqual(['module', 'node']);
    expect(facts.firmware).toEqual({});
  });

  test('parts say where they sit and which ones they are, without being of another class for it', () => {
    const [host = []] = fittedParts(bom('edge-server-a-1.6.cdx.json'));
    expect(host.map(({ part: { model }, slot, serial }) => [model, slot, serial])).toMatchInlineSnapshot(`
      [
        [
          "Xeon D-2776NT",
          "CPU0",
          undefined,
        ],
        [
          "Ethernet Controller X710 for 10GbE SFP+",
          "0000:3b:00.0",
          undefined,
        ],
        [
          "MZQL2960HCJR-00A07",
          "0000:5e:00.0",
          "S64NR0001",
        ],
        [
          "L4",
          "0000:86:00.0",
          undefined,
        ],
        [
          "SLB9672",
          undefined,
          undefined,
        ],
        [
          "MTA18ASF4G72PDZ-3G2F1",
          "DIMM_A1,DIMM_B1",
          undefined,
        ],
      ]
    `);
    const told = (slot: string, serial: string): JsonObject => ({
      type: 'device',
      name: 'camera',
      properties: [{ name: 'cdx:device:function', value: 'camera' }],
      components: [
        {
          type: 'device',
          name: 'sensor',
          properties: [
            { name: 'sealane:slot', value: slot },
            { name: 'sealane:serial', value: serial },
          ],
        },
        { type: 'device', properties: [{ name: 'sealane:slot', value: 'nothing is known of this one' }] },
      ],
    });
    const [one, other] = [minimal({ name: 'box' }, [told('A', '1')]), minimal({ name: 'box' }, [told('B', '2')])];
    expect(fittedParts(one)).toEqual([[], [{ part: { model: 'sensor', firmware: {} }, slot: 'A', serial: '1' }]]);
    expect(hardwareDevices(one).map(({ facts }) => hardwareClass(facts))).toEqual(
      hardwareDevices(other).map(({ facts }) => hardwareClass(facts)),
    );
  });

  test('a firmware called __proto__ is a fact like any other', () => {
    const facts = hardwareFacts(minimal({ components: [{ type: 'firmware', name: '__proto__', version: '2' }] }));
    expect(Object.keys(facts.firmware)).toEqual(['__proto__']);
    expect(hardwareClass(facts)).not.toBe(hardwareClass(hardwareFacts(minimal({}))));
  });

  test.each([
    ['another format', { bomFormat: 'SPDX' }],
    ['an old version', { ...minimal({}), specVersion: '1.4' }],
    ['no device', { ...minimal({}), metadata: {} }],
    ['an application', { ...minimal({}), metadata: { component: { type: 'application' } } }],
    [
      'too many components',
      minimal(
        {},
        Array.from({ length: 2000 }, () => ({ type: 'device', name: 'x' })),
      ),
    ],
    ['components that are no list', { ...minimal({}), components: {} }],
  ])('refuses %s', (_, hbom: JsonObject) => {
    expect(() => hardwareFacts(hbom)).toThrow(expect.objectContaining({ code: 'HBOM_MALFORMED' }) as CoreError);
  });

  test('refuses endless nesting without crashing', () => {
    let deep: JsonObject = { type: 'device', name: 'x' };
    for (let level = 0; level < 30; level += 1) deep = { type: 'device', name: 'x', components: [deep] };
    expect(() => hardwareFacts(minimal({}, [deep]))).toThrow(expect.objectContaining({ code: 'HBOM_MALFORMED' }) as CoreError);
  });

  test('any JSON object is facts or a named refusal, never a crash', () => {
    const json = fc.jsonValue({ maxDepth: 6 });
    const hbom = fc.record({
      bomFormat: fc.constant('CycloneDX'),
      specVersion: fc.constantFrom('1.6', '1.7'),
      metadata: fc.oneof(
        json,
        fc.record({
          component: fc.record({ type: fc.constant('device'), name: json, manufacturer: json, components: json, properties: json }),
        }),
      ),
      components: fc.oneof(
        json,
        fc.array(
          fc.record({
            type: fc.constantFrom('device', 'firmware', 'x'),
            name: json,
            version: json,
            components: json,
            properties: fc.array(json),
          }),
        ),
      ),
    });
    fc.assert(
      fc.property(hbom, (value) => {
        try {
          expect(hardwareClass(hardwareFacts(value as JsonObject))).toMatch(/^sha256:/);
        } catch (error) {
          expect((error as CoreError).code).toMatch(/^(HBOM|JSON)_MALFORMED$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('every reading of the same bytes is the same class', () => {
    const bytes = readFileSync(new URL('switch.cdx.json', folder));
    const again = parseStrictJson(utf8(bytes.toString()), { maxBytes: 100_000, maxDepth: 32 }) as JsonObject;
    expect(hardwareClass(hardwareFacts(again))).toBe(hardwareClass(hardwareFacts(bom('switch.cdx.json'))));
  });
});

describe('comparison', () => {
  test('equal facts are covered, with the default requirements and with every fact required', () => {
    expect(compare(whole, whole)).toEqual({ covered: true, differences: [], unknown: [] });
    expect(compare(whole, whole, 'arch', 'cpu', 'vendor', 'model', 'revision', 'firmware', 'parts').covered).toBe(true);
  });

  test.each(['vendor', 'model', 'revision'] as const)(
    'a required %s that is unknown on either side, or on both, is never covered',
    (fact) => {
      const { [fact]: _, ...without } = whole;
      for (const [tested, site] of [
        [whole, without],
        [without, whole],
        [without, without],
      ] as const) {
        expect(compare(tested, site)).toMatchObject({ covered: false, unknown: [fact] });
      }
    },
  );

  test('unknown firmware of the host is never covered, also where both know none', () => {
    const without = { ...whole, firmware: {} };
    expect(compare(without, without)).toMatchObject({ covered: false, unknown: ['firmware'] });
  });

  test('a required name that is no fact is never covered', () => {
    expect(compare(whole, whole, 'model', 'colour')).toMatchObject({ covered: false, unknown: ['colour'] });
  });

  test('firmware of a part that only one side knows is a difference when firmware is required', () => {
    const blind = { ...whole, parts: [{ vendor: 'Intel', model: 'X710', revision: '02', firmware: {} }] };
    expect(compare(whole, blind).differences).toEqual([{ fact: 'firmware', tested: 'Intel X710 02: NVM 9.20', site: 'none' }]);
    expect(compare(whole, blind, 'arch').covered).toBe(true);
  });

  test('a fact that is not required must still match where both know it', () => {
    expect(compare(whole, { ...whole, vendor: 'Other' }, 'arch').differences).toEqual([
      { fact: 'vendor', tested: 'Northrack', site: 'Other' },
    ]);
    expect(compare(whole, { ...whole, firmware: { BIOS: '3' } }, 'arch').covered).toBe(false);
    expect(compare(whole, { ...whole, firmware: { BMC: '3' } }, 'arch').covered).toBe(true);
  });

  test('one more part of a kind, and one fewer, is a difference', () => {
    const two = { ...whole, parts: [...whole.parts, ...whole.parts] };
    expect(compare(whole, two, 'arch').differences).toEqual([{ fact: 'parts', tested: 'none', site: 'Intel X710 02, NVM 9.20' }]);
    expect(compare(two, whole, 'arch').covered).toBe(false);
  });

  test('a swapped part is named with what was tested and what is there', () => {
    const swapped = { ...whole, parts: [{ vendor: 'Intel', model: 'E810', firmware: { NVM: '4.40' } }] };
    expect(compare(whole, swapped, 'arch').differences).toEqual([
      { fact: 'parts', tested: 'Intel X710 02, NVM 9.20', site: 'Intel E810, NVM 4.40' },
    ]);
  });

  test('no requirement at all means the default ones', () => {
    expect(DEFAULT_REQUIRED_FACTS).toEqual(['vendor', 'model', 'revision', 'firmware']);
    expect(compare({ firmware: {}, parts: [] }, { firmware: {}, parts: [] })).toMatchObject({
      covered: false,
      unknown: [...DEFAULT_REQUIRED_FACTS],
    });
  });

  test('whatever is covered by required facts has them known and equal on both sides', () => {
    const word = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });
    const part = fc.record(
      { model: word, firmware: fc.dictionary(fc.constantFrom('f', 'g'), fc.constantFrom('1', '2')) },
      { requiredKeys: ['firmware'] },
    );
    const facts = fc.record(
      {
        arch: word,
        cpu: word,
        vendor: word,
        model: word,
        revision: word,
        firmware: fc.dictionary(fc.constantFrom('f', 'g'), fc.constantFrom('1', '2')),
        parts: fc.array(part, { maxLength: 3 }),
      },
      { requiredKeys: ['firmware', 'parts'] },
    );
    fc.assert(
      fc.property(facts, facts, fc.subarray(['arch', 'cpu', 'vendor', 'model', 'revision', 'firmware', 'parts']), (a, b, require) => {
        const [tested, site] = [a as HardwareFacts, b as HardwareFacts];
        if (!compareHardware({ tested, site, require }).covered) return;
        for (const fact of require.length === 0 ? DEFAULT_REQUIRED_FACTS : require) {
          const key = fact as keyof HardwareFacts;
          expect(tested[key]).toBeDefined();
          if (key === 'parts') expect([...tested.parts].map((p) => JSON.stringify(p)).length).toBe(site.parts.length);
          else expect(tested[key]).toEqual(site[key]);
        }
      }),
    );
  });

  test('is told in one word as in full, of names with blanks too', () => {
    const word = fc.constantFrom('a', 'b');
    const firmware = fc.dictionary(fc.constantFrom('a', 'a b', 'c'), fc.constantFrom('1', 'b 1', 'b 2', '2'));
    const part = fc.record({ model: word, revision: word, firmware }, { requiredKeys: ['firmware'] });
    const parts = fc.array(part, { maxLength: 3 });
    const some = { arch: word, cpu: word, vendor: word, model: word, revision: word, firmware, parts };
    const facts = fc.record(some, { requiredKeys: ['firmware', 'parts'] }) as fc.Arbitrary<HardwareFacts>;
    const required = fc.subarray(['arch', 'cpu', 'vendor', 'model', 'revision', 'firmware', 'parts', 'colour']);
    const crossed = (own: Readonly<Record<string, string>>): HardwareFacts => ({ vendor: 'a', firmware: own, parts: [] });
    let covered = 0;
    fc.assert(
      fc.property(facts, facts, fc.boolean(), required, (tested, other, same, require) => {
        const site = same ? { ...tested, arch: other.arch ?? 'a', parts: [...tested.parts].reverse() } : other;
        const full = compareHardware({ tested, site, require });
        expect(coversHardware({ tested, site, require })).toBe(full.covered);
        covered += Number(full.covered);
      }),
      { numRuns: 2000, examples: [[crossed({ a: 'b 1', 'a b': '2' }), crossed({ a: 'b 2', 'a b': '1' }), false, ['vendor']]] },
    );
    expect(covered).toBeGreaterThan(20);
  });
});
