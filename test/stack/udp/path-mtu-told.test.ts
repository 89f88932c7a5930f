import { ADDRESS_FAMILY, Devices, DeviceTraffic, ERRNO, IPV6_OPTION, POLL, SOL } from '@softnet/contract';
import { expect, test } from 'vitest';
import type { Row } from './control.ts';
import { int, ip, receiveAll, sendWith, set } from './control.ts';
import { CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { DONTFRAG, MTU_DISCOVER, RECVERR, RECVPATHMTU } = IPV6_OPTION;
const { EAGAIN, EMSGSIZE } = ERRNO;
const MTU_BYTES = 1400;
const BIG = new Array<number>(3000).fill(1);

/** What is told on Linux 6.18, where lo has an MTU of 1,400 and 3,000 bytes are sent: recorded by the same calls in Python. */
test('IPV6_RECVPATHMTU: the path MTU of what might not be cut comes with an empty message, once, and before all else', async () => {
  const host = await realHost();
  const lo = host.kernel.port(DeviceTraffic).current.byName('lo')!;
  host.kernel.port(Devices).current.setMtu(lo, MTU_BYTES);
  const rows: [options: [number, number][], sent: number, control: Row[], told: boolean][] = [
    [[], 3000, [], false],
    [[[DONTFRAG, 1]], -EMSGSIZE, [], true],
    [[[MTU_DISCOVER, 2]], -EMSGSIZE, [], false],
    [[[MTU_DISCOVER, 3]], -EMSGSIZE, [], false],
    [
      [
        [MTU_DISCOVER, 0],
        [DONTFRAG, 1],
      ],
      -EMSGSIZE,
      [],
      true,
    ],
    [
      [
        [DONTFRAG, 1],
        [RECVERR, 1],
      ],
      -EMSGSIZE,
      [],
      true,
    ],
    [
      [
        [DONTFRAG, 1],
        [RECVPATHMTU, 0],
      ],
      -EMSGSIZE,
      [],
      false,
    ],
    [[], -EMSGSIZE, [[SOL.IPV6, DONTFRAG, int(1)]], true],
    [[[DONTFRAG, 1]], 3000, [[SOL.IPV6, DONTFRAG, int(0)]], false],
  ];
  const info = [...int(10), 0, 0, 0, 0, ...ip('::1'), ...int(0), ...int(MTU_BYTES)];
  const empty = { bytes: [], from: '[::1]:0', control: [[SOL.IPV6, IPV6_OPTION.PATHMTU, info]], flags: 0 };
  for (const isConnected of [false, true]) {
    for (const [options, sent, control, told] of rows) {
      const user = host.user(ADDRESS_FAMILY.INET6);
      for (const [name, value] of [[RECVPATHMTU, 1], ...options] as const) expect(set(user, SOL.IPV6, name, int(value))).toBe(0);
      if (isConnected) expect(user.connect('[::1]:9')).toBe(0);
      for (let twice = 0; twice < (sent < 0 ? 2 : 1); twice++)
        expect(sendWith(user, BIG, control, isConnected ? undefined : '[::1]:9')).toBe(sent);
      expect(user.calls.poll(user.sock) & POLL.IN).toBe(0);
      expect([receiveAll(user), receiveAll(user)]).toEqual(told ? [empty, -EAGAIN] : [-EAGAIN, -EAGAIN]);
      user.close();
    }
  }
  expect(await host.end()).toEqual(CLEAN);
});
