/** `check-log.py` of an export: what no common tool does at a stroke, in Python's standard library alone, short enough to be read before it is run. */

import { PREDICATE } from '@sealane/core';

/** The program. It takes the export's folder as the current one and ends with 1 at the first thing that is wrong. */
export const CHECK_LOG = String.raw`"""Recomputes the hashes of the log: every statement is in its tree, and a period has no gap.

It checks no signature: openssl and cosign do that (README.txt). RFC 6962 and RFC 9162, C2SP tlog-checkpoint, tlog-proof, tlog-tiles.
"""
import base64, glob, hashlib, json, os, sys


def need(holds, text):
    if not holds:
        sys.exit("FAILED: " + text)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def checkpoint(path):
    origin, size, root = read(path).decode().split("\n")[:3]
    need(origin == manifest["origin"], path + " is of another log")
    return int(size), base64.b64decode(root)


def root_by(proof, leaf, index, size):  # RFC 9162, 2.1.3.2
    last = size - 1
    for sibling in proof:
        need(last > 0, "a proof is too long")
        if index % 2 or index == last:
            leaf = sha256(b"\1", sibling, leaf)
            while index and index % 2 == 0:
                index, last = index // 2, last // 2
        else:
            leaf = sha256(b"\1", leaf, sibling)
        index, last = index // 2, last // 2
    need(last == 0, "a proof is too short")
    return leaf


def proved(path, index, entry, notes):  # C2SP tlog-proof
    head, note = read(path).decode().split("\n\n", 1)
    header, line, *hashes = head.split("\n")
    need(header == "c2sp.org/tlog-proof@v1" and line == "index %d" % index, path + " is no proof of this entry")
    [at] = [name for name in notes if read(name).decode() == note] or [None]
    need(at is not None, path + " leads to a checkpoint that is not here")
    size, root = checkpoint(at)
    need(root_by([base64.b64decode(each) for each in hashes], sha256(b"\0", entry), index, size) == root, path)


def tile(level, index):  # C2SP tlog-tiles: the one that is here, whole or partial
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "log/tile/%d/" % level + "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    [found] = glob.glob(path) + glob.glob(path + ".p/*")
    data = read(found)
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def node(level, index):  # root of the 2^level entries from index * 2^level on
    count = 1 << level % 8
    first = index * count
    hashes = tile(level // 8, first // 256)[first % 256 : first % 256 + count]
    need(len(hashes) == count, "a tile is too short")
    return fold(hashes)


def fold(hashes):
    while len(hashes) > 1:
        hashes = [sha256(b"\1", hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def root_of(size):  # RFC 9162, 2.1.1
    parts, at = [], 0
    while at < size:
        level = 0
        while at % (2 << level) == 0 and at + (2 << level) <= size:
            level += 1
        parts.append(node(level, at >> level))
        at += 1 << level
    root = parts.pop()
    while parts:
        root = sha256(b"\1", parts.pop(), root)
    return root


ENROLMENTS = ["${PREDICATE.rig}", "${PREDICATE.siteRecord}"]  # records that say whose a key is
manifest = json.loads(read("manifest.json"))
notes = ["log/checkpoint"] + sorted(glob.glob("log/checkpoints/*"))
size, root = checkpoint("log/checkpoint")
need(size == manifest["size"], "manifest.json is of another size")

def named_by(digest):  # the digests that a manifest names: a release its parts, an index its platforms
    try:
        data = read("blobs/" + digest)
        need(sha256(data).hex() == digest, "blobs/" + digest + " is another")
        return [each["digest"][len("sha256:") :] for each in json.loads(data)["manifests"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # not here, or no such manifest: it names nothing


about = set()
if manifest["release"]:
    parts = named_by(manifest["release"][len("sha256:") :])
    about = {manifest["release"][len("sha256:") :], *parts, *[each for part in parts for each in named_by(part)]}

entries = {}
for path in sorted(glob.glob("statements/*.bundle.json")):
    stem = path[: -len(".bundle.json")]
    index, entry, payload = int(os.path.basename(stem)), read(stem + ".entry"), read(stem + ".json")
    bundle = json.loads(read(path))
    [logged] = bundle["verificationMaterial"]["tlogEntries"]
    envelope = bundle["dsseEnvelope"]
    need(base64.b64decode(envelope["payload"]) == payload, stem + ".json is not what was signed")
    need(base64.b64decode(logged["canonicalizedBody"]) == entry, stem + ".entry is not what was logged")
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    record = json.loads(entry)["spec"]["hashedRekordV002"]
    need(base64.b64decode(record["data"]["digest"]) == sha256(signed), stem + ".entry is of another statement")
    said = json.loads(payload)
    named = {each["digest"].get("sha256") for each in said["subject"]}
    need(not about or about & named or said["predicateType"] in ENROLMENTS, stem + " is about something else")
    proved(stem + ".tlog-proof", index, entry, notes[:1])
    proved(stem + ".first.tlog-proof", index, entry, notes)
    entries[index] = sha256(b"\0", entry)

log_keys = [log["publicKey"]["rawBytes"] for path in glob.glob("trust/targets/*.trusted_root.json") for log in json.loads(read(path))["tlogs"]]
need("".join(read("log/log-1.pem").decode().split("\n")[1:-2]) in log_keys, "the trusted root names another log")

said = "%d statements are in the log of %s at %d entries" % (len(entries), manifest["origin"], size)
if manifest["period"]:
    first = manifest["period"]["first"]
    need(root_of(size) == root, "the tiles do not lead to the checkpoint")
    if first:
        [begin] = [root for at, root in map(checkpoint, notes) if at == first]
        need(root_of(first) == begin, "the period begins with another log")
    for path in glob.glob("log/tile/*/**", recursive=True):
        level, *digits = path[len("log/tile/") :].split("/")
        if os.path.isfile(path) and ".p/" not in path:
            index = int("".join(digits).replace("x", ""))
            need(node(8 * int(level) + 8, index) == fold(tile(int(level), index)), path + " is not in the tree")
    for index in range(first, size):
        need(entries.get(index) == node(0, index), "entry %d is missing or another" % index)
    said += "; none from entry %d on was left out" % first
print(said)
`;
