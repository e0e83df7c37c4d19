/** B16: the certificate of a site. Its own name and its own key, for days, by an authority that can name sites of one lane only; openssl and TLS itself judge it. */
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { base64, canonicalJson, readCertificateRequest, wrapCsr } from '@sealane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openSiteKey } from '../../packages/site/src/site-key.js';
import { nodeDisk } from '../../packages/site/src/disk.js';
import { clockAhead } from '../support/clock.js';
import { makeLane, type TestLane } from '../support/lane.js';
import { requireProgram } from '../support/require-program.js';
import { expectJson, type Server } from '../support/run.js';
import { startService } from '../support/service.js';
import { enrolSite, type TestSite } from '../support/site.js';
import { makeAuthority, openssl, opensslCsr, opensslIssue, signIssuer, type TestAuthority } from '../support/site-ca.js';

const program = requireProgram('openssl');

describe.skipIf(program === undefined)('B16 certificates of sites (skipped without openssl)', () => {
  const ssl = program ?? '';
  let dir: string;
  let lane: TestLane;
  let authority: TestAuthority;
  let site: TestSite;
  let service: Server;
  let settings: string;

  const at = (name: string): string => path.join(dir, name);
  const leafOf = (pem: string): string => {
    const [leaf = ''] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(readFileSync(pem, 'utf8')) ?? [];
    writeFileSync(`${pem}.leaf`, leaf);
    return `${pem}.leaf`;
  };
  const verify = (leaf: string, purpose: string, more: readonly string[] = []): ReturnType<typeof openssl> =>
    openssl(ssl, dir, [
      'verify',
      '-x509_strict',
      '-CAfile',
      authority.root,
      '-untrusted',
      authority.chain,
      '-purpose',
      purpose,
      ...more,
      leaf,
    ]);

  /** A request of the site around a PKCS #10 request that openssl made. */
  async function asked(csr: Uint8Array, previous: string | null = null, name = site.name): Promise<string> {
    const key = openSiteKey(nodeDisk, path.join(site.state, 'site.pem'));
    const file = at(`asked-${randomBytes(4).toString('hex')}.json`);
    writeFileSync(file, await wrapCsr({ site: name, previous, nonce: randomBytes(16).toString('hex') }, csr, key));
    return file;
  }

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-site-ca-'));
    lane = await makeLane(dir);
    authority = await makeAuthority(lane, at('owners'));
    site = await enrolSite(lane, at('site'));
    const root = path.join(lane.lane, 'trust', 'metadata', '1.root.json');
    await site.must(['enroll', '--record', path.join(site.dir, 'record.json'), '--root', root, '--site-ca', authority.root]);
    // the service's own certificate is by somebody else: only callers are by the authority of the sites
    openssl(ssl, dir, [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'service.key',
      '-out',
      'service.pem',
      '-days',
      '2',
      '-subj',
      '/CN=service',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ]);
    const callers = [{ name: 'harbour-7', certificate: { san: `DNS:harbour-7.prod.sites.${lane.origin}` }, rights: ['release.list'] }];
    const tls = { listen: '127.0.0.1:0', certificate: at('service.pem'), key: at('service.key'), clientCa: authority.root };
    settings = stringify({ apiVersion: 'sealane/v1', kind: 'Service', issuers: [], callers, tls });
    service = await startService(lane, settings);
  });

  afterAll(async () => {
    await service.stop();
    await lane.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Calls the service over TLS with a certificate and its key; the status, or how TLS refused. */
  function call(certificate: string, key: string, body?: Uint8Array, of = service): Promise<number | string> {
    return new Promise((resolve) => {
      const url = new URL(body === undefined ? '/api/v1/releases' : '/api/v1/certificates', of.first['tlsUrl']);
      const own = { cert: readFileSync(certificate), key: readFileSync(key) };
      const sent = request(
        url,
        { method: body === undefined ? 'GET' : 'POST', ca: readFileSync(at('service.pem')), ...own, agent: false },
        (answer) => {
          text(answer).then(
            (words) => resolve(body === undefined || answer.statusCode !== 200 ? (answer.statusCode ?? 0) : words),
            (error: unknown) => resolve(String(error)),
          );
        },
      );
      sent.on('error', (error) => resolve(error.message)).end(body);
    });
  }

  it('B16 openssl takes what a site is issued, for client and server, under the name of its record alone', async () => {
    const [file, chain] = [at('request.json'), at('harbour-7.pem')];
    await site.must(['certificate', 'request', '--out', file]);
    const issued = await lane.sealane(['site', 'certify', file, '--out', chain]);
    expect(issued).toMatchObject({ site: 'harbour-7', name: `harbour-7.prod.sites.${lane.origin}` });
    for (const purpose of ['sslclient', 'sslserver'])
      expect(verify(leafOf(chain), purpose, ['-verify_hostname', issued.name])).toMatchObject({ ok: true });
    expect(verify(leafOf(chain), 'sslserver', ['-verify_hostname', `harbour-8.prod.sites.${lane.origin}`])).toMatchObject({ ok: false });
    const printed = openssl(ssl, dir, ['x509', '-in', chain, '-noout', '-text']).output;
    expect(printed).toMatch(/CA:FALSE/);
    expect(Date.parse(issued.notAfter) - Date.now()).toBeLessThan(8 * 86_400_000);
    expect(await site.must(['certificate', 'install', chain])).toMatchObject({ serial: issued.serial });
    const identity = path.join(site.state, 'tls', 'identity.pem');
    expect(statSync(identity).mode & 0o077).toBe(0);
    expect(existsSync(path.join(site.state, 'tls', 'next.pem'))).toBe(false);
    expect(await call(identity, identity)).toBe(200);
  });

  it('B16 each certificate is in the log before it is handed out, and an auditor can list them', async () => {
    const { certificates, keyId } = await lane.sealane(['site', 'show', 'harbour-7']);
    expect(certificates).toHaveLength(1);
    const file = at('again.json');
    await site.must(['certificate', 'request', '--out', file]);
    const issued = await lane.sealane(['site', 'certify', file]);
    const [statement] = issued.statements;
    const { bundle } = await lane.sealane(['log', 'prove', statement.digest]);
    const payload = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
    expect(payload).toMatchObject({
      predicateType: 'urn:sealane:site-certificate:v1',
      predicate: { site: 'harbour-7', keyId, serial: issued.serial, notAfter: issued.notAfter },
    });
    // the same request again: the same certificate, and nothing more in the log
    expect(await lane.sealane(['site', 'certify', file])).toMatchObject({ serial: issued.serial, statements: [] });
  });

  it('B16 a request that was copied on its way is worth nothing once the site has asked anew', async () => {
    const { certificate } = await site.must(['certificate', 'show']);
    const key = openSiteKey(nodeDisk, path.join(site.state, 'site.pem'));
    // as one that was sent before the first certificate: whoever stole its key would have it certified for ever
    const stolen = await asked(opensslCsr(ssl, at('stolen'), '/CN=harbour-7'));
    expect(readCertificateRequest(readFileSync(stolen)).isBy(key.spki)).toBe(true);
    expect(await lane.sealane(['site', 'certify', stolen], 3)).toMatchObject({ error: { code: 'CERTIFICATE_DENIED' } });
    expect(certificate.serial).toMatch(/^[0-9a-f]{32}$/);
  });

  it('B16 a request for an authority, for another name, in another name, by another key, or a huge one gets no certificate, each by name', async () => {
    const csr = (subject: string, ...more: string[]): Buffer => opensslCsr(ssl, at('csr'), subject, more);
    const own = '/CN=harbour-7';
    const serial: string = (await lane.sealane(['site', 'show', 'harbour-7'])).certificates.at(-1).serial;
    const wanted = async (der: Uint8Array): Promise<string> => await asked(der, serial);
    const before = (await lane.sealane(['site', 'show', 'harbour-7'])).certificates.length;
    const forged = csr(own);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const another = await enrolSite(lane, at('another'), { name: 'harbour-8' });
    const byAnother = at('by-another.json');
    await another.must(['certificate', 'request', '--out', byAnother]);
    const renamed = JSON.parse(readFileSync(byAnother, 'utf8'));
    writeFileSync(at('renamed.json'), canonicalJson({ ...renamed, site: 'harbour-7' }));
    writeFileSync(at('huge.json'), canonicalJson({ ...renamed, csr: base64(new Uint8Array(1_000_000)) }));
    const refused: readonly (readonly [string, string, string, number])[] = [
      ['CA:TRUE', await wanted(csr(own, '-addext', 'basicConstraints=critical,CA:TRUE')), 'CERTIFICATE_DENIED', 3],
      [
        'another alternative name',
        await wanted(csr(own, '-addext', `subjectAltName=DNS:harbour-8.prod.sites.${lane.origin}`)),
        'CERTIFICATE_DENIED',
        3,
      ],
      [
        'two names',
        await wanted(csr(own, '-addext', `subjectAltName=DNS:harbour-7.prod.sites.${lane.origin},DNS:a.example`)),
        'CERTIFICATE_DENIED',
        3,
      ],
      ['another common name', await wanted(csr('/CN=harbour-8')), 'CERTIFICATE_DENIED', 3],
      ['more of a subject', await wanted(csr('/O=acme/CN=harbour-7')), 'CERTIFICATE_DENIED', 3],
      ['a use of its own', await wanted(csr(own, '-addext', 'extendedKeyUsage=codeSigning')), 'CERTIFICATE_DENIED', 3],
      ['a forged proof of its key', await wanted(forged), 'CERTIFICATE_REQUEST', 2],
      [
        'RSA',
        await wanted(opensslCsr(ssl, at('csr'), own, [], ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'rsa.key'])),
        'CERTIFICATE_REQUEST',
        2,
      ],
      ['no PKCS #10', await wanted(Buffer.from('hello')), 'CERTIFICATE_REQUEST', 2],
      ['the request of another site', at('renamed.json'), 'CERTIFICATE_DENIED', 3],
      ['a huge one', at('huge.json'), 'CERTIFICATE_REQUEST', 2],
      ['a site that nobody knows', await asked(csr('/CN=nobody'), null, 'nobody'), 'SITE_UNKNOWN', 2],
    ];
    for (const [what, file, code, exit] of refused)
      expect({ what, ...(await lane.sealane(['site', 'certify', file], exit)).error }).toMatchObject({ what, code });
    expect((await lane.sealane(['site', 'show', 'harbour-7'])).certificates).toHaveLength(before);
  });

  it('B16 TLS refuses another name, an expired one, one by a stranger, and all that the authority may not name', async () => {
    const key = path.join(lane.home, 'keys', 'site-ca.pem');
    copyFileSync(authority.chain, at('issuer.pem'));
    const by = { certificate: 'issuer.pem', key };
    const issue = (
      name: string,
      san: string,
      more: Partial<Parameters<typeof opensslIssue>[2]> = {},
      uses = 'clientAuth,serverAuth',
    ): string => {
      const extensions = ['basicConstraints=critical,CA:FALSE', `extendedKeyUsage=${uses}`, `subjectAltName=${san}`];
      const leaf = opensslIssue(ssl, dir, { name, subject: `/CN=${name}`, by, extensions, ...more });
      writeFileSync(`${leaf}.chain`, `${readFileSync(leaf, 'utf8')}${readFileSync(authority.chain, 'utf8')}`);
      return leaf;
    };
    const own = `DNS:harbour-7.prod.sites.${lane.origin}`;
    // whoever has the issuer's key can make one of the lane's sites, but not put it into the log: TLS takes it, the service does not
    const good = issue('good', own);
    expect([verify(good, 'sslclient').ok, await call(`${good}.chain`, at('good.key'))]).toEqual([true, 401]);
    const outside = [
      ['other-lane', 'DNS:harbour-7.prod.sites.other.example'],
      ['bare', 'DNS:bank.example'],
      ['address', 'IP:127.0.0.1'],
      ['address6', 'IP:::1'],
      ['mail', 'email:root@bank.example'],
      ['uri', 'URI:spiffe://bank.example/site/a'],
      ['beside', `${own},DNS:bank.example`],
    ] as const;
    for (const [name, san] of outside) {
      const leaf = issue(name, san);
      expect({ name, ...verify(leaf, 'sslclient') }).toMatchObject({
        name,
        ok: false,
        output: expect.stringMatching(/permitted subtree violation|excluded subtree violation/),
      });
      expect({ name, status: await call(`${leaf}.chain`, at(`${name}.key`)) }).toEqual({ name, status: 401 });
    }
    const expired = issue('expired', own, { days: '-1' });
    expect([verify(expired, 'sslclient').output, await call(`${expired}.chain`, at('expired.key'))]).toEqual([
      expect.stringMatching(/expired/),
      401,
    ]);
    const neighbour = issue('neighbour', `DNS:harbour-8.prod.sites.${lane.origin}`);
    expect([verify(neighbour, 'sslclient').ok, await call(`${neighbour}.chain`, at('neighbour.key'))]).toEqual([true, 401]);
    // an authority below the issuer
    const below = opensslIssue(ssl, dir, {
      name: 'below',
      subject: '/CN=below',
      by,
      extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'],
    });
    const underBelow = issue('under-below', own, { by: { certificate: below, key: at('below.key') } });
    const more = ['-untrusted', below];
    expect(verify(underBelow, 'sslclient', more)).toMatchObject({
      ok: false,
      output: expect.stringMatching(/path length constraint exceeded/),
    });
    writeFileSync(`${underBelow}.chain`, [underBelow, below, authority.chain].map((file) => readFileSync(file, 'utf8')).join(''));
    expect(await call(`${underBelow}.chain`, at('under-below.key'))).toBe(401);
  });

  it('B16 a site takes only its own certificate, by the authority that it was given by hand', async () => {
    const file = at('next.json');
    await site.must(['certificate', 'request', '--out', file]);
    const chain = at('next.pem');
    const issued = await lane.sealane(['site', 'certify', file, '--out', chain]);
    const before = readFileSync(path.join(site.state, 'tls', 'identity.pem'));
    const key = path.join(lane.home, 'keys', 'site-ca.pem');
    // an authority of a lane of the same name, with everything right but its owners
    await expectJson('sealane', ['init', at('twin'), '--example-keys']);
    const twin = { origin: lane.origin, sealane: (words: readonly string[]) => expectJson('sealane', [...words, '--home', at('twin')]) };
    const strangers = await makeAuthority(twin, at('strangers'));
    const another = (name: string, san: string, { chain: certificate } = authority, issuerKey = key): string => {
      const by = { certificate, key: issuerKey };
      const leaf = opensslIssue(ssl, dir, {
        name,
        subject: `/CN=${name}`,
        by,
        extensions: ['basicConstraints=critical,CA:FALSE', `subjectAltName=${san}`],
      });
      writeFileSync(leaf, `${readFileSync(leaf, 'utf8')}${readFileSync(certificate, 'utf8')}`);
      return leaf;
    };
    const own = `DNS:harbour-7.prod.sites.${lane.origin}`;
    const wrong = {
      'for another key': another('other-key', own),
      'for another site': another('other-site', `DNS:harbour-8.prod.sites.${lane.origin}`),
      'for another stage': another('other-stage', `DNS:harbour-7.dev.sites.${lane.origin}`),
      'by strangers': another('by-strangers', own, strangers, path.join(at('twin'), 'keys', 'site-ca.pem')),
      'the authority itself': authority.chain,
      'no certificate': at('request.json'),
    };
    for (const [what, pem] of Object.entries(wrong))
      expect({ what, ...(await site.must(['certificate', 'install', pem], 4)).error }).toMatchObject({ what, code: 'CERTIFICATE_INVALID' });
    expect(readFileSync(path.join(site.state, 'tls', 'identity.pem'))).toEqual(before);
    expect(await site.must(['certificate', 'install', chain])).toMatchObject({ serial: issued.serial });
  });

  it('B16 a site that is fenced gets no certificate, and the one that it has opens no door from then on', async () => {
    const identity = path.join(site.state, 'tls', 'identity.pem');
    const file = at('while-fenced.json');
    await site.must(['certificate', 'request', '--out', file]);
    expect(await call(identity, identity)).toBe(200);
    await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'stolen']);
    expect(await call(identity, identity)).toBe(401);
    const { error } = await lane.sealane(['site', 'certify', file], 3);
    expect(error).toMatchObject({ code: 'CERTIFICATE_DENIED', message: expect.stringMatching(/fenced: stolen/) });
    await lane.sealane(['site', 'rejoin', 'harbour-7']);
    expect(await call(identity, identity)).toBe(200);
  });

  it('B16 the owners sign for one lane; a chain for another lane or key is not installed', async () => {
    await lane.sealane(['ca', 'request', '--out', at('mine.csr')]);
    const wrongOrigin = [
      'ca',
      'sign',
      at('mine.csr'),
      '--origin',
      'other.example',
      '--key',
      `file:${authority.rootKey}`,
      '--root',
      authority.root,
      '--out',
      at('wrong.pem'),
    ];
    expect((await expectJson('sealane', wrongOrigin, 2)).error.code).toBe('CERTIFICATE_REQUEST');
    expect(existsSync(at('wrong.pem'))).toBe(false);
    await expectJson('sealane', ['ca', 'request', '--out', at('theirs.csr'), '--home', at('twin')]);
    await signIssuer(authority, at('theirs.csr'), at('theirs.pem'));
    expect((await lane.sealane(['ca', 'install', at('theirs.pem')], 4)).error.code).toBe('AUTHORITY_INVALID');
    expect(await lane.sealane(['ca', 'show'])).toMatchObject({ issuer: { name: `sites.${lane.origin}` } });
  });

  it('B16 a certificate that has expired since it was shown opens no door, on a connection that is kept or in a session that is resumed either', async () => {
    const identity = path.join(site.state, 'tls', 'identity.pem');
    expect(await call(identity, identity)).toBe(200);
    // the handshake goes by the clock of the host, as if it had been while the certificate held
    const later = await startService(lane, settings, clockAhead(8 * 86_400_000));
    try {
      expect(await call(identity, identity, undefined, later)).toBe(401);
    } finally {
      await later.stop();
    }
  });
});
