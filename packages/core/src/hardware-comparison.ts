/** Whether a machine that was tested speaks for a machine at a site: fact by fact, unknown never counting as equal. */
import { HARDWARE_FACTS, type HardwareFacts, type HardwarePart, partName } from './hardware-class.js';

/** One fact that differs; texts are for people, `unknown` where a side does not know it. */
export interface HardwareDifference {
  readonly fact: string;
  readonly tested: string;
  readonly site: string;
}

/** The answer: `covered` only when nothing differs and no required fact is unknown on either side. */
export interface HardwareComparison {
  readonly covered: boolean;
  readonly differences: readonly HardwareDifference[];
  /** Required facts that a side does not know, and required names that are no facts. */
  readonly unknown: readonly string[];
}

/** What must be known where policy says nothing: the identity of the machine and all firmware. */
export const DEFAULT_REQUIRED_FACTS: readonly Fact[] = ['vendor', 'model', 'revision', 'firmware'];

/** Differences listed for one fact: enough to act on, and a verdict stays readable. */
const MAX_LISTED = 8;

/**
 * Compares tested hardware with a site's.
 *
 * A required fact must be known on both sides and equal. Any other fact must be equal where both know it. `firmware` as a
 * required fact is all firmware, that of the parts too: one that only one side has is a difference. `parts` is every part with its firmware, as a
 * multiset. An empty `require` means `DEFAULT_REQUIRED_FACTS`.
 */
export function compareHardware(input: {
  readonly tested: HardwareFacts;
  readonly site: HardwareFacts;
  readonly require: readonly string[];
}): HardwareComparison {
  const { tested, site } = input;
  const require = requiredNames(input.require);
  const differences = HARDWARE_FACTS.flatMap((fact) =>
    require.includes(fact) ? exactDifference(fact, tested, site) : looseDifference(fact, tested, site),
  );
  const unknown = unknownFacts([tested, site], require);
  return { covered: differences.length === 0 && unknown.length === 0, differences, unknown };
}

/** Whether `compareHardware` finds them covered. Most are not, which the first difference tells and no text of it is made; a yes is its own. */
export function coversHardware(input: {
  readonly tested: HardwareFacts;
  readonly site: HardwareFacts;
  readonly require: readonly string[];
}): boolean {
  const { tested, site } = input;
  const require = requiredNames(input.require);
  if (unknownFacts([tested, site], require).length > 0) return false;
  const mayCover = HARDWARE_FACTS.every((fact) => (require.includes(fact) ? isEqual(fact, tested, site) : isAlike(fact, tested, site)));
  return mayCover && compareHardware(input).covered;
}

function isEqual(fact: Fact, tested: HardwareFacts, site: HardwareFacts): boolean {
  if (fact === 'firmware' || fact === 'parts') return exactDifference(fact, tested, site).length === 0;
  return tested[fact] === site[fact];
}

function isAlike(fact: Fact, tested: HardwareFacts, site: HardwareFacts): boolean {
  if (fact === 'firmware') return isFirmwareAlike(tested.firmware, site.firmware);
  if (fact !== 'parts') return tested[fact] === undefined || site[fact] === undefined || tested[fact] === site[fact];
  if (tested.parts.length === 0 || site.parts.length === 0) return true;
  if (tested.parts.length !== site.parts.length) return false;
  const left = unmatchedParts(tested.parts, site.parts);
  return left.tested.length === 0 && left.site.length === 0;
}

/** A name without a blank ends where its version begins: then no two words of different names are equal. */
function isFirmwareAlike(tested: HardwarePart['firmware'], site: HardwarePart['firmware']): boolean {
  const others = Object.keys(tested).filter((name) => Object.hasOwn(site, name) && tested[name] !== site[name]);
  if (others.length === 0) return true;
  return Object.keys(tested).some((name) => name.includes(' ')) && firmwareDifference(tested, site).length === 0;
}

/** The required facts that any of these machines does not know, and required names that are no facts. */
export function unknownFacts(machines: readonly HardwareFacts[], require: readonly string[]): readonly string[] {
  const wanted = requiredNames(require);
  const known: readonly string[] = HARDWARE_FACTS;
  const unknown = HARDWARE_FACTS.filter((fact) => wanted.includes(fact) && !machines.every((facts) => isKnown(facts, fact)));
  return [...unknown, ...wanted.filter((fact) => !known.includes(fact))];
}

function requiredNames(require: readonly string[]): readonly string[] {
  return require.length === 0 ? DEFAULT_REQUIRED_FACTS : require;
}

/**
 * The required facts as one text: a machine covers another only if their texts are equal. Equal texts say nothing yet about facts that
 * are unknown, or not required.
 */
export function requiredText(facts: HardwareFacts, require: readonly string[]): string {
  const wanted = require.length === 0 ? DEFAULT_REQUIRED_FACTS : HARDWARE_FACTS.filter((fact) => require.includes(fact));
  return JSON.stringify(wanted.map((fact) => [fact, ...[...listed(fact, facts)].sort()]));
}

type Fact = (typeof HARDWARE_FACTS)[number];

/** A host without any firmware has unknown firmware: every machine has some. Parts without a model are unknown parts. */
function isKnown(facts: HardwareFacts, fact: Fact): boolean {
  if (fact === 'firmware') return Object.keys(facts.firmware).length > 0;
  if (fact === 'parts') return facts.parts.length > 0 && facts.parts.every((part) => part.model !== undefined);
  return facts[fact] !== undefined;
}

function exactDifference(fact: Fact, tested: HardwareFacts, site: HardwareFacts): readonly HardwareDifference[] {
  return differ(fact, listed(fact, tested), listed(fact, site));
}

/** A required fact as a list of words, so that one comparison serves all. */
function listed(fact: Fact, facts: HardwareFacts): readonly string[] {
  if (fact === 'firmware') return allFirmware(facts);
  if (fact === 'parts') return facts.parts.map(partWord);
  const value = facts[fact];
  return value === undefined ? [] : [value];
}

/** One machine is compared with hundreds: its words are made once. */
const partWords = new WeakMap<HardwarePart, string>();
const firmwareWords = new WeakMap<HardwareFacts, readonly string[]>();

/** A part as a word: equal parts, equal word. Cheaper than the canonical text, which only a class's digest needs. */
function partWord(part: HardwarePart): string {
  const known = partWords.get(part);
  if (known !== undefined) return known;
  const { vendor, model, revision, firmware } = part;
  const names = Object.keys(firmware).sort();
  const word = JSON.stringify([vendor, model, revision, ...names.flatMap((name) => [name, firmware[name]])]);
  partWords.set(part, word);
  return word;
}

/** Every firmware of host and parts, each with the part it is of. */
function allFirmware(facts: HardwareFacts): readonly string[] {
  const words = firmwareWords.get(facts) ?? firmwareOf(facts);
  firmwareWords.set(facts, words);
  return words;
}

function firmwareOf(facts: HardwareFacts): readonly string[] {
  const own = Object.entries(facts.firmware).map(([name, version]) => `${name} ${version}`);
  const ofParts = facts.parts.flatMap((part) =>
    Object.entries(part.firmware).map(([name, version]) => `${partName(part)}: ${name} ${version}`),
  );
  return [...own, ...ofParts];
}

function looseDifference(fact: Fact, tested: HardwareFacts, site: HardwareFacts): readonly HardwareDifference[] {
  if (fact === 'parts') return tested.parts.length === 0 || site.parts.length === 0 ? [] : partsDifference(tested.parts, site.parts);
  if (fact === 'firmware') return firmwareDifference(tested.firmware, site.firmware);
  return tested[fact] === undefined || site[fact] === undefined ? [] : exactDifference(fact, tested, site);
}

/** The host's firmware that both sides know. */
function firmwareDifference(tested: HardwarePart['firmware'], site: HardwarePart['firmware']): readonly HardwareDifference[] {
  const both = Object.keys(tested).filter((name) => Object.hasOwn(site, name));
  return differ(
    'firmware',
    both.map((name) => `${name} ${String(tested[name])}`),
    both.map((name) => `${name} ${String(site[name])}`),
  );
}

function partsDifference(tested: readonly HardwarePart[], site: readonly HardwarePart[]): readonly HardwareDifference[] {
  const unmatched = unmatchedParts(tested, site);
  return differ('parts', unmatched.tested.map(describePart), unmatched.site.map(describePart));
}

/**
 * Pairs each tested part with one of the site that contradicts it in no known fact, equal ones first; those that are left. Greedy: where unknown
 * facts allow several pairings it may miss one, and then the answer is "differs".
 */
function unmatchedParts(
  tested: readonly HardwarePart[],
  site: readonly HardwarePart[],
): { readonly tested: readonly HardwarePart[]; readonly site: readonly HardwarePart[] } {
  const exact = multisetDifference(tested.map(partWord), site.map(partWord));
  const restTested = exact.onlyLeft.map((index) => tested[index]).filter((part) => part !== undefined);
  const restSite = exact.onlyRight.map((index) => site[index]).filter((part) => part !== undefined);
  const unmatched = restTested.filter((part) => {
    const at = restSite.findIndex((other) => areCompatible(part, other));
    if (at >= 0) restSite.splice(at, 1);
    return at < 0;
  });
  return { tested: unmatched, site: restSite };
}

function areCompatible(left: HardwarePart, right: HardwarePart): boolean {
  const agree = (a: string | undefined, b: string | undefined): boolean => a === undefined || b === undefined || a === b;
  if (!agree(left.vendor, right.vendor) || !agree(left.model, right.model) || !agree(left.revision, right.revision)) return false;
  return Object.keys(left.firmware).every((name) => !Object.hasOwn(right.firmware, name) || left.firmware[name] === right.firmware[name]);
}

function describePart(part: HardwarePart): string {
  const firmware = Object.entries(part.firmware).map(([name, version]) => `${name} ${version}`);
  return [partName(part) || 'unnamed part', ...firmware].join(', ');
}

/** The difference of two multisets of words as at most one entry. */
function differ(fact: Fact, tested: readonly string[], site: readonly string[]): readonly HardwareDifference[] {
  const { onlyLeft, onlyRight } = multisetDifference(tested, site);
  if (onlyLeft.length === 0 && onlyRight.length === 0) return [];
  const absent = fact === 'parts' || fact === 'firmware' ? 'none' : 'unknown';
  return [
    {
      fact,
      tested: sentence(
        onlyLeft.map((index) => tested[index] ?? ''),
        absent,
      ),
      site: sentence(
        onlyRight.map((index) => site[index] ?? ''),
        absent,
      ),
    },
  ];
}

/** Indexes of the words that have no counterpart on the other side. */
function multisetDifference(
  left: readonly string[],
  right: readonly string[],
): { readonly onlyLeft: readonly number[]; readonly onlyRight: readonly number[] } {
  // most lists that are compared are equal
  if (left.length === right.length && left.every((word, index) => word === right[index])) return { onlyLeft: [], onlyRight: [] };
  const places = new Map<string, number[]>();
  for (const [index, word] of right.entries()) places.set(word, [...(places.get(word) ?? []), index]);
  const onlyLeft: number[] = [];
  for (const [index, word] of left.entries()) {
    if (places.get(word)?.pop() === undefined) onlyLeft.push(index);
  }
  return { onlyLeft, onlyRight: [...places.values()].flat().sort((a, b) => a - b) };
}

function sentence(words: readonly string[], absent: string): string {
  if (words.length === 0) return absent;
  const rest = words.length - MAX_LISTED;
  return [...words.slice(0, MAX_LISTED), ...(rest > 0 ? [`and ${String(rest)} more`] : [])].join('; ');
}
