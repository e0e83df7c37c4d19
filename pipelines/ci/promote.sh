#!/bin/sh
# Promotes a release from a job of any CI. Run again it resumes: the same release, stage and evidence are one decision.
#
# SEALANE_RELEASE  sha256:… or NAME@VERSION        SEALANE_TO       the stage            SEALANE_GROUP  one group only (default: all)
# SEALANE_HOME     folder of the promoter, or      SEALANE_SERVER   URL of its service   SEALANE        the command (default: sealane)
# SEALANE_REPORTS  folder for summary.md, checks.xml (JUnit), checks.sarif, decision.json, outputs.env (default: sealane-reports)
# SEALANE_PENDING  fail (default): what waits for approvals, a soak or a window ends with 5; pass: it ends with 0, and a later job goes on
#
# Ends as `sealane promote` does: 0 promoted, 2 usage, 3 refused, 4 not verified, 5 pending, 6 remote unavailable.
set -u

for name in SEALANE_RELEASE SEALANE_TO; do
  eval "value=\${$name:-}"
  case $value in
    '') echo "promote.sh: read $name: expected a value, got nothing" >&2; exit 2 ;;
    -*) echo "promote.sh: read $name: expected a value that does not begin with a dash, got '$value'" >&2; exit 2 ;;
  esac
done
case ${SEALANE_PENDING:=fail} in
  fail | pass) ;;
  *) echo "promote.sh: read SEALANE_PENDING: expected fail or pass, got '$SEALANE_PENDING'" >&2; exit 2 ;;
esac

reports=${SEALANE_REPORTS:-sealane-reports}
mkdir -p "$reports" && rm -f "$reports/summary.md" "$reports/outputs.env" || exit 1
set -- promote "$SEALANE_RELEASE" --to "$SEALANE_TO" --json \
  --report "markdown=$reports/summary.md" --report "github-output=$reports/outputs.env" --report "junit=$reports/checks.xml" --report "sarif=$reports/checks.sarif"
[ -z "${SEALANE_GROUP:-}" ] || set -- "$@" --group "$SEALANE_GROUP"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || set -- "$@" --report "markdown=$GITHUB_STEP_SUMMARY"
[ -z "${GITHUB_OUTPUT:-}" ] || set -- "$@" --report "github-output=$GITHUB_OUTPUT"

# shellcheck disable=SC2086 -- the command may be several words
${SEALANE:-sealane} "$@" > "$reports/decision.json"
code=$?
if [ "$code" = 5 ] && [ "$SEALANE_PENDING" = pass ]; then exit 0; fi
exit "$code"
