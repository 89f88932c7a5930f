"""Asks all on a link for an IPv4 address as RFC 5227 probes for it, as `arping -D` does: prints the link address that answers, or 'nobody'."""

import fcntl
import select
import socket
import struct
import sys
import time

device, address = sys.argv[1:3]
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
link.bind((device, 0x0806))
own = fcntl.ioctl(link.fileno(), 0x8927, struct.pack('256s', device.encode()))[18:24]
target = socket.inet_aton(address)
arp = struct.pack('!HHBBH6s4s6s4s', 1, 0x0800, 6, 4, 1, own, bytes(4), bytes(6), target)
end = time.monotonic() + float(sys.argv[3])
link.send(b'\xff' * 6 + own + b'\x08\x06' + arp)
while time.monotonic() < end:
    if not select.select([link], [], [], end - time.monotonic())[0]:
        break
    frame = link.recv(2048)
    if frame[20:22] == b'\x00\x02' and frame[28:32] == target:
        print(frame[22:28].hex(':'))
        break
else:
    print('nobody')
