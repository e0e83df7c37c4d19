/** What of an inventory depends on nothing but its bytes, found out once for as long as these are kept: its devices, their class, and by which words each is found. */
import {
  type Digest,
  fittedParts,
  type FittedPart,
  type HardwareDevice,
  hardwareClass,
  hardwareDevices,
  type HardwareFacts,
  hardwareFacts,
  type HardwarePart,
  partName,
} from '@sealane/core';
import { once } from '../once.js';
import { readObject } from './json-object.js';

/** The devices of an inventory. @throws CoreError as `hardwareDevices` */
export const devicesRead: (bytes: Uint8Array) => readonly HardwareDevice[] = once((bytes) => hardwareDevices(readObject(bytes)));

/** The devices of an inventory, each with its parts. @throws CoreError as `fittedParts` */
export const fittedRead: (bytes: Uint8Array) => readonly { readonly device: HardwareDevice; readonly parts: readonly FittedPart[] }[] =
  once((bytes) => {
    const parts = fittedParts(readObject(bytes));
    return devicesRead(bytes).map((device, at) => ({ device, parts: parts[at] ?? [] }));
  });

/** The facts of the machine alone. @throws CoreError as `hardwareFacts` */
export const factsRead: (bytes: Uint8Array) => HardwareFacts = once((bytes) => hardwareFacts(readObject(bytes)));

/** As `hardwareClass`. */
export const classOf: (facts: HardwareFacts) => Digest = once(hardwareClass);

/** Every word by which a device is found. */
export const wordsOf: (device: HardwareDevice) => ReadonlySet<string> = once(({ facts, serial }) => {
  const words = (part: HardwarePart): readonly string[] => [
    ...(part.model === undefined ? [] : [part.model]),
    partName(part),
    ...Object.entries(part.firmware).map(([name, version]) => `${name} ${version}`),
  ];
  return new Set([classOf(facts), ...(serial === undefined ? [] : [serial]), ...words(facts), ...facts.parts.flatMap(words)]);
});
