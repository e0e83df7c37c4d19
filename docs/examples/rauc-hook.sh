#!/bin/sh
# Driver `command` of a Sealane site on a host with two RAUC slots: one script for all hooks (docs/drivers.md). The release's component `system` is the
# bundle. Which release lies in which slot is written down after RAUC has written it, so that each hook can be run again.
set -eu

known=$SEALANE_STATE/rauc
mkdir -p "$known"

booted() { rauc status --output-format=shell | sed -n "s/^RAUC_SYSTEM_BOOTED_BOOTNAME='\{0,1\}\([^']*\)'\{0,1\}$/\1/p"; }
release_in() { [ ! -f "$known/$1" ] || cat "$known/$1"; }
is_booted() { [ "$(release_in "$(booted)")" = "$SEALANE_RELEASE" ]; }

# The slot that is not booted: the example host has A and B.
other() { case $(booted) in A) echo B ;; B) echo A ;; *) exit 75 ;; esac; }

case $SEALANE_HOOK in
prepare)
  ! is_booted || exit 0
  slot=$(other)
  [ "$(release_in "$slot")" != "$SEALANE_RELEASE" ] || exit 0
  rm -f "$known/$slot"
  set -- "$SEALANE_RELEASE_DIR"/system/*
  rauc install "$1"
  echo "$SEALANE_RELEASE" > "$known/$slot.tmp"
  sync "$known/$slot.tmp"
  mv "$known/$slot.tmp" "$known/$slot"
  sync "$known"
  ;;
start)
  ! is_booted || exit 0
  [ "$(release_in "$(other)")" = "$SEALANE_RELEASE" ]
  rauc status mark-active other
  $REBOOT
  # a host that restarts kills us here, and asks again when it is up
  is_booted
  ;;
status) is_booted ;;
confirm) rauc status mark-good ;;
esac
