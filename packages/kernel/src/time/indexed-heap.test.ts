import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedHeap } from './indexed-heap.ts';

interface Item {
  readonly id: number;
  key: number;
  heapAt: number;
}

type Step = { readonly kind: 'add' | 'update' | 'remove' | 'pop'; readonly pick: number; readonly key: number };

const steps = fc.array(
  fc.record<Step>({ kind: fc.constantFrom('add', 'add', 'update', 'remove', 'pop'), pick: fc.nat(), key: fc.nat(20) }),
  { maxLength: 200 },
);

const before = (a: Item, b: Item) => a.key < b.key || (a.key === b.key && a.id < b.id);

describe('IndexedHeap', () => {
  it('has the first of a sorted list on top, whatever is added, moved and removed', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const heap = new IndexedHeap<Item>(before);
        const model: Item[] = [];
        for (const [id, step] of sequence.entries()) apply(heap, model, id, step);
        const drained: number[] = [];
        for (let top = heap.top; top !== undefined; top = heap.top) {
          drained.push(top.id);
          heap.remove(top);
        }
        expect(drained).toEqual(model.map((item) => item.id));
      }),
    );
  });

  it('takes no notice of an item that left it', () => {
    const heap = new IndexedHeap<Item>(before);
    const [a, b] = [1, 2].map((id) => ({ id, key: id, heapAt: -1 })) as [Item, Item];
    heap.add(a);
    heap.add(b);
    heap.remove(b);
    b.key = 5;
    heap.update(b);
    expect([heap.top, heap.size, a.heapAt, b.heapAt]).toEqual([a, 1, 0, -1]);
  });
});

function apply(heap: IndexedHeap<Item>, model: Item[], id: number, { kind, pick, key }: Step): void {
  const at = kind === 'pop' ? 0 : pick % Math.max(model.length, 1);
  const item = model[at];
  if (kind === 'add' || item === undefined) {
    const added = { id, key, heapAt: -1 };
    heap.add(added);
    model.push(added);
  } else if (kind === 'update') {
    item.key = key;
    heap.update(item);
  } else {
    heap.remove(item);
    model.splice(at, 1);
    expect(item.heapAt).toBe(-1);
  }
  model.sort((a, b) => (before(a, b) ? -1 : 1));
  expect(heap.top).toBe(model[0]);
  expect(heap.size).toBe(model.length);
}
