// Calls on several messages and several descriptors: results as Linux 6.18 gives them.
import { ADDRESS_FAMILY, ERRNO, MESSAGE_FLAG, SO, SOCK_TYPE, SOL } from '@softnet/contract';
import type { BatchMessage, DescriptorSet } from '@softnet/posix';
import { constants, emptyAddress, socketAddress, timeValue } from '@softnet/posix';
import { expect, test } from 'vitest';
import { bytes, connected } from './connected.ts';
import { CLEAN, posixHost } from './posix-host.ts';

const { INET } = ADDRESS_FAMILY;
const { EAGAIN, EBADF, ECONNREFUSED, EINTR, EINVAL, EMSGSIZE } = ERRNO;
const { DONTWAIT } = MESSAGE_FLAG;
const WAITFORONE = constants.MSG_WAITFORONE!;

/** `to` has port 7; `from` is connected to it. */
async function sockets() {
  const host = await posixHost();
  const { posix } = host;
  const [to, from] = [posix.socket(INET, SOCK_TYPE.DGRAM), posix.socket(INET, SOCK_TYPE.DGRAM)];
  expect([posix.bind(to, socketAddress('127.0.0.1', 7)!), posix.connect(from, socketAddress('127.0.0.1', 7)!)]).toEqual([0, 0]);
  return { ...host, to, from };
}

function batch(...lengths: number[]): BatchMessage[] {
  return lengths.map((length) => ({ header: { name: emptyAddress(), iov: [new Uint8Array(length)], control: null }, lenBytes: -1 }));
}

const lengthsOf = (messages: readonly BatchMessage[]): number[] => messages.map(({ lenBytes }) => lenBytes);

/** To send: by where it is connected to. */
function outgoing(...lengths: number[]): BatchMessage[] {
  return batch(...lengths).map((each) => ({ ...each, header: { ...each.header, name: null } }));
}

test('sendmmsg and recvmmsg: how many, and how long each was', async () => {
  const { posix, pass, to, from, end } = await sockets();
  const [sent, came] = [outgoing(10, 11, 12), batch(20, 20, 20)];
  expect([posix.sendmmsg(from, sent), lengthsOf(sent)]).toEqual([3, [10, 11, 12]]);
  await pass(50);
  expect([posix.recvmmsg(to, came), lengthsOf(came), came[0]!.header.hasName]).toEqual([3, [10, 11, 12], true]);
  posix.sendmmsg(from, outgoing(1, 2));
  await pass(50);
  expect([posix.recvmmsg(to, came, DONTWAIT), posix.recvmmsg(to, came, DONTWAIT)]).toEqual([2, -EAGAIN]);
  posix.sendmmsg(from, outgoing(1, 2));
  await pass(50);
  expect(posix.recvmmsg(to, came, WAITFORONE)).toBe(2);
  posix.sendmmsg(from, outgoing(1, 2));
  await pass(50);
  expect([posix.recvmmsg(to, came, 0, 0), posix.recvmmsg(to, came, DONTWAIT), posix.recvmmsg(to, came, 0, -1)]).toEqual([1, 1, -EINVAL]);
  expect([posix.recvmmsg(to, []), posix.sendmmsg(from, []), posix.recvmmsg(99, came), posix.sendmmsg(99, came)]).toEqual([
    0,
    0,
    -EBADF,
    -EBADF,
  ]);
  expect([posix.sendmmsg(from, outgoing(1, 70000, 1)), posix.sendmmsg(from, outgoing(70000, 1))]).toEqual([1, -EMSGSIZE]);
  expect(await end()).toEqual(CLEAN);
});

test('recvmmsg waits for each, until SO_RCVTIMEO, a signal or a close ends it; what came counts', async () => {
  const { posix, pass, watch, to, from, end } = await sockets();
  const came = batch(20, 20, 20);
  const all = watch(posix.recvmmsg(to, came));
  for (const length of [1, 2]) {
    posix.sendmmsg(from, outgoing(length));
    await pass(50);
    expect(all.result).toBeUndefined();
  }
  posix.sendmmsg(from, outgoing(3));
  await pass(50);
  expect([all.result, lengthsOf(came)]).toEqual([3, [1, 2, 3]]);
  posix.setsockopt(to, SOL.SOCKET, SO.RCVTIMEO, timeValue(100_000));
  posix.sendmmsg(from, outgoing(1, 2));
  await pass(50);
  const late = watch(posix.recvmmsg(to, came));
  await pass(99_000);
  expect(late.result).toBeUndefined();
  await pass(2000);
  expect(late.result).toBe(2);
  const abort = new AbortController();
  const [one, none] = [watch(posix.recvmmsg(to, came, WAITFORONE, null)), watch(posix.recvmmsg(to, batch(9), 0, null, abort.signal))];
  posix.sendmmsg(from, outgoing(1));
  await pass(50);
  abort.abort();
  await pass(1);
  expect([one.result, none.result]).toEqual([1, -EINTR]);
  expect(await end()).toEqual(CLEAN);
});

test('an error that was there is told before anything comes, and one behind some by the next call', async () => {
  const { posix, pass, watch, to, from, end } = await sockets();
  posix.close(to);
  posix.sendmmsg(from, outgoing(1));
  await pass(50);
  expect([posix.recvmmsg(from, batch(9), DONTWAIT), posix.recvmmsg(from, batch(9), DONTWAIT)]).toEqual([-ECONNREFUSED, -EAGAIN]);
  const more = posix.socket(INET, SOCK_TYPE.DGRAM);
  posix.bind(more, socketAddress('127.0.0.1', 7)!);
  const name = emptyAddress();
  posix.getsockname(from, name);
  posix.sendto(more, bytes('x'), 0, name);
  await pass(50);
  const call = watch(posix.recvmmsg(from, batch(9, 9)));
  posix.close(more);
  posix.sendmmsg(from, outgoing(1));
  await pass(50);
  expect([call.result, posix.recv(from, new Uint8Array(9), DONTWAIT)]).toEqual([1, -ECONNREFUSED]);
  expect(await end()).toEqual(CLEAN);
});

test('sendmmsg on a stream waits for room, in order; one that may not ends with what is cut', async () => {
  const { posix, pass, watch, client, server, end } = await connected();
  const sent = outgoing(6, 6, 6);
  const call = watch(posix.sendmmsg(client, sent));
  let count = 0;
  while (call.result === undefined && count < 18) {
    count += posix.recv(server, new Uint8Array(5), DONTWAIT) as number;
    await pass(1);
  }
  expect([call.result, lengthsOf(sent)]).toEqual([3, [6, 6, 6]]);
  while ((posix.recv(server, new Uint8Array(9), DONTWAIT) as number) > 0);
  const cut = outgoing(6, 6, 6);
  expect([posix.sendmmsg(client, cut, DONTWAIT), lengthsOf(cut)]).toEqual([2, [6, 2, -1]]);
  expect(await end()).toEqual(CLEAN);
});

test('select: what can be read and written stays in the sets; times, bad descriptors', async () => {
  const { posix, pass, watch, to, from, end } = await sockets();
  const idle = posix.socket(INET, SOCK_TYPE.DGRAM);
  const set = (...fds: number[]): DescriptorSet => new Set(fds);
  const late = [set(to), set(), set(to)];
  const call = watch(posix.select(to + 1, late[0]!, late[1]!, late[2]!, 100_000));
  await pass(99_000);
  expect([call.result, [...late[0]!]]).toEqual([undefined, [to]]);
  await pass(2000);
  expect([call.result, late.map((each) => each!.size)]).toEqual([0, [0, 0, 0]]);
  const [read, write] = [set(to, idle), set(to, from)];
  expect([posix.select(idle + 1, read, write, null, 0), [...read!], [...write!]]).toEqual([2, [], [to, from]]);
  const waiting = set(to, idle);
  const comes = watch(posix.pselect(idle + 1, waiting, null, null, null));
  posix.send(from, bytes('x'));
  await pass(50);
  expect([comes.result, [...waiting!]]).toEqual([1, [to]]);
  expect([posix.select(99, set(98), null, null, 0), posix.select(-1, null, null, null, 0), posix.select(0, null, null, null, -1)]).toEqual([
    -EBADF,
    -EINVAL,
    -EINVAL,
  ]);
  // Beyond the end nothing is looked at, bad or not.
  expect(posix.select(to, set(98), null, null, 0)).toBe(0);
  const [abort, kept] = [new AbortController(), set(idle)];
  const broken = watch(posix.select(idle + 1, kept, null, null, null, abort.signal));
  abort.abort();
  await pass(1);
  expect([broken.result, [...kept!]]).toEqual([-EINTR, [idle]]);
  // An error can be read, and be written for, so to speak.
  posix.close(to);
  posix.send(from, bytes('x'));
  await pass(50);
  expect([posix.select(from + 1, set(from), set(from), set(from), 0), posix.recv(from, new Uint8Array(1))]).toEqual([2, -ECONNREFUSED]);
  expect(await end()).toEqual(CLEAN);
});
