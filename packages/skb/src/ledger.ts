import type { Skb } from '@softnet/contract';
import { ModuleFault } from '@softnet/contract';
import { STACKS } from './debug.ts';

/** What a debug build knows of one record. */
class Note {
  /** Who owns the packet; '': nobody has said so. */
  owner = '';
  /** Who owned it when it was freed; '': it is out. */
  freed = '';
}

/** Who owns which packet, in a debug build (row S2). Records are recycled, so nothing is allocated once all were seen. */
export class Ledger {
  readonly #notes = new WeakMap<Skb, Note>();

  /** @throws ModuleFault naming both when somebody else owns it, or when it is freed. */
  claim(skb: Skb, place: string): void {
    const note = this.#of(skb);
    if (note.freed !== '') throw fault(`${place} takes a packet that is freed already (${note.freed})`);
    if (note.owner !== '') throw fault(`${place} takes a packet that ${note.owner} still owns`);
    note.owner = place;
  }

  /** @throws ModuleFault naming both when `place` does not own it. */
  passOn(skb: Skb, place: string): void {
    const note = this.#of(skb);
    if (note.freed !== '') throw fault(`${place} passes on a packet that is freed already (${note.freed})`);
    if (note.owner !== place)
      throw fault(`${place} passes on a packet that ${note.owner === '' ? 'nobody has claimed' : `${note.owner} owns`}`);
    note.owner = '';
  }

  /** It was handed out: it must be as it was when it was freed. */
  taken(skb: Skb): void {
    const note = this.#of(skb);
    const { data, tail, len, next, fragments, sock } = skb;
    const touched = data !== -1 || tail !== -1 || len !== 0 || next !== null || fragments !== null || sock !== null;
    if (touched && note.freed !== '') throw fault(`a packet was written to after it was freed (${note.freed})`);
    note.owner = '';
    note.freed = '';
  }

  freed(skb: Skb): void {
    const note = this.#of(skb);
    note.freed = note.owner === '' ? 'by who never claimed it' : `by ${note.owner}`;
    if (STACKS) note.freed += `, ${new Error('here').stack ?? ''}`;
    note.owner = '';
  }

  /** How it was freed, for the message of who frees it again. */
  whenFreed(skb: Skb): string {
    return this.#of(skb).freed;
  }

  #of(skb: Skb): Note {
    const note = this.#notes.get(skb);
    if (note !== undefined) return note;
    const made = new Note();
    this.#notes.set(skb, made);
    return made;
  }
}

/** A bug with packets, at the culprit. */
export function fault(sentence: string): ModuleFault {
  return new ModuleFault('skb', sentence);
}
