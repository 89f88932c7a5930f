import { ADDRESS_FAMILY, ERRNO, POLL, SOCK_TYPE } from '@softnet/contract';
import type { EpollEvent } from '@softnet/posix';
import { constants, socketAddress } from '@softnet/posix';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLEAN, posixHost } from './posix-host.ts';

const { ADD, DEL, MOD } = { ADD: 1, DEL: 2, MOD: 3 };
const IN: number = POLL.IN;
const ET = constants.EPOLLET!;
const ONESHOT = constants.EPOLLONESHOT!;
/** Of the model: it is not watched. */
const NONE = -1;

/** Datagram sockets at ports 100, 101 ..., one that sends to them, and an epoll instance. */
async function watched(count: number) {
  const host = await posixHost();
  const { posix, world } = host;
  const sender = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM);
  const epoll = posix.epoll_create1();
  const fds = Array.from({ length: count }, (_, i) => {
    const fd = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM | 0o4000);
    expect(posix.bind(fd, socketAddress('127.0.0.1', 100 + i)!)).toBe(0);
    return fd;
  });
  const places = new Map(fds.map((fd, i) => [fd, i]));
  const send = async (fd: number): Promise<void> => {
    posix.sendto(sender, Uint8Array.of(1), 0, socketAddress('127.0.0.1', 100 + places.get(fd)!)!);
    await world.advance(20);
  };
  const take = (fd: number): boolean => posix.recv(fd, new Uint8Array(4)) === 1;
  const told = (max = 10): [data: number, events: number][] => {
    const events: EpollEvent[] = [];
    posix.epoll_wait(epoll, events, max, 0);
    return events.map(({ data, events: bits }) => [data, bits]);
  };
  const control = (op: number, fd: number, events = IN): number => posix.epoll_ctl(epoll, op, fd, { events, data: fd });
  return { ...host, epoll, fds, send, take, told, control };
}

describe('epoll', () => {
  test('by level tells as long as it holds, by edge once for each change, once and no more with ONESHOT', async () => {
    const { fds, send, take, told, control, end } = await watched(3);
    const [level, edge, once] = fds as [number, number, number];
    expect([control(ADD, level), control(ADD, edge, IN | ET), control(ADD, once, IN | ONESHOT), told()]).toEqual([0, 0, 0, []]);
    for (const fd of fds) await send(fd);
    expect(new Map(told())).toEqual(new Map(fds.map((fd) => [fd, IN])));
    expect(told()).toEqual([[level, IN]]);
    await send(edge);
    await send(once);
    expect(new Map(told())).toEqual(new Map([level, edge].map((fd) => [fd, IN])));
    expect([control(MOD, once, IN | ONESHOT), take(level)]).toEqual([0, true]);
    expect(told()).toEqual([[once, IN]]);
    expect(told()).toEqual([]);
    expect(await end()).toEqual(CLEAN);
  });

  test('tells what it does not reach the next time: all have their turn', async () => {
    const { fds, send, told, control, end } = await watched(3);
    for (const fd of fds) {
      control(ADD, fd);
      await send(fd);
    }
    const seen = [told(1), told(1), told(1), told(1)].map((list) => list[0]![0]);
    expect([new Set(seen.slice(0, 3)).size, seen[3]]).toEqual([3, seen[0]]);
    expect(await end()).toEqual(CLEAN);
  });

  test('waits, until its time is over or something comes; a closed file is not watched any more', async () => {
    const { posix, epoll, fds, send, told, control, watch, pass, end } = await watched(2);
    const [a, b] = fds as [number, number];
    control(ADD, a);
    control(ADD, b);
    const events: EpollEvent[] = [];
    const late = watch(posix.epoll_wait(epoll, events, 10, 50));
    await pass(49_000);
    expect(late.result).toBeUndefined();
    await pass(2000);
    expect(late.result).toBe(0);
    const call = watch(posix.epoll_wait(epoll, events, 10, -1));
    await send(b);
    expect([call.result, events]).toEqual([1, [{ data: b, events: IN }]]);
    posix.close(b);
    expect([told(), control(DEL, b), control(DEL, a), control(DEL, a)]).toEqual([[], -ERRNO.EBADF, 0, -ERRNO.ENOENT]);
    expect(await end()).toEqual(CLEAN);
  });

  test('a number that was closed and names another file is watched anew; the old file is not, though it lives', async () => {
    const { posix, fds, send, told, control, end } = await watched(2);
    const [first, second] = fds as [number, number];
    expect([control(ADD, first), posix.dup(first) > second, posix.dup2(second, first), control(DEL, first)]).toEqual([
      0,
      true,
      first,
      -ERRNO.ENOENT,
    ]);
    expect(control(ADD, first, IN | ET)).toBe(0);
    await send(first);
    expect(told()).toEqual([]);
    await send(second);
    expect([told(), control(DEL, first), told()]).toEqual([[[first, IN]], 0, []]);
    expect(await end()).toEqual(CLEAN);
  });

  test('can be watched itself, but not in a ring', async () => {
    const { posix, epoll, fds, send, control, end } = await watched(1);
    const outer = posix.epoll_create1();
    control(ADD, fds[0]!);
    expect(posix.epoll_ctl(outer, ADD, epoll, { events: IN, data: 7 })).toBe(0);
    expect([posix.epoll_ctl(epoll, ADD, outer, { events: IN, data: 0 }), control(ADD, epoll)]).toEqual([-ERRNO.ELOOP, -ERRNO.EINVAL]);
    const events: EpollEvent[] = [];
    expect(posix.epoll_wait(outer, events, 1, 0)).toBe(0);
    await send(fds[0]!);
    const item = { fd: outer, events: IN, revents: 0 };
    expect([posix.poll([item], 0), posix.epoll_wait(outer, events, 1, 0), events]).toEqual([1, 1, [{ data: 7, events: IN }]]);
    expect(await end()).toEqual(CLEAN);
  });

  test('is refused', async () => {
    const rows: [call: string, answer: (host: Awaited<ReturnType<typeof watched>>) => unknown, errno: number][] = [
      ['twice', ({ control, fds }) => [control(ADD, fds[0]!), control(ADD, fds[0]!)][1], ERRNO.EEXIST],
      ['changed, and not there', ({ control, fds }) => control(MOD, fds[0]!), ERRNO.ENOENT],
      ['no such descriptor', ({ control }) => control(ADD, 77), ERRNO.EBADF],
      ['no epoll', ({ posix, fds }) => posix.epoll_ctl(fds[0]!, ADD, 0, { events: IN, data: 0 }), ERRNO.EINVAL],
      ['no operation', ({ control, fds }) => control(9, fds[0]!), ERRNO.EINVAL],
      ['for none', ({ posix, epoll }) => posix.epoll_wait(epoll, [], 0, 0), ERRNO.EINVAL],
      ['itself, to be taken off', ({ control, epoll }) => control(DEL, epoll), ERRNO.EINVAL],
      ['flags', ({ posix }) => posix.epoll_create1(1), ERRNO.EINVAL],
    ];
    const host = await watched(1);
    for (const [call, answer, errno] of rows) {
      expect([call, answer(host)]).toEqual([call, -errno]);
      host.control(DEL, host.fds[0]!);
    }
    expect(await host.end()).toEqual(CLEAN);
  });
});

test('errors are told of who asks for nothing, but once to ONESHOT', async () => {
  const { posix, world, fds, told, control, end } = await watched(2);
  const [all, once] = fds as [number, number];
  expect([control(ADD, all, 0), control(ADD, once, ONESHOT), told()]).toEqual([0, 0, []]);
  for (const fd of fds) expect([posix.connect(fd, socketAddress('127.0.0.1', 9)!), posix.send(fd, Uint8Array.of(1))]).toEqual([0, 1]);
  await world.advance(20);
  expect(new Map(told())).toEqual(new Map(fds.map((fd) => [fd, POLL.ERR])));
  expect(told()).toEqual([[all, POLL.ERR]]);
  expect([control(MOD, once, 0), new Set(told())]).toEqual([
    0,
    new Set([
      [all, POLL.ERR],
      [once, POLL.ERR],
    ]),
  ]);
  expect(await end()).toEqual(CLEAN);
});

test('times that no timer has are waited for all the same', async () => {
  const { posix, epoll, fds, send, watch, end } = await watched(1);
  const items = [{ fd: fds[0]!, events: IN, revents: 0 }];
  const calls = [watch(posix.poll(items, Number.POSITIVE_INFINITY)), watch(posix.epoll_wait(epoll, [], 1, Number.MAX_SAFE_INTEGER))];
  await send(fds[0]!);
  expect(calls.map(({ result }) => result)).toEqual([1, undefined]);
  posix.close(epoll);
  expect(await end()).toEqual(CLEAN);
});

test('poll: what holds, what is no descriptor, and what is passed over', async () => {
  const { posix, fds, send, pass, watch, end } = await watched(2);
  const items = [fds[0]!, 77, -1, fds[1]!].map((fd) => ({ fd, events: IN, revents: 9 }));
  expect([posix.poll(items, 0), items.map(({ revents }) => revents)]).toEqual([1, [0, constants.POLLNVAL, 0, 0]]);
  const some = [items[0]!, items[3]!];
  const late = watch(posix.poll(some, 10));
  await pass(11_000);
  expect(late.result).toBe(0);
  const call = watch(posix.poll(some, -1));
  await send(fds[1]!);
  expect([call.result, some.map(({ revents }) => revents)]).toEqual([1, [0, IN]]);
  expect(await end()).toEqual(CLEAN);
});

test('says what a plain model of level, edge and once says, whatever is sent, taken, asked', async () => {
  const step = fc.record({
    what: fc.constantFrom('send', 'take', 'add', 'mod', 'del', 'wait', 'wait'),
    which: fc.nat(2),
    mode: fc.constantFrom(0, ET, ONESHOT),
  });
  const { posix, epoll, fds, send, take, told, control } = await watched(3);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const model = fds.map(() => ({ waiting: 0, mode: NONE, fresh: false, asleep: false }));
      for (const { what, which, mode } of steps) {
        const [fd, one] = [fds[which]!, model[which]!];
        if (what === 'send') {
          await send(fd);
          one.waiting++;
          one.fresh = true;
        } else if (what === 'take') {
          expect(take(fd)).toBe(one.waiting > 0);
          one.waiting = Math.max(0, one.waiting - 1);
        } else if (what === 'del') {
          expect(control(DEL, fd)).toBe(one.mode === NONE ? -ERRNO.ENOENT : 0);
          one.mode = NONE;
        } else if (what === 'wait') {
          const expected = fds.filter((_, i) => {
            const each = model[i]!;
            const holds = each.mode !== NONE && each.waiting > 0 && !each.asleep && (each.mode !== ET || each.fresh);
            each.fresh = false;
            if (holds && each.mode === ONESHOT) each.asleep = true;
            return holds;
          });
          expect(new Set(told().map(([data]) => data))).toEqual(new Set(expected));
        } else if (what === 'add' ? one.mode === NONE : one.mode !== NONE) {
          expect(control(what === 'add' ? ADD : MOD, fd, IN | mode)).toBe(0);
          Object.assign(one, { mode, fresh: true, asleep: false });
        }
      }
      for (const [i, fd] of fds.entries()) {
        while (take(fd));
        if (model[i]!.mode !== NONE) posix.epoll_ctl(epoll, DEL, fd, null);
      }
    }),
    { numRuns: 60 },
  );
});
