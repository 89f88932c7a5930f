"""Makes a packetdrill script's calls on this machine's Linux, and is the other end of a TUN device.

Requests are lines of JSON, [name, ...arguments]; answers are lines of JSON. The first line is a shell command that gives the device its addresses.
The argument is the tolerance in microseconds.
Bytes are hexadecimal, errors are -errno.
A call that has not returned after a moment is answered by {"pending": number}, and by 'ended' later.
"""
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

PENDING_AFTER_S = int(sys.argv[1]) * 2 / 3e6
libc = ctypes.CDLL(None, use_errno=True)
packets, ended = [], {}
lock = threading.Lock()


def answer(value):
    return value if value >= 0 else -ctypes.get_errno()


def now_us():
    return time.monotonic_ns() // 1000


def listen_to(tun):
    while True:
        packet = os.read(tun, 70000)
        at = now_us()
        with lock:
            packets.append([packet.hex(), at])


def heard():
    with lock:
        taken = list(packets)
        packets.clear()
    return taken


def open_socket(domain, kind, protocol):
    fd = answer(libc.socket(domain, kind, protocol))
    # Linux's own default, whatever this machine's is; a namespace cannot choose one that the machine restricts.
    if fd >= 0 and kind & 15 == socket.SOCK_STREAM:
        libc.setsockopt(fd, socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'cubic', 5)
    return fd


def with_address(name, fd, address):
    data = bytes.fromhex(address)
    return answer(getattr(libc, name)(fd, data, len(data)))


def send(fd, data, flags, address, controls):
    payload = bytes.fromhex(data)
    flags |= socket.MSG_NOSIGNAL
    if not controls:
        to = bytes.fromhex(address) if address else None
        return answer(libc.sendto(fd, payload, len(payload), flags, to, len(to) if to else 0))
    sock = socket.socket(fileno=fd)
    try:
        return sock.sendmsg([payload], [(level, kind, bytes.fromhex(value)) for level, kind, value in controls], flags)
    except OSError as error:
        return -error.errno
    finally:
        sock.detach()


def receive(fd, room, flags):
    sock = socket.socket(fileno=fd)
    try:
        # Python's own copy of the data; MSG_TRUNC of a stream throws them away.
        data, controls, got, _ = sock.recvmsg(room, 1024, flags)
        if flags & socket.MSG_TRUNC:
            return [-95, '', 0, []]
        return [len(data), data.hex(), got, [[level, kind, value.hex()] for level, kind, value in controls]]
    except OSError as error:
        return [-error.errno, '', 0, []]
    finally:
        sock.detach()


def get_option(fd, level, name, room):
    value, length = ctypes.create_string_buffer(max(room, 1)), ctypes.c_uint(room)
    done = answer(libc.getsockopt(fd, level, name, value, ctypes.byref(length)))
    return [done if done < 0 else length.value, value.raw[: length.value].hex()]


def set_option(fd, level, name, value):
    data = bytes.fromhex(value)
    return answer(libc.setsockopt(fd, level, name, data, len(data)))


def name_of(fd, peer):
    address, length = ctypes.create_string_buffer(28), ctypes.c_uint(28)
    call = libc.getpeername if peer else libc.getsockname
    return [answer(call(fd, address, ctypes.byref(length))), address.raw.hex()]


def ioctl(fd, request, value):
    given = ctypes.c_int(value)
    return [answer(libc.ioctl(fd, ctypes.c_ulong(request), ctypes.byref(given))), given.value]


def poll(wanted, timeout_ms):
    items = ctypes.create_string_buffer(b''.join(struct.pack('ihh', fd, events, 0) for fd, events in wanted))
    count = answer(libc.poll(items, len(wanted), timeout_ms))
    return [count, [struct.unpack_from('ihh', items.raw, 8 * i)[2] for i in range(len(wanted))]]


def epoll_control(epoll, operation, fd, events, data):
    return answer(libc.epoll_ctl(epoll, operation, fd, struct.pack('<Iq', events & 0xFFFFFFFF, data)))


def epoll_wait(epoll, most, timeout_ms):
    events = ctypes.create_string_buffer(12 * max(most, 1))
    count = answer(libc.epoll_wait(epoll, events, most, timeout_ms))
    return [count, [struct.unpack_from('<Iq', events.raw, 12 * i) for i in range(max(count, 0))]]


def shell(text):
    done = subprocess.run(text, shell=True, capture_output=True, text=True, check=False)
    return [done.returncode, done.stderr]


ACTS = {
    'now': now_us,
    'heard': heard,
    'inject': lambda data: os.write(tun, bytes.fromhex(data)),
    'shell': shell,
    'socket': open_socket,
    'bind': lambda fd, address: with_address('bind', fd, address),
    'listen': lambda fd, backlog: answer(libc.listen(fd, backlog)),
    'shutdown': lambda fd, how: answer(libc.shutdown(fd, how)),
    'fcntl': lambda fd, command, value: answer(libc.fcntl(fd, command, value)),
    'getOption': get_option,
    'setOption': set_option,
    'nameOf': name_of,
    'ioctl': ioctl,
    'epollCreate': lambda: answer(libc.epoll_create1(0)),
    'epollControl': epoll_control,
    'ended': lambda number: ended.pop(number, None),
}
# Calls that may block have a thread each.
BLOCKING = {
    'close': lambda fd: answer(libc.close(fd)),
    'connect': lambda fd, address: with_address('connect', fd, address),
    'accept': lambda fd, flags: answer(libc.accept4(fd, None, None, flags)),
    'send': send,
    'receive': receive,
    'poll': poll,
    'epollWait': epoll_wait,
}


def in_thread(number, act, args):
    done = threading.Event()

    def run():
        value = act(*args)
        with lock:
            ended[number] = [value, now_us()]
        done.set()

    threading.Thread(target=run, daemon=True).start()
    return ended.pop(number)[0] if done.wait(PENDING_AFTER_S) else {'pending': number}


def reply(value):
    sys.stdout.write(json.dumps(value) + '\n')
    sys.stdout.flush()


def serve():
    for number, line in enumerate(sys.stdin):
        name, *args = json.loads(line)
        if name == 'quit':
            break
        act = ACTS.get(name)
        reply(act(*args) if act else in_thread(number, BLOCKING[name], args))
    os._exit(0)


if __name__ == '__main__':
    setup = json.loads(sys.stdin.readline())
    tun = os.open('/dev/net/tun', os.O_RDWR)
    # TUNSETIFF: IFF_TUN | IFF_NO_PI.
    fcntl.ioctl(tun, 0x400454CA, struct.pack('16sH', b'tun0', 0x1001))
    subprocess.run(setup, shell=True, check=True)
    threading.Thread(target=listen_to, args=(tun,), daemon=True).start()
    reply('ready')
    serve()
