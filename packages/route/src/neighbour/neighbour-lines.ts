import type { Neighbour } from '@softnet/contract';
import { NEIGHBOUR_STATE } from '@softnet/contract';

const { NONE, INCOMPLETE, REACHABLE, FAILED, NOARP, PERMANENT } = NEIGHBOUR_STATE;

/** Neighbours in order of arrival, linked through themselves. */
class Line {
  count = 0;
  first: Neighbour | null = null;
  #last: Neighbour | null = null;

  append(neighbour: Neighbour): void {
    neighbour.line = this;
    neighbour.lineBefore = this.#last;
    neighbour.lineAfter = null;
    if (this.#last === null) this.first = neighbour;
    else this.#last.lineAfter = neighbour;
    this.#last = neighbour;
    this.count++;
  }

  remove(neighbour: Neighbour): void {
    const { lineBefore, lineAfter } = neighbour;
    if (lineBefore === null) this.first = lineAfter;
    else lineBefore.lineAfter = lineAfter;
    if (lineAfter === null) this.#last = lineBefore;
    else lineAfter.lineBefore = lineBefore;
    neighbour.line = null;
    neighbour.lineBefore = null;
    neighbour.lineAfter = null;
    this.count--;
  }
}

/** Of one device. */
interface Lines {
  /** Nothing waits for them. */
  readonly idle: Line;
  readonly asked: Line;
}

/**
 * Neighbours of a family that have never answered, or do not any more, by device: who goes first when the table is full. Whoever was
 * reachable once, was set by hand, or is a gateway stands in no line: no flood of strange addresses pushes him out (RFC 6583 §6.2).
 */
export class NeighbourLines {
  /** By ifindex. */
  readonly #devices = new Map<number, Lines>();

  /** It has another state, or something waits for it now, or it is a gateway. @param unproven it has not been confirmed yet. */
  place(neighbour: Neighbour, unproven: boolean = neighbour.line !== null): void {
    const line = this.#lineFor(neighbour, unproven);
    if (line === neighbour.line) return;
    this.remove(neighbour);
    line?.append(neighbour);
  }

  remove(neighbour: Neighbour): void {
    (neighbour.line as Line | null)?.remove(neighbour);
  }

  /** The device has gone, and its neighbours. */
  forget(ifindex: number): void {
    this.#devices.delete(ifindex);
  }

  /** The next to go: of the device that has most of them, so that a flood on one link is paid by that link. */
  get first(): Neighbour | null {
    let most: Lines | null = null;
    for (const lines of this.#devices.values()) if (most === null || sizeOf(lines) > sizeOf(most)) most = lines;
    return most?.idle.first ?? most?.asked.first ?? null;
  }

  /** For whom packets wait, the one that was asked for first; by device as {@link first}. */
  get firstAsked(): Neighbour | null {
    let most: Line | null = null;
    for (const { asked } of this.#devices.values()) if (asked.count > (most?.count ?? 0)) most = asked;
    return most?.first ?? null;
  }

  #lineFor(neighbour: Neighbour, unproven: boolean): Line | null {
    const { state, gatewayOf, queue } = neighbour;
    if (gatewayOf > 0 || state === REACHABLE || state === PERMANENT) return null;
    const { idle, asked } = this.#of(neighbour.device.ifindex);
    if (state === INCOMPLETE) return queue.lenPackets > 0 ? asked : idle;
    if (state === NONE || state === FAILED || state === NOARP) return idle;
    return unproven ? idle : null;
  }

  #of(ifindex: number): Lines {
    let lines = this.#devices.get(ifindex);
    if (lines === undefined) {
      lines = { idle: new Line(), asked: new Line() };
      this.#devices.set(ifindex, lines);
    }
    return lines;
  }
}

function sizeOf({ idle, asked }: Lines): number {
  return idle.count + asked.count;
}
