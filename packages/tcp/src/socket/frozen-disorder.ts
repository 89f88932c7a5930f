import type { MemoryAccount, Plain, Port, Skb, SkbPool } from '@softnet/contract';
import type { SkbReader } from '@softnet/skb';
import { copyIn } from '@softnet/skb';
import type { Connection } from '../machine/connection.ts';
import { Disorder } from '../machine/disorder.ts';
import type { PlainRecord } from '../machine/plain-fields.ts';
import type { PayloadOwner } from '../machine/reassembly.ts';
import { chargeReceived } from '../segment/skb-charge.ts';

/** What came before its time, and what was said of it. */
export function freezeDisorder({ disorder }: Connection, reader: SkbReader): Plain {
  if (disorder === null) return null;
  const { queue, report } = disorder;
  const pieces: PlainRecord[] = [];
  for (let piece = queue.head; piece !== null; piece = piece.next) {
    const bytes = new Uint8Array((piece.end - piece.seq) | 0);
    if (!reader.open(piece.payload as Skb, piece.skipBytes, bytes.length)) continue;
    reader.copyOut(bytes, 0, bytes.length);
    pieces.push({ seq: piece.seq, bytes });
  }
  return { pieces, edges: [...report.edges], count: report.count, hasDuplicate: report.hasDuplicate };
}

/** A piece for which there is no memory is as if it had never come: its peer sends it again. */
export function thawDisorder(conn: Connection, frozen: Plain, owner: PayloadOwner, pool: Port<SkbPool>, account: MemoryAccount): void {
  if (frozen === null) return;
  const { pieces, edges, count, hasDuplicate } = frozen as PlainRecord;
  const disorder = new Disorder(owner);
  for (const piece of pieces as readonly PlainRecord[]) {
    const bytes = piece.bytes as Uint8Array;
    const skb = pool.current.alloc(0, 0);
    if (skb === null) break;
    if (!copyIn(skb, bytes)) {
      skb.memory.pool.release(skb);
      break;
    }
    account.add(skb.truesize);
    chargeReceived(conn.sock, skb);
    owner.keep(skb);
    const seq = piece.seq as number;
    disorder.queue.insert(seq, (seq + bytes.length) | 0, skb);
    owner.drop(skb);
  }
  disorder.report.edges.set(edges as readonly number[]);
  disorder.report.count = count as number;
  disorder.report.hasDuplicate = hasDuplicate as boolean;
  conn.disorder = disorder;
}
