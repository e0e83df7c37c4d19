// Other updaters on the update pair, each from a copy on the same disk: what checks signatures does, none asks a network. One that is not installed is left out.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { find, timed } from './measure.mjs';

/** Size of a bank of RAUC: the tree and room for its file system. */
const BANK = '260M';

/**
 * The peers that are here, published. `trees` and `images` are paths of each version, as a folder and as an OCI layout; `install` is a line for /bin/sh.
 * `needs` are programs; `checks` says what of the content is verified.
 */
export function sitePeers({ dir, trees, images }) {
  const peers = [
    skopeoUmoci(dir, images),
    podman(dir, images),
    ostree(dir, trees),
    casync(dir, trees),
    rauc(dir, trees),
    swupdate(dir, trees),
  ];
  const missing = peers.filter(({ needs }) => needs.some((program) => find(program) === undefined));
  for (const { name } of missing) console.error(`${name} is not on PATH: its figures are left out`);
  const here = peers.filter((peer) => !missing.includes(peer));
  for (const { publish } of here) publish();
  return here;
}

const sh = (line) => void timed('/bin/sh', ['-c', line]);

function skopeoUmoci(dir, images) {
  const at = path.join(dir, 'umoci');
  return {
    name: 'skopeo+umoci',
    needs: ['skopeo', 'umoci'],
    checks: 'digests',
    publish: () => undefined,
    wipe: () => rmSync(at, { recursive: true, force: true }),
    install: (version) =>
      `mkdir -p ${at} && skopeo --insecure-policy copy -q oci:${images[version]} oci:${at}/oci:${version} && umoci unpack --image ${at}/oci:${version} ${at}/${version} && ln -sfn ${version} ${at}/current`,
    rollback: `ln -sfn old ${at}/next && mv -T ${at}/next ${at}/current`,
  };
}

/** Into a storage of its own, where the next container would find it; a tag says which is current. */
function podman(dir, images) {
  const at = path.join(dir, 'podman');
  // it takes no run root of more than 50 characters
  const engine = `podman --root ${at}/root --runroot /run/sealane-bench-${process.pid} --storage-driver overlay`;
  // nor does it take an image out of a path with capitals, which a temporary folder has
  const link = `/tmp/sealane-bench-image-${process.pid}`;
  const current = (version) => `${engine} tag localhost/site:${version} localhost/site:current`;
  return {
    name: 'podman',
    needs: ['podman'],
    checks: 'digests',
    publish: () => undefined,
    wipe: () => sh(`umount ${at}/root/overlay 2> /dev/null || true; rm -rf ${at}; mkdir -p ${at}`),
    install: (version) =>
      `ln -sfn ${images[version]} ${link} && id=$(${engine} pull -q oci:${link}) && rm ${link} && ${engine} tag $id localhost/site:${version} && ${current(version)}`,
    rollback: current('old'),
  };
}

/** Chunks by their hashes out of a store, with what runs as a seed. Nothing signs the index. */
function casync(dir, trees) {
  const [at, published] = [path.join(dir, 'casync'), path.join(dir, 'casync-published')];
  return {
    name: 'casync',
    needs: ['casync'],
    checks: 'hashes of chunks',
    publish: () => {
      mkdirSync(published);
      for (const [version, tree] of Object.entries(trees))
        sh(`casync make --with=unix --store=${published}/store ${published}/${version}.caidx ${tree}`);
    },
    wipe: () => rmSync(at, { recursive: true, force: true }),
    install: (version) =>
      `mkdir -p ${at} && cd ${at} && seed=$([ -d current ] && echo --seed=$(readlink -f current) || true) && ` +
      `TMPDIR=${at} casync extract --with=unix $seed --store=${published}/store ${published}/${version}.caidx ${at}/${version} && ln -sfn ${version} current`,
    rollback: `ln -sfn old ${at}/next && mv -T ${at}/next ${at}/current`,
  };
}

/** A signed description with the hash of one packed tree, which is unpacked while it is read. */
function swupdate(dir, trees) {
  const at = path.join(dir, 'swupdate');
  const [key, cert, published] = ['key.pem', 'cert.pem', 'published'].map((name) => path.join(dir, 'swupdate-published', name));
  return {
    name: 'swupdate',
    needs: ['swupdate', 'openssl', 'cpio'],
    checks: 'CMS signature, hash of the archive',
    publish: () => {
      mkdirSync(published, { recursive: true });
      sh(
        `openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj /CN=bench -addext extendedKeyUsage=emailProtection -keyout ${key} -out ${cert} 2>/dev/null`,
      );
      for (const [version, tree] of Object.entries(trees)) {
        const input = path.join(published, 'input');
        mkdirSync(input);
        sh(`tar -C ${tree} -cf - . | gzip -6 -n > ${input}/image`);
        const how = `type = "archive"; path = "${at}/${version}"; preserve-attributes = true; installed-directly = true;`;
        sh(
          `cd ${input} && printf 'software = { version = "%s"; hardware-compatibility: [ "1.0" ]; images: ( { filename = "image"; ${how} sha256 = "%s"; } ); }\\n' ` +
            `${version === 'old' ? '1.0.0' : '2.0.0'} "$(sha256sum image | cut -d' ' -f1)" > sw-description && ` +
            `openssl cms -sign -in sw-description -out sw-description.sig -signer ${cert} -inkey ${key} -outform DER -nosmimecap -binary && ` +
            `printf 'sw-description\\nsw-description.sig\\nimage\\n' | cpio -o -H crc --quiet > ${published}/${version}.swu && rm -r ${input}`,
        );
      }
    },
    wipe: () => sh(`rm -rf ${at}; mkdir -p ${at}`),
    install: (version) =>
      `mkdir -p ${at}/${version} && TMPDIR=${at} swupdate -k ${cert} -H board:1.0 -M -m -i ${published}/${version}.swu > ${at}/log 2>&1 && ln -sfn ${version} ${at}/current`,
    rollback: `ln -sfn old ${at}/next && mv -T ${at}/next ${at}/current`,
  };
}

function ostree(dir, trees) {
  const [at, published] = [path.join(dir, 'ostree'), path.join(dir, 'ostree-published')];
  return {
    name: 'ostree',
    needs: ['ostree'],
    checks: 'hashes of files',
    publish: () => {
      sh(`ostree init --repo=${published} --mode=archive`);
      for (const [version, tree] of Object.entries(trees)) sh(`ostree commit --repo=${published} --branch=${version} --tree=dir=${tree}`);
    },
    wipe: () => rmSync(at, { recursive: true, force: true }),
    install: (version) =>
      `[ -d ${at}/repo ] || { mkdir -p ${at} && ostree init --repo=${at}/repo --mode=bare && ostree remote add --repo=${at}/repo --no-gpg-verify up file://${published}; }; ` +
      `ostree pull --repo=${at}/repo up ${version} && ostree checkout --repo=${at}/repo -H up:${version} ${at}/${version} && ln -sfn ${version} ${at}/current`,
    rollback: `ostree checkout --repo=${at}/repo -H up:old ${at}/again && ln -sfn again ${at}/current`,
  };
}

/** A signed bundle of a file system into the bank that does not run, by a D-Bus of its own; the boot loader is a file. */
function rauc(dir, trees) {
  const at = path.join(dir, 'rauc');
  const [key, cert] = [`${at}/key.pem`, `${at}/cert.pem`];
  const service = (booted, line) =>
    `dbus-run-session -- sh -c 'export DBUS_STARTER_BUS_TYPE=session TMPDIR=${at}; rauc -c ${at}/system.conf service --override-boot-slot=${booted} & p=$!; ` +
    `until rauc -c ${at}/system.conf status >/dev/null 2>&1; do sleep 0.02; done; r=0; ${line} || r=$?; kill $p; wait $p; exit $r'`;
  return {
    name: 'rauc',
    needs: ['rauc', 'dbus-run-session', 'mke2fs', 'openssl'],
    checks: 'CMS signature',
    publish: () => {
      mkdirSync(at);
      sh(
        `openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj /CN=bench -addext extendedKeyUsage=emailProtection -keyout ${key} -out ${cert} 2>/dev/null`,
      );
      for (const [version, tree] of Object.entries(trees)) {
        const input = `${at}/input`;
        mkdirSync(input);
        sh(`truncate -s ${BANK} ${input}/rootfs.img && mke2fs -q -t ext4 -O ^has_journal -d ${tree} ${input}/rootfs.img`);
        writeFileSync(
          `${input}/manifest.raucm`,
          `[update]\ncompatible=bench\nversion=${version}\n[bundle]\nformat=plain\n[image.rootfs]\nfilename=rootfs.img\n`,
        );
        sh(`rauc --cert=${cert} --key=${key} bundle ${input} ${at}/${version}.raucb 2>&1 && rm -r ${input}`);
      }
      const banks = ['A', 'B'].map((bank, at_) => `[slot.rootfs.${at_}]\ndevice=${at}/bank-${bank}\ntype=raw\nbootname=${bank}\n`);
      writeFileSync(
        `${at}/system.conf`,
        `[system]\ncompatible=bench\nbootloader=custom\nmountprefix=${at}/mnt\nstatusfile=${at}/status\n[handlers]\nbootloader-custom-backend=${at}/boot\n[keyring]\npath=${cert}\n${banks.join('')}`,
      );
      writeFileSync(
        `${at}/boot`,
        `#!/bin/sh\ncase "$1" in get-primary) cat ${at}/primary;; set-primary) echo "$2" >${at}/primary;; get-state) echo good;; esac\n`,
        { mode: 0o755 },
      );
    },
    wipe: () => sh(`rm -f ${at}/bank-* ${at}/status; echo A >${at}/primary; truncate -s ${BANK} ${at}/bank-A ${at}/bank-B`),
    install: (version) => service(version === 'old' ? 'B' : 'A', `rauc -c ${at}/system.conf install ${at}/${version}.raucb`),
    rollback: service('B', `rauc -c ${at}/system.conf status mark-active other`),
  };
}
