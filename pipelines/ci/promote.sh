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

# whatever happens here, nobody reads what an earlier job or the checkout left: not an outcome, not a link to another place
reports=${SEALANE_REPORTS:-sealane-reports}
mkdir -p "$reports" || exit 1
for name in summary.md outputs.env checks.xml checks.sarif decision.json; do rm -f "$reports/$name" || exit 1; done

# values are not printed: a runner would take commands out of them, and GitLab and Kubernetes put other variables of the job into a value that has $NAME in it
for name in SEALANE_RELEASE SEALANE_TO SEALANE_GROUP; do
  eval "value=\${$name:-}"
  case $name$value in
    SEALANE_GROUP) continue ;;
    "$name") echo "promote.sh: read $name: expected a value, got nothing" >&2; exit 2 ;;
    "$name"-*) echo "promote.sh: read $name: expected a value that does not begin with a dash, got one that does" >&2; exit 2 ;;
  esac
  case $value in
    *[!A-Za-z0-9@:._+-]*) echo "promote.sh: read $name: expected letters, digits and @ : . _ + - only, got something else" >&2; exit 2 ;;
  esac
  [ "${#value}" -le 160 ] || { echo "promote.sh: read $name: expected at most 160 characters, got ${#value}" >&2; exit 2; }
done
# the command would take the checkout for a home, and whoever wrote that his own lane for ours
[ -n "${SEALANE_HOME:-}${SEALANE_SERVER:-}" ] || { echo "promote.sh: read SEALANE_HOME and SEALANE_SERVER: expected one of them, got neither" >&2; exit 2; }
case ${SEALANE_PENDING:=fail} in
  fail | pass) ;;
  *) echo "promote.sh: read SEALANE_PENDING: expected fail or pass, got something else" >&2; exit 2 ;;
esac

set -- promote "$SEALANE_RELEASE" --to "$SEALANE_TO" --json \
  --report "markdown=$reports/summary.md" --report "github-output=$reports/outputs.env" --report "junit=$reports/checks.xml" --report "sarif=$reports/checks.sarif"
[ -z "${SEALANE_GROUP:-}" ] || set -- "$@" --group "$SEALANE_GROUP"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || set -- "$@" --report "markdown=$GITHUB_STEP_SUMMARY"
[ -z "${GITHUB_OUTPUT:-}" ] || set -- "$@" --report "github-output=$GITHUB_OUTPUT"

# shellcheck disable=SC2086 -- the command may be several words
${SEALANE:-sealane} "$@" > "$reports/decision.json"
code=$?
# 5 is also a busy ledger, a witness that is away, a cancelled job: nothing waits there for a later job
if [ "$code" = 5 ] && [ "$SEALANE_PENDING" = pass ] && grep -q '^decision=pending$' "$reports/outputs.env"; then exit 0; fi
exit "$code"
