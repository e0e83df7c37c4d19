// `npm run package:site -- --out DIR [--node FILE]`: the site updater as a tarball and as a .deb. With --node they bring that Node along; without, they say which
// one they need.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleSite } from './bundle.mjs';
import { siteLauncher } from './site-launcher.mjs';
import { PLACES, siteUnits } from './site-units.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { version, engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Debian's names of processors. */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' };

/** Writes both packages into `out`; returns their paths. `watchdogSeconds` as in `siteUnits`; `release` is added to the version. */
export async function packageSite({ out, node, release = '1', watchdogSeconds }) {
  const work = mkdtempSync(path.join(tmpdir(), 'sealane-package-'));
  try {
    const tree = path.join(work, `sealane-site-${version}`);
    await layOut(tree, { node, release, watchdogSeconds });
    mkdirSync(out, { recursive: true });
    settleModes(tree);
    const tarball = path.join(out, `sealane-site-${version}.tar.gz`);
    execFileSync('tar', ['--owner=0', '--group=0', '--sort=name', '-C', work, '-czf', tarball, path.basename(tree)]);
    const deb = path.join(out, `sealane-site_${version}-${release}_${architecture(node)}.deb`);
    writeDebian(path.join(tree, 'DEBIAN'), node, release);
    settleModes(tree);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', tree, deb], { stdio: ['ignore', 'ignore', 'inherit'] });
    return { tarball, deb };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Writes the program tree: what the launcher starts, and what a release brings to replace it. */
export async function layOutProgram(folder, { node, release = '1' } = {}) {
  mkdirSync(folder, { recursive: true });
  await bundleSite(folder, node ?? process.execPath);
  writeFileSync(path.join(folder, 'launch.mjs'), LAUNCH);
  if (node !== undefined) {
    copyFileSync(node, path.join(folder, 'node'));
    chmodSync(path.join(folder, 'node'), 0o755);
  }
  writeFileSync(path.join(folder, 'build'), `${version}-${release}+${hashOfTree(folder).slice(0, 16)}\n`);
}

async function layOut(tree, { node, release, watchdogSeconds }) {
  const at = (place) => {
    const file = path.join(tree, place);
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  const write = (place, text, mode = 0o644) => {
    writeFileSync(at(place), text);
    chmodSync(at(place), mode);
  };
  await layOutProgram(path.join(tree, PLACES.library), { node, release });
  write(PLACES.program, siteLauncher(PLACES, runtime(node)), 0o755);
  for (const [name, text] of Object.entries(siteUnits({ watchdogSeconds }))) write(`/usr/lib/systemd/system/${name}`, text);
  write(
    '/usr/lib/sysusers.d/sealane-site.conf',
    '# operators of this site, and technicians, who may do less\ng sealane-site -\ng sealane-technician -\n',
  );
  write(
    '/usr/lib/tmpfiles.d/sealane-site.conf',
    '# for drivers that use Podman: what its services may write to has to be there when they start\nd /etc/containers 0755 root root -\nd /run/containers/systemd 0755 root root -\n',
  );
  for (const [file, name] of [
    ['LICENSE', 'copyright'],
    ['NEWS.md', 'NEWS.md'],
    ['docs/site-service.md', 'site-service.md'],
  ])
    copyFileSync(path.join(root, file), at(`/usr/share/doc/sealane-site/${name}`));
  mkdirSync(path.join(tree, path.dirname(PLACES.config)), { recursive: true });
}

/** Whatever the umask of who builds, and many a CI has none: what root runs is written by root alone, and read by everybody. */
function settleModes(tree) {
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', tree]);
}

const LAUNCH = `const { runSealaneSite } = await import('./sealane-site.mjs');
process.exitCode = await runSealaneSite(process.argv.slice(2), new URL('./sealane-site.help.json', import.meta.url));
`;

/** Which build it is: what a release brought since counts until another one is installed. What was compiled of it is not the same twice. */
function hashOfTree(folder) {
  const hash = createHash('sha256');
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(({ name }) => !name.endsWith('.code'))
    .filter((entry) => entry.isFile());
  for (const file of names.map((entry) => path.join(entry.parentPath, entry.name)).sort())
    hash.update(`${path.relative(folder, file)}\0`).update(createHash('sha256').update(readFileSync(file)).digest());
  return hash.digest('hex');
}

function runtime(node) {
  return node === undefined ? '/usr/bin/node' : `${PLACES.library}/node`;
}

function architecture(node) {
  return node === undefined ? 'all' : (ARCHITECTURES[process.arch] ?? process.arch);
}

function writeDebian(folder, node, release) {
  mkdirSync(folder, { mode: 0o755 });
  const needed = engines.node.replace(/[^\d.]/g, '');
  const depends = ['systemd (>= 252)', 'bsdutils', node === undefined ? `nodejs (>= ${needed})` : 'libstdc++6'];
  const control = {
    Package: 'sealane-site',
    Version: `${version}-${release}`,
    Architecture: architecture(node),
    Maintainer: 'The Sealane maintainers <maintainers@sealane.example>',
    Section: 'admin',
    Priority: 'optional',
    Depends: depends.join(', '),
    Description: 'mirrors, verifies, installs and watches releases at an edge site',
  };
  const lines = Object.entries(control).map(([name, value]) => `${name}: ${value}\n`);
  writeFileSync(path.join(folder, 'control'), lines.join(''));
  for (const [name, text] of Object.entries(SCRIPTS)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\nset -e\n${text.trim()}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
}

const SERVICES = [
  'sealane-site.timer',
  'sealane-site-apply.socket',
  'sealane-site-technicians.socket',
  'sealane-site-fetch.socket',
  'sealane-site-apply.service',
  'sealane-site-fetch.service',
  'sealane-site-mirror.service',
];

/** Nothing is enabled: a site is enrolled first. What runs as a workload goes on over an upgrade and after a removal; a purge takes all. */
const SCRIPTS = {
  postinst: `
systemd-sysusers /usr/lib/sysusers.d/sealane-site.conf
systemd-tmpfiles --create /usr/lib/tmpfiles.d/sealane-site.conf
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
systemctl try-restart sealane-site-fetch.service sealane-site-apply.service sealane-site-mirror.service`,
  prerm: `
[ "$1" = remove ] && [ -d /run/systemd/system ] || exit 0
systemctl disable --quiet --now ${SERVICES.join(' ')}
systemctl stop sealane-site.service`,
  postrm: `
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$1" = purge ] || exit 0
[ ! -d /run/systemd/system ] || systemctl stop 'sealane-workload-*.service'
for driver in podman quadlet kubernetes; do
  [ ! -e ${PLACES.state}/run/$driver.json ] || echo "sealane-site: what driver $driver started runs on, and nothing here knows it any more: take it away by hand" >&2
done
[ ! -d ${PLACES.state}/run/engine-config ] || echo "sealane-site: the engine takes in no other image until its own files are back: policy.json and registries.conf lie beside those as *.before-sealane" >&2
rm -rf ${path.dirname(PLACES.config)} ${PLACES.state} ${PLACES.programs} ${PLACES.fetched} /var/lib/private/sealane-fetch
rm -rf /run/sealane-site /run/sealane-site-apply /etc/credstore.encrypted/site.pem /etc/credstore.encrypted/sealing.key`,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist/packages' }, node: { type: 'string' } } });
  console.log(JSON.stringify(await packageSite({ out: path.resolve(values.out), node: values.node })));
}
