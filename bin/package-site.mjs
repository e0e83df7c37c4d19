// `npm run package:site -- --out DIR [--node FILE]`: the site updater as a tarball and as a .deb. With --node they bring that Node along; without, they say which
// one they need.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleModules, SITE_ENTRIES } from './bundle.mjs';
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
    await layOut(tree, node, watchdogSeconds);
    mkdirSync(out, { recursive: true });
    const tarball = path.join(out, `sealane-site-${version}.tar.gz`);
    execFileSync('tar', ['--owner=0', '--group=0', '--sort=name', '-C', work, '-czf', tarball, path.basename(tree)]);
    const deb = path.join(out, `sealane-site_${version}-${release}_${architecture(node)}.deb`);
    writeDebian(path.join(tree, 'DEBIAN'), node, release);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', tree, deb], { stdio: ['ignore', 'ignore', 'inherit'] });
    return { tarball, deb };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function layOut(tree, node, watchdogSeconds) {
  const at = (place) => {
    const file = path.join(tree, place);
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  const write = (place, text, mode = 0o644) => {
    writeFileSync(at(place), text);
    chmodSync(at(place), mode);
  };
  mkdirSync(path.join(tree, PLACES.library), { recursive: true });
  await bundleModules(path.join(tree, PLACES.library), SITE_ENTRIES);
  for (const name of REQUIRED)
    cpSync(path.join(root, 'node_modules', name), path.join(tree, PLACES.library, 'node_modules', name), { recursive: true });
  write(`${PLACES.library}/launch.mjs`, LAUNCH);
  if (node !== undefined) {
    copyFileSync(node, at(`${PLACES.library}/node`));
    chmodSync(at(`${PLACES.library}/node`), 0o755);
  }
  write(PLACES.program, wrapper(node), 0o755);
  for (const [name, text] of Object.entries(siteUnits({ watchdogSeconds }))) write(`/usr/lib/systemd/system/${name}`, text);
  write(
    '/usr/lib/sysusers.d/sealane-site.conf',
    '# operators of this site, and technicians, who may do less\ng sealane-site -\ng sealane-technician -\n',
  );
  for (const [file, name] of [
    ['LICENSE', 'copyright'],
    ['NEWS.md', 'NEWS.md'],
    ['docs/site-service.md', 'site-service.md'],
  ])
    copyFileSync(path.join(root, file), at(`/usr/share/doc/sealane-site/${name}`));
  mkdirSync(path.join(tree, path.dirname(PLACES.config)), { recursive: true });
}

/** What the programs load with `require`, by name and only when they need it, with all that these need. */
const REQUIRED = ['@sigstore/bundle', '@sigstore/core', '@sigstore/protobuf-specs', '@sigstore/verify'];

const LAUNCH = `const { runSealaneSite } = await import('./sealane-site.mjs');
process.exitCode = await runSealaneSite(process.argv.slice(2), new URL('./sealane-site.help.json', import.meta.url));
`;

/** What an installed site knows without being told. All of it can be said otherwise; who names another site means no service of this one. */
function wrapper(node) {
  const { config, state, fetched, fetchSocket, operators, technicians, library } = PLACES;
  return `#!/bin/sh
case " $* " in *" --config"* | *" --state"*) exec ${runtime(node)} ${library}/launch.mjs "$@" ;; esac
export SEALANE_CONFIG="\${SEALANE_CONFIG-${config}}" SEALANE_STATE="\${SEALANE_STATE-${state}}" SEALANE_MIRROR="\${SEALANE_MIRROR-${fetched}}"
[ ! -S ${fetchSocket} ] || export SEALANE_FETCH="\${SEALANE_FETCH-${fetchSocket}}"
service=${operators}
[ -w ${operators} ] || [ ! -w ${technicians} ] || service=${technicians}
[ ! -S ${operators} ] || export SEALANE_SERVICE="\${SEALANE_SERVICE-$service}"
exec ${runtime(node)} ${library}/launch.mjs "$@"
`;
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
];

/** Nothing is enabled: a site is enrolled first. What runs as a workload goes on over an upgrade and after a removal; a purge takes all. */
const SCRIPTS = {
  postinst: `
systemd-sysusers /usr/lib/sysusers.d/sealane-site.conf
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
systemctl try-restart sealane-site-fetch.service sealane-site-apply.service`,
  prerm: `
[ "$1" = remove ] && [ -d /run/systemd/system ] || exit 0
systemctl disable --quiet --now ${SERVICES.join(' ')}`,
  postrm: `
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$1" = purge ] || exit 0
[ ! -d /run/systemd/system ] || systemctl stop 'sealane-workload-*.service'
rm -rf ${path.dirname(PLACES.config)} ${PLACES.state} ${PLACES.fetched} /var/lib/private/sealane-fetch /etc/credstore.encrypted/site.pem`,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist/packages' }, node: { type: 'string' } } });
  console.log(JSON.stringify(await packageSite({ out: path.resolve(values.out), node: values.node })));
}
