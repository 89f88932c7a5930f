import { SOCK_TYPE, SockAddress } from '@softnet/contract';
import type { ProcessOptions } from '@softnet/posix';
import { emptyAddress } from '@softnet/posix';
import { expect } from 'vitest';
import { CONNECT_US, PAIR_FAMILY } from './pair-stream.ts';
import { posixHost } from './posix-host.ts';

export const at = (port: number): SockAddress => Object.assign(new SockAddress(), { family: PAIR_FAMILY, port });
export const text = (bytes: Uint8Array, count: number): string => String.fromCharCode(...bytes.subarray(0, count));
export const bytes = (string: string): Uint8Array => Uint8Array.from(string, (char) => char.charCodeAt(0));

/** A listener, and a connection to it: descriptors of both of its ends. */
export async function connected(options: ProcessOptions = {}) {
  const host = await posixHost(options);
  const { posix } = host;
  const listener = posix.socket(PAIR_FAMILY, SOCK_TYPE.STREAM);
  expect([posix.bind(listener, at(7)), posix.listen(listener, 2)]).toEqual([0, 0]);
  return { ...host, listener, ...(await connection(host, listener)) };
}

/** One more to the listener. */
export async function connection({ posix, pass, watch }: Awaited<ReturnType<typeof posixHost>>, listener: number) {
  const client = posix.socket(PAIR_FAMILY, SOCK_TYPE.STREAM);
  const from = emptyAddress();
  const [accept, connect] = [watch(posix.accept(listener, from)), watch(posix.connect(client, at(7)))];
  await pass(CONNECT_US + 1);
  expect([accept.result! > client, connect.result, from.port]).toEqual([true, 0, 9]);
  return { client, server: accept.result! };
}
