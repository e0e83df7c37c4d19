// The launcher of the site updater: the one part of it that no release replaces. It chooses the program that is started: that of the package, or one that a
// release brought since (packages/site/src/self/slots.ts), counts the starts of one that has not passed its check yet, and gives up one that is not what was laid down.

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
of_other_package() { read -r laid < "$1/package" && [ "$laid" != "$build" ]; } 2> /dev/null
# whether it is what was laid down; of one that an older updater laid down, or where nothing here can tell, nobody knows, and it is taken as it is
whole() {
  [ ! -e "$1/sums" ] || ! command -v sha256sum || { [ "$(tail -n 1 "$1/sums")" = '# whole' ] && (cd "$1/tree" && sha256sum --check --status --strict ../sums); }
} > /dev/null 2>&1
# it came to its end by itself since this host was booted, and found itself whole: nothing is read again
ended_whole() { [ -n "$mark" ] && read -r ended < "$mark" && [ "$ended" = "$(readlink "$1")" ]; } 2> /dev/null
take() { slot=$(readlink "$1") tree=$programs/$slot/tree; }
# says on disk what was given up before it does so: killed anywhere in here, the next start finds the same damage
give_up() {
  printf '%s\\n%s\\n' "$damaged" "$build" > "$programs/damaged.tmp" && sync "$programs/damaged.tmp" || return
  mv -fT "$programs/damaged.tmp" "$programs/damaged" && sync "$programs" || return
  if [ -n "$slot" ]; then mv -fT "$programs/previous" "$programs/current"; else rm -f "$programs/current"; fi
  sync "$programs"
}

mark=
[ -z "\${SEALANE_MAY_TRY-}" ] || [ -z "\${RUNTIME_DIRECTORY-}" ] || mark=$RUNTIME_DIRECTORY/whole
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
# what passed its check can rot on this disk: then it is not started, but the one before it, or that of the package
damaged=
if [ -z "\${SEALANE_ON_TRIAL-}" ] && [ -L "$programs/current" ] && ! of_other_package "$programs/current"; then
  if [ -z "$slot" ]; then
    damaged=$(readlink "$programs/current")
  elif [ -n "\${SEALANE_MAY_TRY-}" ] && ! ended_whole "$programs/current" && ! whole "$programs/current" && ! whole "$programs/current"; then
    damaged=$slot
  fi
fi
if [ -n "$damaged" ]; then
  slot= tree=$library
  if counts "$programs/previous" && whole "$programs/previous"; then take "$programs/previous"; fi
  export SEALANE_DAMAGED="$damaged"
  if [ -n "\${SEALANE_MAY_TRY-}" ]; then
    echo "<3>sealane-site: the updater $damaged that a release brought is damaged on this disk: \${slot:-that of the package} is started" >&2
    give_up || echo "<3>sealane-site: the disk takes no note of that" >&2
  fi
fi
if [ -n "$mark" ]; then
  rm -f "$mark"
  export SEALANE_WHOLE="$mark"
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
