// The launcher of the site updater: the one part of it that no release replaces. It chooses the program that is started: that of the package, or one that a
// release brought since (packages/site/src/self/slots.ts), and counts the starts of one that has not passed its check yet.

/** A trial that takes longer hangs, whatever it tells the watchdog. */
const TRIAL_SECONDS = 600;

/** The text of the launcher, for POSIX sh. `node` = the Node that is started, where a program brings none of its own. */
export function siteLauncher(places, node, { trialSeconds = TRIAL_SECONDS } = {}) {
  const { config, state, fetched, fetchSocket, operators, technicians, library, programs } = places;
  return `#!/bin/sh
library=${library} programs=${programs}
tree=$library slot= build=
read -r build < "$library/build"
# as in the units of the service: who calls it has one of his own, and workload and fetch are to read what is laid down
umask 022

# a program that a release brought counts until another package is installed over it
counts() { read -r laid < "$1/package" && [ "$laid" = "$build" ] && [ -f "$1/tree/launch.mjs" ]; } 2> /dev/null
take() { slot=$(readlink "$1") tree=$programs/$slot/tree; }

if counts "$programs/current"; then take "$programs/current"; fi
if [ -n "\${SEALANE_MAY_TRY-}" ]; then
  for left in 3 2 1; do
    counts "$programs/trial+$left" || continue
    # counted, on disk, before its first instruction: however broken, it cannot be tried for ever
    next=$programs/trial+$((left - 1))
    mv -T "$programs/trial+$left" "$next" && sync "$programs" || break
    take "$next"
    export SEALANE_ON_TRIAL=1
    (sleep ${trialSeconds} && kill -s KILL $$) < /dev/null > /dev/null 2>&1 &
    break
  done
fi
export SEALANE_PROGRAMS="$programs" SEALANE_PACKAGE="$build" SEALANE_TREE="$slot"
node=$tree/node
[ -x "$node" ] || node=${node}

# what an installed site knows without being told; who names another site means no service of this one
case " $* " in *" --config"* | *" --state"*) exec "$node" "$tree/launch.mjs" "$@" ;; esac
export SEALANE_CONFIG="\${SEALANE_CONFIG-${config}}" SEALANE_STATE="\${SEALANE_STATE-${state}}" SEALANE_MIRROR="\${SEALANE_MIRROR-${fetched}}"
[ ! -S ${fetchSocket} ] || export SEALANE_FETCH="\${SEALANE_FETCH-${fetchSocket}}"
service=${operators}
[ -w ${operators} ] || [ ! -w ${technicians} ] || service=${technicians}
[ ! -S ${operators} ] || export SEALANE_SERVICE="\${SEALANE_SERVICE-$service}"
exec "$node" "$tree/launch.mjs" "$@"
`;
}
