// What Linux 6.18 answers to the same calls, on UDP sockets, stands in the rows.
import { ADDRESS_FAMILY, ERRNO, SOCK_TYPE } from '@softnet/contract';
import type { EpollEvent, Posix } from '@softnet/posix';
import { constants, socketAddress } from '@softnet/posix';
import { expect, test } from 'vitest';
import { CLEAN, posixHost } from './posix-host.ts';

const { EINVAL, EEXIST, ENOENT, EFAULT } = ERRNO;
const [IN, OUT, PRI, ERR, HUP, RDHUP] = [0x1, 0x4, 0x2, 0x8, 0x10, 0x2000];
const [RDNORM, WRNORM, WRBAND] = [0x40, 0x100, 0x200];
const [ET, ONESHOT, EXCLUSIVE, WAKEUP] = ['ET', 'ONESHOT', 'EXCLUSIVE', 'WAKEUP'].map((name) => constants[`EPOLL${name}`]!) as [
  number,
  number,
  number,
  number,
];
const { ADD, DEL, MOD } = { ADD: 1, DEL: 2, MOD: 3 };

/** A host, and sockets on it to which one may send. */
async function rig() {
  const host = await posixHost();
  const { posix } = host;
  const sender = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM);
  let port = 100;
  const ports = new Map<number, number>();
  return {
    ...host,
    socket: () => {
      const fd = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM | 0o4000);
      ports.set(fd, ++port);
      posix.bind(fd, socketAddress('127.0.0.1', port)!);
      return fd;
    },
    send: async (fd: number) => {
      posix.sendto(sender, Uint8Array.of(1), 0, socketAddress('127.0.0.1', ports.get(fd)!)!);
      await host.pass(20);
    },
  };
}

/** What an instance tells, now or within that time. */
function asked(posix: Posix, epoll: number, timeoutMs: number) {
  const events: EpollEvent[] = [];
  return { events, answer: posix.epoll_wait(epoll, events, 10, timeoutMs) };
}

const bitsOf = (events: readonly EpollEvent[]): number[] => events.map((each) => each.events);

test('epoll_ctl: what may stand beside EPOLLEXCLUSIVE, and what is no call', async () => {
  const { posix, socket, end } = await rig();
  const answer = (steps: readonly (readonly [op: number, events: number | null])[], of?: number): number[] => {
    const [epoll, fd] = [posix.epoll_create1(), of ?? socket()];
    const results = steps.map(([op, events]) => posix.epoll_ctl(epoll, op, fd, events === null ? null : { events, data: 0 }));
    posix.close(epoll);
    if (of === undefined) posix.close(fd);
    return results;
  };
  const rows: [steps: [number, number | null][], results: number[]][] = [
    [[[ADD, IN | EXCLUSIVE]], [0]],
    [[[ADD, IN | EXCLUSIVE | ET]], [0]],
    [[[ADD, IN | OUT | ERR | HUP | WAKEUP | EXCLUSIVE]], [0]],
    [[[ADD, IN | EXCLUSIVE | ONESHOT]], [-EINVAL]],
    [[[ADD, PRI | EXCLUSIVE]], [-EINVAL]],
    [[[ADD, IN | RDHUP | EXCLUSIVE]], [-EINVAL]],
    [[[ADD, IN | RDNORM | EXCLUSIVE]], [-EINVAL]],
    [[[MOD, IN | EXCLUSIVE]], [-EINVAL]],
    [[[MOD, IN]], [-ENOENT]],
    [
      [
        [ADD, null],
        [MOD, null],
        [DEL, null],
      ],
      [-EFAULT, -EFAULT, -ENOENT],
    ],
    [
      [
        [9, IN],
        [9, null],
        [9, IN | EXCLUSIVE],
      ],
      [-EINVAL, -EFAULT, -EINVAL],
    ],
    [
      [
        [ADD, IN | EXCLUSIVE],
        [MOD, IN],
        [MOD, IN | EXCLUSIVE],
        [ADD, IN],
      ],
      [0, -EINVAL, -EINVAL, -EEXIST],
    ],
    [
      [
        [ADD, IN],
        [MOD, IN | EXCLUSIVE],
        [MOD, OUT],
        [DEL, null],
      ],
      [0, -EINVAL, 0, 0],
    ],
  ];
  for (const [steps, results] of rows) expect([steps, answer(steps)]).toEqual([steps, results]);
  const other = posix.epoll_create1();
  expect(answer([[ADD, IN | EXCLUSIVE]], other)).toEqual([-EINVAL]);
  expect(posix.epoll_ctl(99, ADD, 98, null)).toBe(-EFAULT);
  expect(await end()).toEqual(CLEAN);
});

test('EPOLLEXCLUSIVE tells one of those who wait', async () => {
  const rows: [what: string, modes: number[], waiting: number[], told: number[][], after: number[][]][] = [
    ['the first of two', [IN | EXCLUSIVE, IN | EXCLUSIVE], [0, 1], [[IN], []], [[IN], []]],
    ['and who asks as usual', [IN | EXCLUSIVE, IN], [0, 1], [[IN], [IN]], [[IN], [IN]]],
    ['who asks as usual, and one more', [IN, IN | EXCLUSIVE, IN | EXCLUSIVE], [0, 1, 2], [[IN], [IN], []], [[IN], [IN], []]],
    ['the first does not wait', [IN | EXCLUSIVE, IN | EXCLUSIVE], [1], [[], [IN]], [[IN], [IN]]],
    ['nobody waits', [IN | EXCLUSIVE, IN | EXCLUSIVE], [], [[], []], [[IN], [IN]]],
    ['by edge', [IN | EXCLUSIVE | ET, IN | EXCLUSIVE | ET], [0, 1], [[IN], []], [[], []]],
    ['the first asks for room', [OUT | EXCLUSIVE | ET, IN | EXCLUSIVE], [0, 1], [[OUT], [IN]], [[], [IN]]],
    ['nobody is exclusive', [IN, IN], [0, 1], [[IN], [IN]], [[IN], [IN]]],
  ];
  const { posix, pass, socket, send, end } = await rig();
  for (const [what, modes, waiting, told, after] of rows) {
    const fd = socket();
    const epolls = modes.map((events) => {
      const epoll = posix.epoll_create1();
      expect(posix.epoll_ctl(epoll, ADD, fd, { events, data: 0 })).toBe(0);
      return epoll;
    });
    const calls = epolls.map((epoll, i) => (waiting.includes(i) ? asked(posix, epoll, 30) : { events: [] }));
    await send(fd);
    await pass(30_000);
    expect([what, calls.map(({ events }) => bitsOf(events))]).toEqual([what, told]);
    expect([what, epolls.map((epoll) => bitsOf(asked(posix, epoll, 0).events))]).toEqual([what, after]);
  }
  expect(await end()).toEqual(CLEAN);
});

test('who polls an instance, or watches it by another, does not count as the one who is told', async () => {
  const { posix, pass, socket, send, watch, end } = await rig();
  const fd = socket();
  const [first, outer, second] = [posix.epoll_create1(), posix.epoll_create1(), posix.epoll_create1()];
  for (const epoll of [first, second]) posix.epoll_ctl(epoll, ADD, fd, { events: IN | EXCLUSIVE, data: 0 });
  posix.epoll_ctl(outer, ADD, first, { events: IN, data: 0 });
  const polled = watch(posix.poll([{ fd: first, events: IN, revents: 0 }], 300));
  const calls = [asked(posix, outer, 300), asked(posix, second, 300)].map(({ answer }) => watch(answer));
  await send(fd);
  await pass(1);
  expect([polled.result, ...calls.map(({ result }) => result)]).toEqual([1, 1, 1]);
  expect(await end()).toEqual(CLEAN);
});

test('what is told by level, by edge, once, and of bits that stand for one another', async () => {
  /** s: a datagram comes; r: one is read; w: what epoll tells; m: EPOLL_CTL_MOD as it was. */
  const rows: [events: number, steps: string, told: number[]][] = [
    [IN | ET, 'wswwsswwrwrwmw', [0, IN, 0, IN, 0, 0, 0, IN]],
    [IN | OUT | ET, 'wwswwrwsw', [OUT, 0, IN | OUT, 0, 0, IN | OUT]],
    [IN | ONESHOT, 'swswmwmw', [IN, 0, IN, IN]],
    [IN | ONESHOT | ET, 'swswmw', [IN, 0, IN]],
    [0, 'wsw', [0, 0]],
    [IN | RDNORM, 'sw', [IN | RDNORM]],
    [OUT | WRNORM | WRBAND, 'w', [OUT | WRNORM | WRBAND]],
    [RDHUP | PRI, 'sw', [0]],
    [IN | ET, 'ssrw', [IN]],
    [IN | ET, 'srw', [0]],
    [IN | ET, 'swrmwsw', [IN, 0, IN]],
    [IN, 'swwrw', [IN, IN, 0]],
  ];
  const { posix, socket, send, end } = await rig();
  for (const [events, steps, told] of rows) {
    const [epoll, fd] = [posix.epoll_create1(), socket()];
    const seen: number[] = [];
    posix.epoll_ctl(epoll, ADD, fd, { events, data: 0 });
    for (const step of steps) {
      if (step === 's') await send(fd);
      else if (step === 'r') posix.recv(fd, new Uint8Array(4));
      else if (step === 'm') posix.epoll_ctl(epoll, MOD, fd, { events, data: 0 });
      else seen.push(bitsOf(asked(posix, epoll, 0).events)[0] ?? 0);
    }
    expect([events, steps, seen]).toEqual([events, steps, told]);
  }
  expect(await end()).toEqual(CLEAN);
});

test('two who wait for one instance: by level both are told, by edge and once one of them', async () => {
  const { posix, pass, socket, send, end } = await rig();
  for (const [mode, counts] of [
    [IN, [1, 1]],
    [IN | ET, [1, 0]],
    [IN | ONESHOT, [1, 0]],
  ] as const) {
    const [epoll, fd] = [posix.epoll_create1(), socket()];
    posix.epoll_ctl(epoll, ADD, fd, { events: mode, data: 0 });
    const calls = [asked(posix, epoll, 30), asked(posix, epoll, 30)];
    await send(fd);
    await pass(30_000);
    expect([mode, await Promise.all(calls.map(({ answer }) => answer))]).toEqual([mode, counts]);
  }
  expect(await end()).toEqual(CLEAN);
});

test('times in ms and µs, and signals', async () => {
  const { posix, pass, watch, end } = await rig();
  const epoll = posix.epoll_create1();
  const abort = new AbortController();
  const calls = [
    posix.epoll_wait(epoll, [], 1, 2),
    posix.epoll_pwait(epoll, [], 1, 3),
    posix.epoll_pwait2(epoll, [], 1, 500),
    posix.epoll_pwait2(epoll, [], 1, null, abort.signal),
    posix.ppoll([{ fd: epoll, events: IN, revents: 0 }], 1500),
    posix.poll([{ fd: epoll, events: IN, revents: 0 }], -1, abort.signal),
  ].map(watch);
  const done = (): (number | undefined)[] => calls.map(({ result }) => result);
  const none = undefined;
  await pass(501);
  expect(done()).toEqual([none, none, 0, none, none, none]);
  await pass(1000);
  expect(done()).toEqual([none, none, 0, none, 0, none]);
  await pass(1500);
  expect(done()).toEqual([0, 0, 0, none, 0, none]);
  abort.abort();
  await pass(1);
  expect(done()).toEqual([0, 0, 0, -ERRNO.EINTR, 0, -ERRNO.EINTR]);
  expect(posix.lastError).toMatch(/EINTR: its signal/);
  expect([posix.epoll_pwait2(epoll, [], 1, -1), posix.ppoll([], -1), posix.epoll_pwait2(epoll, [], 1, 0)]).toEqual([-EINVAL, -EINVAL, 0]);
  expect(posix.poll(Array(1025).fill({ fd: -1, events: 0, revents: 0 }), 0)).toBe(-EINVAL);
  expect(await end()).toEqual(CLEAN);
});
