import type { Skb } from '@softnet/contract';
import { ModuleFault } from '@softnet/contract';
import { STACKS } from './debug.ts';

/** What a debug build knows of one record. */
class Note {
  /** Who owns the packet; '': nobody has said so. */
  owner = '';
  /** Who passed it on last; '': nobody. */
  passedBy = '';
  /** It was freed, and by whom; '': by somebody who never claimed it. */
  isFreed = false;
  freedBy = '';
  /** Where, when stacks are kept. */
  stack = '';
}

/** The note hangs on the record itself, from before anybody sees it, so that all records are of one shape: half of what a WeakMap costs. */
const NOTE = Symbol('skb.note');
interface Noted {
  [NOTE]?: Note;
}

/** Who owns which packet, in a debug build (row S2). Records are recycled, so nothing is allocated once all were seen. */
export class Ledger {
  /** @throws ModuleFault naming both when somebody else owns it, or when it is freed. */
  claim(skb: Skb, place: string): void {
    const note = this.#of(skb);
    if (note.isFreed) throw fault(`${place} takes a packet that is freed already (${howFreed(note)})`);
    if (note.owner !== '') throw fault(`${place} takes a packet that ${note.owner} still owns`);
    note.owner = place;
  }

  /** @throws ModuleFault naming both when `place` does not own it. */
  passOn(skb: Skb, place: string): void {
    const note = this.#of(skb);
    if (note.isFreed) throw fault(`${place} passes on a packet that is freed already (${howFreed(note)})`);
    if (note.owner !== place)
      throw fault(`${place} passes on a packet that ${note.owner === '' ? 'nobody has claimed' : `${note.owner} owns`}`);
    note.owner = '';
    note.passedBy = place;
  }

  /** It was handed out: it must be as it was when it was freed. */
  taken(skb: Skb): void {
    const note = this.#of(skb);
    const { data, tail, len, next, fragments, sock } = skb;
    const touched = data !== -1 || tail !== -1 || len !== 0 || next !== null || fragments !== null || sock !== null;
    if (touched && note.isFreed) throw fault(`a packet was written to after it was freed (${howFreed(note)})`);
    note.owner = '';
    note.passedBy = '';
    note.isFreed = false;
  }

  freed(skb: Skb): void {
    const note = this.#of(skb);
    note.isFreed = true;
    note.freedBy = note.owner;
    if (STACKS) note.stack = new Error('here').stack ?? '';
    note.owner = '';
  }

  /** How it was freed, for the message of who frees it again. */
  whenFreed(skb: Skb): string {
    return howFreed(this.#of(skb));
  }

  #of(skb: Skb & Noted): Note {
    const note = skb[NOTE];
    if (note !== undefined) return note;
    const made = new Note();
    skb[NOTE] = made;
    return made;
  }
}

function howFreed({ isFreed, freedBy, passedBy, stack }: Note): string {
  if (!isFreed) return '';
  const who = `by ${freedBy || (passedBy === '' ? 'who never claimed it' : `who had it from ${passedBy}`)}`;
  return STACKS ? `${who}, ${stack}` : who;
}

/** A bug with packets, at the culprit. */
export function fault(sentence: string): ModuleFault {
  return new ModuleFault('skb', sentence);
}
