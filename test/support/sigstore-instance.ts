/** A Sigstore instance of a test's own, as openssl makes one: authority, CT key, timestamp authority, log; and bundles by an identity under it. */
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson, encodeStatement, INTOTO_PAYLOAD_TYPE, makeEnvelope, pae } from '@sealane/core';

/** A running instance: nothing runs but openssl, once for each bundle. */
export interface SigstoreInstance {
  /** Path of its `trusted_root.json`. */
  readonly trustedRoot: string;
  /** A bundle over an image, signed with a certificate that names `identity` and `issuer`. */
  bundle(image: string, who: Identity, predicateType?: string): Uint8Array;
}

export interface Identity {
  readonly identity: string;
  readonly issuer: string;
}

const CONFIG = `[req]
distinguished_name=dn
[dn]
[authority]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[stamper]
basicConstraints=critical,CA:false
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[ca]
default_ca=here
[here]
database=index
serial=serial
new_certs_dir=.
default_md=sha256
policy=any
unique_subject=no
[any]
commonName=supplied
[ts]
serial=ts-serial
signer_digest=sha256
default_policy=1.2.3
digests=sha256
ess_cert_id_alg=sha256
`;
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const ORIGIN = 'log.instance.example';
const DAY_MS = 86_400_000;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });
const number = (value: number, bytes: number): Buffer => Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');

/** Makes an instance with its files in `dir`. */
export function makeInstance(dir: string): SigstoreInstance {
  mkdirSync(dir, { recursive: true });
  const file = (name: string): string => path.join(dir, name);
  const openssl = (...words: readonly string[]): unknown => execFileSync('openssl', words, { cwd: dir, stdio: 'pipe' });
  const key = (name: string): KeyObject => createPrivateKey(readFileSync(file(`${name}.key`)));
  const der = (name: string): Buffer => new X509Certificate(readFileSync(file(`${name}.pem`))).raw;
  writeFileSync(file('cnf'), CONFIG);
  for (const name of ['authority', 'stamper', 'leaf']) {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-config', 'cnf', '-out', `${name}.csr`);
  }
  const lasting = ['x509', '-req', '-days', '30', '-extfile', 'cnf'];
  openssl(...lasting, '-in', 'authority.csr', '-extensions', 'authority', '-signkey', 'authority.key', '-out', 'authority.pem');
  const byAuthority = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial'];
  openssl(...lasting, '-in', 'stamper.csr', '-extensions', 'stamper', ...byAuthority, '-out', 'stamper.pem');
  const ct = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const log = generateKeyPairSync('ed25519').privateKey;
  const logId = sha256(Buffer.from(`${ORIGIN}\n\u0001`), spkiOf(log).subarray(-32));
  writeFileSync(
    file('trusted_root.json'),
    JSON.stringify(trustedRoot({ authority: der('authority'), stamper: der('stamper'), ct, log, logId })),
  );

  /** Issued twice, the second time with what the CT key says of the first: RFC 6962, section 3.2. */
  function certificate(who: Identity): Buffer {
    const times = [Date.now() - DAY_MS, Date.now() + DAY_MS].map((ms) => `${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`);
    const issue = (more: string): Buffer => {
      for (const [name, text] of [
        ['index', ''],
        ['serial', '0a0b\n'],
        ['leaf.ext', `[leaf]\n${extensions(who)}${more}`],
      ] as const)
        writeFileSync(file(name), text);
      rmSync(file('index.attr'), { force: true });
      const by = ['-cert', 'authority.pem', '-keyfile', 'authority.key', '-startdate', times[0] ?? '', '-enddate', times[1] ?? ''];
      openssl(
        'ca',
        '-config',
        'cnf',
        '-batch',
        '-notext',
        '-in',
        'leaf.csr',
        '-out',
        'leaf.pem',
        '-extfile',
        'leaf.ext',
        '-extensions',
        'leaf',
        ...by,
      );
      return der('leaf');
    };
    const list = timestampList(issue(''), sha256(spkiOf(key('authority'))), ct);
    return issue(`1.3.6.1.4.1.11129.2.4.2=ASN1:FORMAT:HEX,OCTETSTRING:${list.toString('hex')}\n`);
  }

  function stamp(data: Uint8Array): Buffer {
    writeFileSync(file('data'), data);
    writeFileSync(file('ts-serial'), '01\n');
    openssl('ts', '-query', '-data', 'data', '-sha256', '-cert', '-out', 'query');
    openssl(
      'ts',
      '-reply',
      '-config',
      'cnf',
      '-section',
      'ts',
      '-queryfile',
      'query',
      '-signer',
      'stamper.pem',
      '-inkey',
      'stamper.key',
      '-out',
      'reply',
    );
    return readFileSync(file('reply'));
  }

  return {
    trustedRoot: file('trusted_root.json'),
    bundle: (image, who, predicateType = 'https://sigstore.dev/cosign/sign/v1') => {
      const payload = encodeStatement({ subject: [{ digest: { sha256: image.slice('sha256:'.length) } }], predicateType, predicate: {} });
      const signed = pae(INTOTO_PAYLOAD_TYPE, payload);
      const signature = sign('sha256', signed, key('leaf'));
      const rawBytes = base64(certificate(who));
      const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate: { rawBytes } };
      const data = { algorithm: 'SHA2_256', digest: base64(sha256(signed)) };
      const spec = { hashedRekordV002: { data, signature: { content: base64(signature), verifier } } };
      const entry = logEntry(canonicalJson({ apiVersion: '0.0.2', kind: 'hashedrekord', spec }), log, logId);
      return Buffer.from(
        JSON.stringify({
          mediaType: BUNDLE,
          verificationMaterial: {
            certificate: { rawBytes },
            tlogEntries: [entry],
            timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: base64(stamp(signature)) }] },
          },
          dsseEnvelope: makeEnvelope(INTOTO_PAYLOAD_TYPE, payload, signature),
        }),
      );
    },
  };
}

/** As Fulcio has them: the identity as SAN, its issuer in an extension of Sigstore's arc. */
const extensions = ({ identity, issuer }: Identity): string =>
  `keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:${identity}\n1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${issuer}\n`;

/** A signed certificate timestamp list over a certificate without one. */
function timestampList(certificate: Buffer, issuerKeyHash: Buffer, ct: KeyObject): Buffer {
  // the TBS is the first element of the outer SEQUENCE; both lengths take two bytes
  const tbs = certificate.subarray(4, 8 + certificate.readUInt16BE(6));
  const at = number(Date.now(), 8);
  const signed = Buffer.concat([number(0, 2), at, number(1, 2), issuerKeyHash, number(tbs.length, 3), tbs, number(0, 2)]);
  const signature = sign('sha256', signed, ct);
  const one = Buffer.concat([
    number(0, 1),
    sha256(spkiOf(ct)),
    at,
    number(0, 2),
    Buffer.from([4, 3]),
    number(signature.length, 2),
    signature,
  ]);
  return Buffer.concat([number(one.length + 2, 2), number(one.length, 2), one]);
}

/** The only entry of a log that ends there. */
function logEntry(body: Uint8Array, log: KeyObject, logId: Buffer): object {
  const root = sha256(Buffer.from([0]), body);
  const note = `${ORIGIN}\n1\n${base64(root)}\n`;
  const line = base64(Buffer.concat([logId.subarray(0, 4), sign(null, Buffer.from(note), log)]));
  return {
    logIndex: '0',
    logId: { keyId: base64(logId) },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    inclusionProof: {
      logIndex: '0',
      rootHash: base64(root),
      treeSize: '1',
      hashes: [],
      checkpoint: { envelope: `${note}\n\u2014 ${ORIGIN} ${line}\n` },
    },
    canonicalizedBody: base64(body),
  };
}

interface Parts {
  readonly authority: Buffer;
  readonly stamper: Buffer;
  readonly ct: KeyObject;
  readonly log: KeyObject;
  readonly logId: Buffer;
}

function trustedRoot({ authority, stamper, ct, log, logId }: Parts): object {
  const validFor = { start: '2024-01-01T00:00:00Z' };
  const chain = (...certificates: readonly Buffer[]): object => ({
    uri: 'https://instance.example',
    certChain: { certificates: certificates.map((each) => ({ rawBytes: base64(each) })) },
    validFor,
  });
  const instance = (host: string, key: KeyObject, keyDetails: string, keyId: Buffer): object => ({
    baseUrl: `https://${host}`,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(spkiOf(key)), keyDetails, validFor },
    logId: { keyId: base64(keyId) },
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [instance(ORIGIN, log, 'PKIX_ED25519', logId)],
    ctlogs: [instance('ct.instance.example', ct, 'PKIX_ECDSA_P256_SHA_256', sha256(spkiOf(ct)))],
    certificateAuthorities: [chain(authority)],
    timestampAuthorities: [chain(stamper, authority)],
  };
}
