# UDP of the Linux kernel, with what Node's sockets cannot do. Prints 'ready' where it waits for others, then one line of JSON.
#   udp-peer.py hear ADDRESS PORT COUNT [OPTION=VALUE ...]   so many datagrams: their lengths, which of them are wrong, sizes that UDP_GRO tells; each is acknowledged by its number
#   udp-peer.py say ADDRESS PORT SIZES [OPTION=VALUE ...]    numbered datagrams of these sizes, eight on their way at most
#   udp-peer.py throw ADDRESS PORT SIZE [OPTION=VALUE ...]   one, and waits for nothing
#   udp-peer.py error ADDRESS PORT                           one, and what the error queue says of it
# Options are of SOL_UDP by number; 'check=0' is SO_NO_CHECK.
import json, socket, struct, sys

SOL_UDP, UDP_GRO, SO_NO_CHECK, RCVBUFFORCE, WINDOW, SECONDS = 17, 104, 11, 33, 8, 5
mode, address, port, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else ''
family = socket.AF_INET6 if ':' in address else socket.AF_INET
sock = socket.socket(family, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 8 << 20)
sock.settimeout(SECONDS)
for option in sys.argv[5:]:
    name, value = option.split('=')
    if name == 'check': sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    else: sock.setsockopt(SOL_UDP, int(name), int(value))

BASE = bytes((at * 31 + (at >> 8)) & 0xff for at in range(65536))

def numbered(index, size):
    turned = bytes((byte + index * 7) & 0xff for byte in range(256))
    return (struct.pack('>I', index) + BASE.translate(turned))[:size]

def hear(count):
    sock.bind((address, port))
    print('ready', flush=True)
    lengths, wrong, sizes = [], [], []
    for index in range(count):
        try: data, control, _, peer = sock.recvmsg(65536, 64)
        except socket.timeout: break
        sizes += [struct.unpack('i', value)[0] for level, kind, value in control if (level, kind) == (SOL_UDP, UDP_GRO)]
        if data != numbered(index, len(data)): wrong.append(index)
        lengths.append(len(data))
        sock.sendto(struct.pack('>I', index), peer)
    return {'lengths': lengths, 'wrong': wrong, 'sizes': sizes}

def say(sizes):
    sock.connect((address, port))
    heard = -1
    for index, size in enumerate(sizes):
        sock.send(numbered(index, size))
        while index - heard >= WINDOW or (index == len(sizes) - 1 and heard < index):
            try: heard = struct.unpack('>I', sock.recv(4))[0]
            except socket.timeout: return {'heard': heard}
    return {'heard': heard}

def error():
    IP_RECVERR, IPV6_RECVERR, ERRQUEUE = (0, 11), (41, 25), 0x2000
    level, name = IP_RECVERR if family == socket.AF_INET else IPV6_RECVERR
    sock.setsockopt(level, name, 1)
    sock.connect((address, port))
    sock.send(b'lost')
    try: sock.recv(9)
    except OSError as refused: errno = refused.errno
    data, control, _, _ = sock.recvmsg(9, 200, ERRQUEUE)
    [queued] = [value for where, kind, value in control if (where, kind) == (level, name)]
    _, origin, kind, code = struct.unpack('IBBB', queued[:7])
    offender = socket.inet_ntop(family, queued[20:24] if family == socket.AF_INET else queued[24:40])
    return {'errno': errno, 'data': data.decode(), 'origin': origin, 'type': kind, 'code': code, 'offender': offender}

def throw(size):
    sock.connect((address, port))
    return {'sent': sock.send(numbered(0, size))}

if mode == 'hear': print(json.dumps(hear(int(number))))
elif mode == 'say': print(json.dumps(say([int(size) for size in number.split(',')])))
elif mode == 'throw': print(json.dumps(throw(int(number))))
else: print(json.dumps(error()))
