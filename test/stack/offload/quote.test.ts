import { Cable, Captures } from '@softnet/nic-driver';
import { Net } from '@softnet/testkit';
import { ipv4PseudoHeaderSum, ipv6PseudoHeaderSum, parseUdp, viewOf } from '@softnet/wire';
import { expect, test } from 'vitest';

const MARK = Buffer.from('what nobody has asked for');
const UDP = 17;

/** A datagram whose checksum was left to devices all the way reaches nobody: the error quotes it as it would have been on a wire. */
test.each([
  [4, '10.0.0.2', 20],
  [6, 'fd00::2', 40],
] as const)('an ICMP error over IPv%i quotes a finished checksum', async (version, address, headerBytes) => {
  const net = new Net();
  const hosts = [await net.host('a'), await net.host('b')] as const;
  const cable = new Cable();
  for (const [at, host] of hosts.entries()) {
    await net.run(host.addDevice('wire', 'eth0', { cable, offloads: true }));
    host.up('eth0');
    for (const prefix of [`10.0.0.${at + 1}/24`, `fd00::${at + 1}/64`]) host.addAddress('eth0', prefix);
  }
  await net.pass(2000);
  const chunks: Uint8Array[] = [];
  const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
  const capture = hosts[0].kernel.port(Captures).current.start({ device: null, write }, { name: 'test' });
  const user = hosts[0].open();
  user.connect(address, 4711);
  await net.run(user.send(MARK));
  await expect(net.run(user.receive())).rejects.toThrow('ECONNREFUSED');
  user.close();
  capture.close();
  const file = Buffer.concat(chunks);
  const places = [file.indexOf(MARK), file.lastIndexOf(MARK)];
  expect(places[1]).toBeGreaterThan(places[0]!);
  for (const place of places) {
    const udp = place - 8;
    const sum = version === 4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum;
    const datagram = parseUdp(file, udp, 8 + MARK.length, sum(viewOf(file), udp - headerBytes, UDP, 8 + MARK.length));
    expect(datagram).toMatchObject({ dstPort: 4711, payload: MARK });
  }
  await net.dispose();
});
