import { isIP } from 'node:net';

/** One address of a name. */
export interface LookupAddress {
  address: string;
  family: number;
}

/** Answers a name, as `dns.lookup` does: with `all` by a list. */
export type LookupCallback = (error: Error | null, address?: string | LookupAddress[], family?: number) => void;

/** The same shape as `dns.lookup`: so a program can hand in its own resolver. @param options.family 0: either. */
export type LookupFunction = (
  hostname: string,
  options: { family?: number | undefined; all?: boolean | undefined; hints?: number | undefined },
  callback: LookupCallback,
) => void;

/** What names mean, as in /etc/hosts: `{ 'server.test': ['10.0.0.2', 'fd00::2'] }`. */
export type HostNames = Readonly<Record<string, string | readonly string[]>>;

/** Of libuv's numbers, which errors of names bear in Node. */
const EAI_NONAME = -3008;

/** A resolver that asks nobody: addresses, 'localhost', and a table. It answers in the next tick. */
export function tableLookup(names: HostNames = {}): LookupFunction {
  const table = new Map(Object.entries(names).map(([name, found]) => [name.toLowerCase(), [found].flat()]));
  if (!table.has('localhost')) table.set('localhost', ['127.0.0.1', '::1']);
  return (hostname, { family = 0, all = false }, callback) => {
    const isAddress = isIP(hostname) !== 0;
    const found = isAddress ? [hostname] : (table.get(hostname.toLowerCase()) ?? []);
    const fitting = found
      .map((address): LookupAddress => ({ address, family: isIP(address) }))
      .filter((each) => isAddress || family === 0 || each.family === family);
    process.nextTick(answer, hostname, fitting, all, callback);
  };
}

function answer(hostname: string, [...found]: LookupAddress[], all: boolean, callback: LookupCallback): void {
  if (found.length === 0) callback(notFound(hostname));
  else if (all) callback(null, found);
  else callback(null, found[0]!.address, found[0]!.family);
}

function notFound(hostname: string): Error {
  const sentence = 'it is not in `hosts` of createNode, which asks no server: add it there, or hand in a `lookup` of your own';
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}: ${sentence}`);
  return Object.assign(error, { errno: EAI_NONAME, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname });
}
