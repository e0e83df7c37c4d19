// The systemd units of a site, from one template: what all of its services share stands once, and each says what it needs beyond that.

/** Where the package puts things, and what operators edit. */
export const PLACES = {
  program: '/usr/bin/sealane-site',
  library: '/usr/lib/sealane-site',
  config: '/etc/sealane-site/site.yaml',
  state: '/var/lib/sealane-site',
  programs: '/var/lib/sealane-program',
  fetched: '/var/lib/sealane-fetch',
  fetchSocket: '/run/sealane-site/fetch.sock',
  operators: '/run/sealane-site/operators.sock',
  technicians: '/run/sealane-site/technicians.sock',
};

/** No rights, none to be had, and nothing of the host that it could change. MemoryDenyWriteExecute stays off: the JavaScript engine compiles as it runs. */
const SANDBOX = `
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RemoveIPC=yes
KeyringMode=private
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
DevicePolicy=closed
# the watchdog ends a process with SIGABRT: its memory has keys and values of secrets. At 1 the kernel starts no handler of core dumps either
LimitCORE=1
`.trim();

/** One who has trust, journal and key needs no network. He is root at this site: drivers start units of systemd. */
const APPLIER = `
# the key of this site, where it was sealed to this host (systemd-creds encrypt); else it is in the state folder
LoadCredentialEncrypted=site.pem
LoadCredentialEncrypted=sealing.key
# values of secrets lie open in memory for the workload, also while this service is not up
RuntimeDirectory=sealane-site-apply
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
# and the programs of the updater itself that releases brought: the launcher counts how often one that is new may be started
StateDirectory=sealane-site sealane-program
Environment=SEALANE_MAY_TRY=1
# what drivers for Podman tell the engine: which images it may take, and units for quadlet, which lie in memory
ReadWritePaths=-/etc/containers -/run/containers/systemd
# workloads run as users of their own and reach their release; key, trust and journal have modes of their own
StateDirectoryMode=0711
UMask=0022
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
${SANDBOX}
`.trim();

/** A service that says when it is there and that it is still alive, and comes back. */
const RESIDENT = `
Type=notify
NotifyAccess=all
WatchdogSec=30
TimeoutStartSec=60
Restart=always
RestartSec=1
`.trim();

const head = (description) => `[Unit]
Description=${description}
Documentation=file:/usr/share/doc/sealane-site/site-service.md
`;

/** File name → text. `watchdogSeconds` is shorter where a test waits for it. */
export function siteUnits({ watchdogSeconds = 30 } = {}) {
  const { program, config, state, fetched, fetchSocket, operators, technicians } = PLACES;
  const resident = RESIDENT.replace('WatchdogSec=30', `WatchdogSec=${watchdogSeconds}`);
  const applying = `Environment=SEALANE_CONFIG=${config} SEALANE_STATE=${state} SEALANE_MIRROR=${fetched} SEALANE_FETCH=${fetchSocket}`;
  return {
    'sealane-site-fetch.socket': `${head('Orders for what a Sealane site fetches')}
[Socket]
ListenStream=${fetchSocket}
SocketMode=0600
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`,
    'sealane-site-fetch.service': `${head('Sealane site: the network, and no key')}Requires=sealane-site-fetch.socket
After=network.target

[Service]
# ends when idle: its socket starts it again
ExecStart=${program} fetch --idle 20
# %b: its sandbox hides the boot from it
Environment=SEALANE_MIRROR=${fetched} SEALANE_SERVICE= SEALANE_BOOT=%b
${resident.replace('Restart=always', 'Restart=on-failure')}
DynamicUser=yes
StateDirectory=sealane-fetch
# what it brings is read by the applier, and believed by nobody
StateDirectoryMode=0755
UMask=0022
InaccessiblePaths=-${state} -/etc/sealane-site -/etc/credstore.encrypted
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
MemoryMax=512M
TasksMax=64
${SANDBOX}
`,
    'sealane-site-apply.socket': `${head('Operators of a Sealane site')}
[Socket]
ListenStream=${operators}
SocketMode=0660
SocketGroup=sealane-site
RemoveOnStop=yes
Service=sealane-site-apply.service

[Install]
WantedBy=sockets.target
`,
    'sealane-site-technicians.socket': `${head('Technicians of a Sealane site, who may do less')}
[Socket]
ListenStream=${technicians}
SocketMode=0660
SocketGroup=sealane-technician
FileDescriptorName=technicians
RemoveOnStop=yes
Service=sealane-site-apply.service

[Install]
WantedBy=sockets.target
`,
    'sealane-site-apply.service': `${head('Sealane site: trust, journal and key, and no network')}Requires=sealane-site-apply.socket sealane-site-technicians.socket
Wants=sealane-site-fetch.socket
After=sealane-site-fetch.socket dbus.service
ConditionPathExists=${config}
# there is nobody at the site who would start it again
StartLimitIntervalSec=0

[Service]
ExecStart=${program} apply
${applying} SEALANE_SERVICE= SEALANE_BOOT=%b
${resident}
TimeoutStopSec=30
KillMode=mixed
${APPLIER}

[Install]
WantedBy=multi-user.target
Also=sealane-site-apply.socket sealane-site-technicians.socket sealane-site-fetch.socket
`,
    'sealane-site-mirror.service': `${head('Sealane site: what was admitted, for engines on this host and for neighbours')}After=network.target
ConditionPathExists=${config}
# there is nobody at the site who would start it again
StartLimitIntervalSec=0

[Service]
ExecStart=${program} mirror serve --listen 127.0.0.1:5080
Environment=SEALANE_CONFIG=${config} SEALANE_STATE=${state} SEALANE_MIRROR=${fetched} SEALANE_SERVICE=
Type=exec
Restart=always
RestartSec=10
# root's files are what it serves: it is their owner, has no other right, writes nothing and sees no key but that of its certificate
InaccessiblePaths=-${state}/site.pem -${state}/sealing.key -${state}/secrets -${state}/tls/next.pem -/etc/credstore.encrypted
InaccessiblePaths=-/run/sealane-site -/run/sealane-site-apply
UMask=0077
PrivateMounts=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
MemoryMax=512M
TasksMax=64
${SANDBOX}

[Install]
WantedBy=multi-user.target
`,
    'sealane-site.service': `${head('Sealane site: one update, with nothing resident')}Wants=sealane-site-fetch.socket
After=sealane-site-fetch.socket dbus.service
ConditionPathExists=${config}

[Service]
Type=oneshot
ExecStart=${program} update
# deferred, and no upstream reached: tried again by the timer
SuccessExitStatus=5 6
${applying} SEALANE_SERVICE= SEALANE_BOOT=%b SEALANE_JOURNAL=fields
${APPLIER}
`,
    'sealane-site.timer': `${head('Sealane site: an update now and then, instead of the resident service')}Conflicts=sealane-site-apply.service sealane-site-apply.socket sealane-site-technicians.socket

[Timer]
OnBootSec=15s
OnUnitInactiveSec=1min
RandomizedDelaySec=10s

[Install]
WantedBy=timers.target
Also=sealane-site-fetch.socket
`,
  };
}
