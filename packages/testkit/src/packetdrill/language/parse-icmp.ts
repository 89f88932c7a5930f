import type { Cursor } from './cursor.ts';
import { ICMP_WORDS, wordsOf } from './icmp-words.ts';
import type { IcmpSpec, QuotedSpec, SeqSpec } from './packet-spec.ts';

/** Behind `icmp` or `icmpv6`: type, code, `mtu`, `id`, `seq`, the quoted packet, bytes. @throws ScriptSyntaxError */
export function parseIcmp(cursor: Cursor, version: 4 | 6): IcmpSpec {
  const type = parseType(cursor, version);
  const code = parseCode(cursor, version, type);
  const fields: Record<'mtu' | 'id' | 'seq', number | null> = { mtu: null, id: null, seq: null };
  for (;;) {
    const name = (['mtu', 'id', 'seq'] as const).find((each) => fields[each] === null && cursor.word(each));
    if (name === undefined) break;
    fields[name] = cursor.integer(`the ${name}`, name === 'mtu' ? 0xffffffff : 0xffff);
  }
  const quoted = cursor.sign('[') ? parseQuoted(cursor) : null;
  let lenBytes: number | null = null;
  if (cursor.sign('(')) {
    lenBytes = cursor.integer('a number of bytes', 65_507);
    cursor.expect(')');
  }
  return { kind: 'icmp', version, type, code, ...fields, lenBytes, quoted };
}

function parseType(cursor: Cursor, version: 4 | 6): string | number {
  const name = cursor.peekWord();
  if (name !== '' && wordsOf(version, name) !== null) return cursor.name('');
  return cursor.integer(`an ICMP type: ${Object.keys(ICMP_WORDS[version]).join(', ')}, or a number`, 255);
}

function parseCode(cursor: Cursor, version: 4 | 6, type: string | number): string | number | null {
  if (!cursor.isOnLine || /[[(]/.test(cursor.text.charAt(cursor.offset)) || cursor.atEnd) return null;
  const name = cursor.peekWord();
  if (name === '') return cursor.integer('an ICMP code', 255);
  const codes = typeof type === 'string' ? Object.keys(wordsOf(version, type)!.codes) : [];
  if (codes.includes(name)) return cursor.name('');
  return ['mtu', 'id', 'seq'].includes(name) ? null : cursor.fail(`a code of ${type}: ${codes.join(', ') || 'a number'}`);
}

/** Behind the bracket: `udp (1000)`, or `1:1001(1000)` of TCP. */
function parseQuoted(cursor: Cursor): QuotedSpec {
  if (cursor.word('udp')) {
    cursor.expect('(');
    const lenBytes = cursor.integer('a number of bytes', 65_507);
    cursor.expect(')');
    cursor.expect(']');
    return { protocol: 'udp', lenBytes };
  }
  cursor.word('tcp');
  const seq = parseSeq(cursor);
  cursor.expect(']');
  return { protocol: 'tcp', ...seq };
}

/** `seq:end(len)`. @throws ScriptSyntaxError, also where `end` is not `seq + len`. */
export function parseSeq(cursor: Cursor): SeqSpec {
  const seq = cursor.integer('a sequence number');
  cursor.expect(':');
  const end = cursor.integer('the sequence number behind the segment');
  cursor.expect('(');
  const lenBytes = cursor.integer('a number of bytes', 0xffff);
  if ((seq + lenBytes) >>> 0 !== end) cursor.fail(`${(end - seq) >>> 0} bytes, as ${seq}:${end} says, in the place of ${lenBytes}`);
  cursor.expect(')');
  return { seq, end, lenBytes };
}
