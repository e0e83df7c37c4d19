# python-tuf's client against a repository over HTTP. argv: BASE_URL ROOT_JSON CACHE_DIR TARGET…; prints one JSON object.
import json, os, sys
from tuf.ngclient import Updater

base, root, cache, *targets = sys.argv[1:]
os.makedirs(cache, exist_ok=True)
try:
    with open(root, "rb") as file:
        updater = Updater(cache, f"{base}/metadata", cache, f"{base}/targets", bootstrap=file.read())
    updater.refresh()
    got = {}
    for target in targets:
        info = updater.get_targetinfo(target)
        got[target] = open(updater.download_target(info), encoding="utf-8").read() if info else None
    trusted = updater._trusted_set
    versions = {role: getattr(trusted, role).version for role in ("root", "timestamp", "snapshot", "targets")}
    print(json.dumps({"ok": True, "versions": versions, "targets": got}))
except Exception as error:  # whatever the client says of the repository is the finding
    print(json.dumps({"ok": False, "error": f"{type(error).__name__}: {error}"[:300]}))
