import { canonicalJson, type Digest, type JsonObject } from '@sealane/core';
import { describe, expect, it } from 'vitest';
import { type BackupManifest, encodeManifest, parseManifest } from './manifest.js';

const digest = `sha256:${'ab'.repeat(32)}` as Digest;
const of = (...names: readonly string[]): BackupManifest => ({
  apiVersion: 'sealane/v1',
  kind: 'Backup',
  madeAt: '2026-11-28T10:00:00Z',
  madeBy: '0.1.0',
  origin: 'lane.example',
  size: 3,
  checkpoint: null,
  ledger: 'sqlite',
  leftOut: [],
  files: names.map((name) => ({ name, size: 1, digest })),
});
const refused = (manifest: BackupManifest): void =>
  expect(() => parseManifest(canonicalJson(manifest as unknown as JsonObject))).toThrow(
    expect.objectContaining({ code: 'BACKUP_MALFORMED' }) as Error,
  );

describe('the manifest of a backup', () => {
  it('comes back as it was written', () => {
    const manifest = of('keys/prod.pem', 'lane/log/tile/0/x001/234', 'lane/trust/targets/policy/ab.prod.json', 'ledger/ledger.sqlite');
    expect(parseManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  it.each([
    '../pipeline.yaml',
    '/etc/passwd',
    'lane/log/../../x',
    'lane/log/./x',
    'lane//log/x',
    'lane/log/x/',
    'keys/.hidden',
    'keys/a\\..\\b',
    'keys/a\u0000b',
    'keys/a\n',
    'backup.json',
    'bin/sh',
    'ledger/database.json',
    'lane/x',
    'keys',
    '',
  ])('refuses the name %j', (name) => refused(of(name)));

  it('refuses names twice, out of order, or one below another', () => {
    refused(of('log.vkey', 'log.vkey'));
    refused(of('pipeline.yaml', 'log.vkey'));
    refused(of('keys/a', 'keys/a-b', 'keys/a/b'));
  });

  it('refuses another spelling', () => {
    const bytes = Buffer.from(`${Buffer.from(encodeManifest(of('log.vkey'))).toString()}\n`);
    expect(() => parseManifest(bytes)).toThrow(expect.objectContaining({ code: 'BACKUP_MALFORMED' }) as Error);
  });
});
