import type { FaceHost } from '@softnet/contract';
import { ERRNO, POLL } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Descriptors } from './descriptors.ts';
import { OpenFile } from './open-file.ts';
import { PollWait } from './poll-files.ts';
import { Waiting } from './waiting.ts';

const HOST = { after: () => () => undefined } as unknown as FaceHost;

class Source extends OpenFile {
  items = 0;
  poll(): number {
    return this.items > 0 ? POLL.IN : 0;
  }
  protected release(): void {}
}

/** Waits for one item. @param inTheMidst what an attempt brings about. */
function waitFor(file: Source, inTheMidst: () => void = () => undefined) {
  const attempt = (): number => {
    if (file.items === 0) return -ERRNO.EAGAIN;
    file.items--;
    inTheMidst();
    return 1;
  };
  return new Waiting(HOST, file, { bits: POLL.IN, timeoutUs: 0, late: 0, signal: undefined, place: 'test' }, attempt).promise;
}

test('an attempt is not made again in its own midst, nor by who was served while others were told', async () => {
  const file = new Source();
  const calls = [waitFor(file, () => file.changed()), waitFor(file)];
  file.items = 4;
  file.changed();
  expect([await Promise.all(calls), file.items]).toEqual([[1, 1], 2]);
});

test('who waits for a file that its module has closed waits no more, though the file says nothing', async () => {
  const file = new Source();
  const call = waitFor(file);
  file.lost();
  expect(await call).toBe(-ERRNO.EBADF);
});

test('what poll has told stays, whatever comes while others are told', async () => {
  const [file, descriptors] = [new Source(), new Descriptors(4)];
  const items = [{ fd: descriptors.add(file, false), events: POLL.IN, revents: 0 }];
  // First in line: what it brings about reaches poll before the outer round does.
  void waitFor(file, () => file.changed());
  const call = new PollWait(HOST, descriptors, items, -1, undefined).promise;
  file.items = 2;
  file.watch({ changed: () => (file.items = 0), lost: () => undefined, closed: () => undefined });
  file.changed();
  expect([await call, items[0]!.revents]).toEqual([1, POLL.IN]);
});
