/** The policy that gate tests are judged by: three stages, and keys that are names, hashed. */
import { digestHex, type JsonObject, sha256, utf8 } from '@sealane/core';
import type { Policy, PolicyGate } from '../policy/policy-types.js';

/** The id of a key that has a name and nothing else. */
export const keyOf = (name: string): string => digestHex(sha256(utf8(`key ${name}`)));

/** The policy of stage prod with these gates. */
export function gatePolicy(gates: readonly PolicyGate[]): Policy {
  const names = [
    'registrar',
    'dev',
    'edge-preprod',
    'prod',
    'author',
    'builder',
    'lab',
    'lab2',
    'alice',
    'alice2',
    'bob',
    'carol',
    'scanner',
    'security',
    'stranger',
  ];
  return {
    apiVersion: 'sealane/v1',
    kind: 'Policy',
    lane: 'lane.example',
    stage: 'prod',
    version: 1,
    chain: [
      { stage: 'dev', from: [], keys: [keyOf('dev')] },
      { stage: 'edge-preprod', from: ['dev'], keys: [keyOf('edge-preprod')] },
      { stage: 'prod', from: ['edge-preprod'], keys: [keyOf('prod')] },
    ],
    keys: Object.fromEntries(
      names.map((name) => [keyOf(name), { spki: 'AAAA', origin: 'lane.example', fromIndex: 0, untilIndex: null, reason: null }]),
    ),
    people: [
      { id: 'alice', keys: [keyOf('alice'), keyOf('alice2')] },
      { id: 'bob', keys: [keyOf('bob')] },
      { id: 'carol', keys: [keyOf('carol')] },
    ],
    signers: {
      release: [keyOf('author')],
      provenance: [keyOf('builder')],
      tests: [keyOf('lab'), keyOf('lab2')],
      hardware: [keyOf('lab'), keyOf('lab2')],
      scans: [keyOf('scanner')],
      vex: [keyOf('security')],
      sboms: [keyOf('builder')],
    },
    registrar: [keyOf('registrar')],
    logs: [],
    witnesses: [],
    quorum: 1,
    gates,
    groups: [{ name: 'all', match: {} }],
    hardware: { require: [], equivalences: [] },
    floor: { counter: 0, index: 0 },
    accepts: [],
  };
}

/** A gate of a policy. */
export function gate(use: string, settings: JsonObject = {}): PolicyGate {
  return { use, with: settings };
}
