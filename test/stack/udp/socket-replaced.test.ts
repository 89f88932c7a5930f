import { ADDRESS_FAMILY, ERRNO, MESSAGE_FLAG, SOCK_FLAG } from '@softnet/contract';
import { SocketModule } from '@softnet/socket';
import { expect, test } from 'vitest';
import { CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

test('the flow table is replaced twenty times under bound, connected and shared sockets: all are found, and their ports are theirs', async () => {
  const { kernel, run, settle, user, end } = await realHost();
  const server = user(INET);
  const dual = user(INET6);
  const clients = Array.from({ length: 20 }, () => user(INET));
  const shared = Array.from({ length: 4 }, () => user(INET));
  expect([server.bind('127.0.0.1:7'), dual.bind('[::]:8')]).toEqual([0, 0]);
  for (const each of shared) {
    each.sock.flags |= SOCK_FLAG.REUSEPORT;
    expect(each.bind('127.0.0.1:9')).toBe(0);
  }
  for (const [i, client] of clients.entries()) expect(client.connect(`127.0.0.1:${7 + (i % 3)}`)).toBe(0);
  const members = new Set<number>();
  for (let round = 1; round <= 20; round++) {
    for (const client of clients) expect(client.send(Uint8Array.of(round))).toBe(1);
    const replaced = run(kernel.replace('socket', SocketModule));
    await replaced;
    await settle();
    for (const i of clients.keys()) {
      const at = i % 3 === 0 ? server : i % 3 === 1 ? dual : shared.find((each) => typeof each.receive(MESSAGE_FLAG.PEEK) === 'object')!;
      if (i % 3 === 2) members.add(shared.indexOf(at));
      expect(at.receive()).toMatchObject({ bytes: Uint8Array.of(round) });
    }
    const late = user(INET);
    expect(late.bind('127.0.0.1:7')).toBe(-ERRNO.EADDRINUSE);
    late.close();
  }
  expect([kernel.module('socket')?.generation, members.size > 1]).toEqual([21, true]);
  for (const each of [server, dual, ...clients, ...shared]) each.close();
  expect(await end()).toEqual(CLEAN);
});
