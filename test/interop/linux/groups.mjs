// The Linux side of multicast in a network namespace, on Node's own sockets, which are the Linux kernel's.
// INTERFACE is an address of it, or '::%name' for IPv6.
//   groups.mjs listen GROUP PORT INTERFACE [SOURCE]   joins, prints 'ready', then each datagram as a line; ends with its stdin
//   groups.mjs send GROUP PORT INTERFACE TEXT         sends one, with TTL 1
import { createSocket } from 'node:dgram';

const [mode, group, port, address, extra] = process.argv.slice(2);
const socket = createSocket({ type: group.includes(':') ? 'udp6' : 'udp4', reuseAddr: true });
if (mode === 'listen') {
  socket.on('message', (data, from) => console.log(`${data} from ${from.address}`));
  socket.bind(Number(port), () => {
    if (extra === undefined) socket.addMembership(group, address);
    else socket.addSourceSpecificMembership(extra, group, address);
    console.log('ready');
  });
  process.stdin.on('end', () => socket.close()).resume();
} else {
  socket.bind(0, () => {
    socket.setMulticastInterface(address);
    socket.send(extra, Number(port), group, () => socket.close());
  });
}
