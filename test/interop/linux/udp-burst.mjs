// One burst of UDP (UDP_SEGMENT, Linux's GSO), which Node's sockets cannot send: by the C library, through koffi.
//   udp-burst.mjs IPV4-ADDRESS PORT SEGMENT-BYTES BYTES
import { createRequire } from 'node:module';

const koffi = createRequire(new URL('../../../packages/nic-driver/package.json', import.meta.url))('koffi');
const [address, port, segmentBytes, bytes] = process.argv.slice(2);
const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, int *value, int length)');
const sendto = libc.func('long sendto(int fd, uint8_t *data, size_t length, int flags, uint8_t *to, int toLength)');

const fd = socket(2, 2, 0);
const to = Buffer.alloc(16);
to.writeUInt16LE(2, 0);
to.writeUInt16BE(Number(port), 2);
to.set(address.split('.').map(Number), 4);
const data = Buffer.alloc(Number(bytes)).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
const set = setsockopt(fd, 17, 103, [Number(segmentBytes)], 4);
console.log(set === 0 ? sendto(fd, data, data.length, 0, to, to.length) : `UDP_SEGMENT: errno ${koffi.errno()}`);
