# Which pairs of UDP sockets may have one port, and which of both a datagram is for: Linux's answers. Reads specs from stdin, prints one line of JSON:
# for each first, and each second, an errno, or for each destination 1, 2, or 0 for nobody.
#   {"specs": [[family, address, flags, device], ...], "destinations": [[family, address], ...]}    flags: 1 REUSEADDR, 2 REUSEPORT, 4 V6ONLY
import json, socket, sys

SOL_IPV6, IPV6_V6ONLY, SO_BINDTODEVICE = 41, 26, 25
asked = json.load(sys.stdin)
port = 20000

def family(number): return socket.AF_INET if number == 4 else socket.AF_INET6

def bound(number, address, flags, device):
    sock = socket.socket(family(number), socket.SOCK_DGRAM)
    if flags & 1: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if flags & 2: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if number == 6: sock.setsockopt(SOL_IPV6, IPV6_V6ONLY, flags >> 2 & 1)
    if device: sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b'lo')
    sock.setblocking(False)
    try: sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock

def has(sock):
    try: sock.recv(9)
    except BlockingIOError: return False
    except ConnectionRefusedError: return True
    return True

# It comes to a socket, or as an error to who sent it.
def receiver(one, two, number, address):
    with socket.socket(family(number), socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.connect((address, port))
        sender.send(b'x')
        while True:
            if has(one): return 1
            if has(two): return 2
            if has(sender): return 0

def answer(first, second):
    global port
    port = 20000 + (port - 19999) % 30000
    with bound(*first) as one:
        try: two = bound(*second)
        except OSError as error: return error.errno
        with two: return [receiver(one, two, *to) for to in asked['destinations']]

print(json.dumps([[answer(first, second) for second in asked['specs']] for first in asked['specs']]))
