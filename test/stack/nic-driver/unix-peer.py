# A peer at a unix datagram socket, as QEMU is one: bound, not connected. Sends back what comes. Commands are lines on its standard input.
import os
import select
import socket
import sys

mine, theirs = sys.argv[1], sys.argv[2]
if os.path.exists(mine):
    os.unlink(mine)
peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
peer.bind(mine)
reading = True
print("ready", flush=True)
while True:
    ready, _, _ = select.select([sys.stdin.buffer.raw] + ([peer] if reading else []), [], [])
    if peer in ready:
        peer.sendto(peer.recv(70000), theirs)
    if sys.stdin.buffer.raw not in ready:
        continue
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 1)
        if part == b"":
            sys.exit(0)
        line += part
    command, *rest = line.decode().split()
    if command == "hold":
        reading = False
    elif command == "go":
        reading = True
    elif command == "send":
        peer.sendto(bytes(int(rest[0])) if len(rest) == 1 else bytes([int(rest[1])]) * int(rest[0]), theirs)
    elif command == "stranger":
        try:
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(bytes(60), theirs)
            print("sent", flush=True)
        except OSError as error:
            print(error.errno, flush=True)
    print("done", flush=True)
