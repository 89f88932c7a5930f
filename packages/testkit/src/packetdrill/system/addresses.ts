import type { SockAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, SockAddress as Address, IPV4_WORD2 } from '@softnet/contract';
import { formatAddress, ipv4Words, parseAddress } from '@softnet/wire';
import type { Expression, RecordField } from '../language/expression.ts';
import type { ScriptConfig } from '../run/script-config.ts';
import { numberOf } from './evaluate.ts';
import { encode, LAYOUTS } from './layouts.ts';
import { ScriptFailure } from './script-failure.ts';

/** An end as calls take it, of text and port. @param domain AF_INET, or AF_INET6: an IPv4 address is mapped then. */
function endOf(text: string, port: number, domain: number): SockAddress {
  const address = new Address();
  const { words, family } = parseAddress(text)!;
  address.family = domain;
  [address.address0, address.address1, address.address2, address.address3] = words;
  // ::ffff:a.b.c.d; the contract's words of IPv4 are the same.
  if (family === ADDRESS_FAMILY.INET && domain === ADDRESS_FAMILY.INET6) address.address2 = IPV4_WORD2;
  address.port = port;
  return address;
}

/** A `sockaddr` as a script writes it; `...`: the address given. @throws ScriptFailure */
export function addressOf(expression: Expression, usual: SockAddress): SockAddress {
  if (expression.kind === 'ellipsis') return usual;
  if (expression.kind !== 'record') throw new ScriptFailure("a struct sockaddr in braces, or '...', is expected");
  const fields = expression.fields.map(namedByPointer);
  const isIpv6 = fields.some(({ name }) => name?.startsWith('sin6_'));
  const bytes = encode(fields, isIpv6 ? LAYOUTS.sockaddrIn6 : LAYOUTS.sockaddrIn);
  const view = new DataView(bytes.buffer);
  const address = new Address();
  address.family = view.getUint16(0, true);
  address.port = view.getUint16(2);
  if (isIpv6) {
    [address.address0, address.address1, address.address2, address.address3] = [8, 12, 16, 20].map((at) => view.getInt32(at)) as [
      number,
      number,
      number,
      number,
    ];
    address.ifindex = view.getUint32(24, true);
  } else [address.address0, address.address1, address.address2, address.address3] = ipv4Words(view.getInt32(4));
  return address;
}

/** `inet_pton(AF_INET6, "::1", &sin6_addr)` is a field by its last argument. */
function namedByPointer(field: RecordField): RecordField {
  const { name, value } = field;
  const last = value.kind === 'call' && value.name === 'inet_pton' ? value.args.at(2) : undefined;
  if (name !== null || last?.kind !== 'unary' || last.operand.kind !== 'name') return field;
  return { ...field, name: last.operand.name };
}

/** Compares an address that a call gave with what the script says; `...` is any. @throws ScriptFailure */
export function checkAddress(actual: SockAddress | null, expression: Expression | undefined, what: string): void {
  if (expression === undefined || expression.kind === 'ellipsis') return;
  const expected = addressOf(expression, new Address());
  const [is, wanted] = [actual === null ? 'none' : showEnd(actual), showEnd(expected)];
  if (is !== wanted) throw new ScriptFailure(`${what} is ${is}, not ${wanted}`);
}

function showEnd({ family, address0, address1, address2, address3, port }: SockAddress): string {
  return `family ${family} ${formatAddress(family, address0, address1, address2, address3)} port ${port}`;
}

/** Compares the length of an address that a call gave, `[16]`. @throws ScriptFailure */
export function checkAddressLength(actual: SockAddress | null, expression: Expression | undefined): void {
  if (expression === undefined || expression.kind !== 'list' || expression.items.length !== 1) return;
  const expected = numberOf(expression.items[0]!);
  const lenBytes = actual === null ? 0 : actual.family === ADDRESS_FAMILY.INET6 ? LAYOUTS.sockaddrIn6.bytes : LAYOUTS.sockaddrIn.bytes;
  if (lenBytes !== expected) throw new ScriptFailure(`the address has ${lenBytes} bytes, not ${expected}`);
}

/** What `...` stands for in bind, and in connect and its kin. */
export function usualLocal({ localIp, bindPort, domain }: ScriptConfig): SockAddress {
  return endOf(localIp, bindPort, domain);
}

export function usualRemote({ remoteIp, connectPort, domain }: ScriptConfig): SockAddress {
  return endOf(remoteIp, connectPort, domain);
}
