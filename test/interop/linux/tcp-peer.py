# What a TCP peer of Linux does and sees, for tests: tcp-peer.py WHAT ADDRESS PORT ... Prints 'ready' once it listens, and a line of JSON at the end.
import errno, json, select, socket, struct, sys, time

what, address, port, rest = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
FAMILY = socket.AF_INET6 if ':' in address else socket.AF_INET
TCP_INFO, LIMIT_S = 11, 20

def opened():
    sock = socket.socket(FAMILY, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(LIMIT_S)
    return sock

def accepted():
    listener = opened()
    listener.bind((address, port))
    listener.listen(8)
    print('ready', flush=True)
    sock, _ = listener.accept()
    sock.settimeout(LIMIT_S)
    listener.close()
    return sock

def connected():
    sock = opened()
    sock.connect((address, port))
    return sock

def attempt(call):
    try:
        return call() or ''
    except OSError as error:
        return 'timeout' if isinstance(error, TimeoutError) and error.errno is None else errno.errorcode.get(error.errno, str(error))

def all_of(sock):
    said = b''
    while part := sock.recv(65536): said += part
    return said

def info(sock):
    data = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 232)
    options, scales = data[5], data[6]
    snd_mss, rcv_mss = struct.unpack_from('II', data, 16)
    return {'state': data[0], 'timestamps': options & 1, 'sack': options >> 1 & 1, 'scales': [scales & 15, scales >> 4], 'mss': snd_mss}

def urgent(sock):
    'Hears an urgent octet out of line, says one.'
    sock.setblocking(True)
    select.select([], [], [sock], LIMIT_S)
    octet = sock.recv(1, socket.MSG_OOB).decode()
    before = sock.recv(100).decode()
    time.sleep(0.05)
    after = sock.recv(100).decode()
    sock.send(b'abc')
    sock.send(b'de!', socket.MSG_OOB)
    sock.send(b'fg')
    sock.shutdown(socket.SHUT_WR)
    all_of(sock)
    return {'octet': octet, 'before': before, 'after': after}

def options():
    sock = accepted()
    seen = info(sock)
    sock.sendall(b'x')
    all_of(sock)
    return seen

def simultaneous(ours, theirs_port):
    'Both connect, from fixed ports.'
    sock = opened()
    sock.bind((ours, port))
    sock.setblocking(False)
    print('ready', flush=True)
    sock.connect_ex((address, theirs_port))
    select.select([], [sock], [], LIMIT_S)
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error: return {'error': errno.errorcode[error]}
    sock.setblocking(True)
    sock.settimeout(LIMIT_S)
    sock.sendall(b'from linux')
    sock.shutdown(socket.SHUT_WR)
    return {'said': all_of(sock).decode(), 'error': ''}

def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def flood(count, source):
    'SYNs of many who are not there.'
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    to = socket.inet_aton(address)
    for number in range(count):
        of = socket.inet_aton('%s.%d' % (source, 10 + number % 240))
        head = struct.pack('!HHIIBBHHH', 1024 + number // 240, port, number * 977, 0, 0x60, 2, 64240, 0, 0) + b'\x02\x04\x05\xb4'
        total = checksum(of + to + struct.pack('!BBH', 0, 6, len(head)) + head)
        tcp = head[:16] + struct.pack('!H', total) + head[18:]
        raw.sendto(struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), number & 0xffff, 0, 64, 6, 0, of, to) + tcp, (address, 0))
        if number % 64 == 0: time.sleep(0.002)
    return {'sent': count}

def reset():
    sock = accepted()
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()
    return {}

def reset_by_us():
    sock = connected()
    sock.sendall(b'x')
    return {'end': attempt(lambda: sock.recv(1).decode())}

def keepalive():
    'Is silent, and asks of it by keepalive.'
    sock = connected()
    for name, value in ((4, 1), (5, 1), (6, 3)): sock.setsockopt(socket.IPPROTO_TCP, name, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.settimeout(float(rest[0]))
    return {'end': attempt(lambda: sock.recv(1).decode())}

def again():
    'Connects many times from one port: the other side has each in TIME-WAIT.'
    done = []
    for number in range(int(rest[1])):
        sock = opened()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((rest[0], int(rest[2])))
        # Until our own side's last end is acknowledged, it has the port.
        while attempt(lambda: sock.connect((address, port))) == 'EADDRNOTAVAIL': time.sleep(0.005)
        sock.sendall(b'%d' % number)
        done.append(all_of(sock).decode())
        sock.close()
    return {'done': done}

DEEDS = {
    'urgent': lambda: urgent(accepted()), 'options': options,
    'simultaneous': lambda: simultaneous(rest[0], int(rest[1])), 'flood': lambda: flood(int(rest[0]), rest[1]),
    'reset': reset, 'reset-by-us': reset_by_us, 'keepalive': keepalive, 'again': again,
    'connect': lambda: {'end': attempt(lambda: connected().close())},
    'ask': lambda: (lambda sock: (sock.sendall(b'hello'), sock.shutdown(1), {'said': all_of(sock).decode(), **info(sock)})[2])(connected()),
}
print(json.dumps(DEEDS[what]()))
