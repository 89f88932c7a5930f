import { getEventListeners } from 'node:events';
import type { FaceHost } from '@softnet/contract';
import { ERRNO, POLL } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Descriptors } from './descriptors.ts';
import { EpollFile } from './epoll-file.ts';
import type { FileWatcher } from './open-file.ts';
import { OpenFile } from './open-file.ts';
import { PollWait, pollNow } from './poll-files.ts';
import { Waiting } from './waiting.ts';

const HOST = { after: () => () => undefined } as unknown as FaceHost;

class Source extends OpenFile {
  items = 0;
  readonly watching = new Set<FileWatcher>();
  override watch(watcher: FileWatcher): void {
    super.watch(watcher);
    this.watching.add(watcher);
  }
  override unwatch(watcher: FileWatcher): void {
    super.unwatch(watcher);
    this.watching.delete(watcher);
  }
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
  const call = new PollWait(HOST, [file], () => pollNow(descriptors, items), null, undefined).promise;
  file.items = 2;
  const eater: FileWatcher = {
    changed: () => {
      file.items = 0;
      return false;
    },
    lost: () => undefined,
    closed: () => undefined,
  };
  file.watch(eater);
  file.changed();
  expect([await call, items[0]!.revents]).toEqual([1, POLL.IN]);
});

test('a wait that is over leaves no timer, no listener and no watcher, however it ends', async () => {
  const timers = new Set<() => void>();
  const after = (_delayUs: number, then: () => void): (() => void) => {
    timers.add(then);
    return () => timers.delete(then);
  };
  const host = { after } as unknown as FaceHost;
  const ends: Record<string, (file: Source, abort: AbortController) => void> = {
    done: (file) => {
      file.items = 1;
      file.changed();
    },
    late: () => {
      for (const then of [...timers]) then();
    },
    interrupted: (_file, abort) => abort.abort(),
    closed: (file) => file.close(),
    lost: (file) => file.lost(),
  };
  for (const [name, end] of Object.entries(ends)) {
    const [file, abort, descriptors] = [new Source(), new AbortController(), new Descriptors(4)];
    const terms = { bits: POLL.IN, timeoutUs: 5, late: 0, signal: abort.signal, place: 'test' };
    const call = new Waiting(host, file, terms, () => (file.items > 0 ? 1 : -ERRNO.EAGAIN)).promise;
    const items = [{ fd: descriptors.add(file, false), events: POLL.IN, revents: 0 }];
    const polled = new PollWait(host, [file], () => pollNow(descriptors, items), 5, abort.signal).promise;
    const left = (): number[] => [timers.size, getEventListeners(abort.signal, 'abort').length, file.watching.size];
    expect(left()).toEqual([2, 2, 2]);
    end(file, abort);
    // Nothing is to be told of a file but by its descriptor: closed or lost by force, poll waits on for it.
    if (name === 'closed' || name === 'lost') abort.abort();
    expect([name, ...left()]).toEqual([name, 0, 0, 0]);
    await Promise.all([call, polled]);
  }
});

test('epoll that is closed, or told to, watches no file any more', () => {
  const [file, epoll] = [new Source(), new EpollFile()];
  const event = { events: POLL.IN, data: 0 };
  expect([epoll.control(1, 5, file, event), epoll.control(1, 6, file, event), file.watching.size]).toEqual([0, 0, 2]);
  expect([epoll.control(2, 5, file, null), file.watching.size]).toEqual([0, 1]);
  epoll.close();
  expect(file.watching.size).toBe(0);
});
