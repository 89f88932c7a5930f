# Which streams may have one port, who is given connections, and what connections may have: Linux's answers. Reads one line of JSON from stdin, prints one.
#   {"specs": [[family, address, flags, device], ...], "destinations": [[family, address], ...], "rows": [[step, ...], ...]}
# flags: 1 REUSEADDR, 2 REUSEPORT, 4 V6ONLY. Ports of rows count from a base of each row's own, '@a' is the one that socket a has; the range for those that are chosen is port 5 alone.
import errno, json, socket, struct, sys, time

SOL_IPV6, IPV6_V6ONLY, SO_BINDTODEVICE, IP_BIND_ADDRESS_NO_PORT = 41, 26, 25, 24
RESET = struct.pack('ii', 1, 0)
asked = json.load(sys.stdin)
port = 20000

def family(number): return socket.AF_INET if number == 4 else socket.AF_INET6

def word(error): return errno.errorcode.get(error.errno, str(error))

def bound_by(number, address, flags, device):
    sock = socket.socket(family(number), socket.SOCK_STREAM)
    if flags & 1: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if flags & 2: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if number == 6: sock.setsockopt(SOL_IPV6, IPV6_V6ONLY, flags >> 2 & 1)
    if device: sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b'lo')
    sock.setblocking(False)
    return sock

def has(sock):
    try: sock.accept()[0].close()
    except OSError: return False
    return True

def receiver(one, two, number, address):
    with socket.socket(family(number), socket.SOCK_STREAM) as client:
        client.settimeout(2)
        try: client.connect((address, port))
        except ConnectionRefusedError: return '0'
        return '1' if has(one) else '2' if has(two) else '?'

# 'b': the second cannot have the port. Else who is given what comes when the second listens; then, where the first did not, 'l' if it cannot listen any more, '.' if it can.
def pair(listens, first, second):
    global port
    port = 20000 + (port - 19999) % 30000
    with bound_by(*first) as one, bound_by(*second) as two:
        one.bind((first[1], port))
        if listens: one.listen(8)
        try: two.bind((second[1], port))
        except OSError: return 'b'
        two.listen(8)
        who = ''.join(receiver(one, two, *to) for to in asked['destinations'])
        if listens: return who
        try: one.listen(8)
        except OSError: return who + 'l'
        return who + '.'

class Row:
    def __init__(self, base):
        self.base, self.socks = base, {}
        with open('/proc/sys/net/ipv4/ip_local_port_range', 'w') as range: range.write(f'{base + 5} {base + 5}\n')

    def end(self, address, text): return address, self.socks[text[1:]].getsockname()[1] if text[0] == '@' else int(text) and self.base + int(text)

    def socket(self, name, number, options=''):
        sock = self.socks[name] = socket.socket(family(int(number)), socket.SOCK_STREAM)
        if 'A' in options: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if 'P' in options: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if 'N' in options: sock.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        if 'D' in options: sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b'lo')
        if 'V' in options: sock.setsockopt(SOL_IPV6, IPV6_V6ONLY, 1)
        sock.settimeout(2)

    def bind(self, name, address, port): self.socks[name].bind(self.end(address, port))
    def listen(self, name): self.socks[name].listen(8)
    def connect(self, name, address, port): self.socks[name].connect(self.end(address, port))
    def accept(self, name, child): self.socks[child] = self.socks[name].accept()[0]
    def reuse(self, name, on): self.socks[name].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(on))
    def shut(self, name): self.socks[name].shutdown(socket.SHUT_RD)
    def close(self, name): self.socks[name].close()
    def port(self, name): return str(self.socks[name].getsockname()[1] - self.base)
    # It closes first.
    def timewait(self, name, peer):
        for each in name, peer:
            self.socks[each].close()
            time.sleep(.002)

    def step(self, text):
        name, call, *args = text.split(' ')
        try: return getattr(self, call)(name, *args) or 'ok'
        except OSError as error: return word(error)

    # Nothing is left for the next: closed by a reset.
    def over(self):
        for sock in self.socks.values():
            try: sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            except OSError: pass
            sock.close()

def row(index, steps):
    of = Row(10000 + 10 * index)
    said = [of.step(step) for step in steps]
    of.over()
    return said

pairs = [[[pair(listens, first, second) for second in asked['specs']] for first in asked['specs']] for listens in (False, True)]
print(json.dumps({'pairs': pairs, 'rows': [row(*each) for each in enumerate(asked['rows'])]}))
