"""Prints each destination that packets leave for on one interface, once a line; the first line says that it listens."""

import json
import socket
import struct
import sys

OUTGOING = 4
NAMES = {1: "icmp", 6: "tcp", 17: "udp"}

reader = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
reader.bind((sys.argv[1], 0))
print(json.dumps({"url": sys.argv[1]}), flush=True)
seen = set()
while True:
    frame, (_, kind, direction, *_) = reader.recvfrom(65535)
    # ARP asks for the neighbour on the link, and goes no further
    if direction != OUTGOING or kind == 0x0806:
        continue
    if kind != 0x0800:
        line = f"ethertype {kind:#06x}"
    else:
        header = (frame[14] & 15) * 4
        protocol, target = frame[23], socket.inet_ntoa(frame[30:34])
        port = struct.unpack("!H", frame[14 + header + 2 : 14 + header + 4])[0] if protocol in (6, 17) else 0
        line = f"{target}:{port} {NAMES.get(protocol, protocol)}"
    if line not in seen:
        seen.add(line)
        print(line, file=sys.stderr, flush=True)
