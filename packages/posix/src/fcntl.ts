import { ERRNO } from '@softnet/contract';
import type { Descriptors } from './descriptors.ts';
import { FCNTL, FILE_NAMES } from './names/file-names.ts';

const { O_RDWR, O_NONBLOCK, FD_CLOEXEC } = FILE_NAMES;

/** F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL (of which O_NONBLOCK alone can be changed). -EBADF, -EMFILE; -EINVAL: others, F_SETOWN and F_SETSIG among them. */
export function fcntl(descriptors: Descriptors, fd: number, command: number, argument: number): number {
  const file = descriptors.file(fd);
  if (file === null) return -ERRNO.EBADF;
  switch (command) {
    case FCNTL.DUPFD:
    case FCNTL.DUPFD_CLOEXEC:
      return descriptors.add(file, command === FCNTL.DUPFD_CLOEXEC, argument);
    case FCNTL.GETFD:
      return descriptors.closesOnExec(fd) ? FD_CLOEXEC : 0;
    case FCNTL.SETFD:
      descriptors.setClosesOnExec(fd, (argument & FD_CLOEXEC) !== 0);
      return 0;
    case FCNTL.GETFL:
      return file.nonBlocking ? O_RDWR | O_NONBLOCK : O_RDWR;
    case FCNTL.SETFL:
      file.nonBlocking = (argument & O_NONBLOCK) !== 0;
      return 0;
    // Nobody is told by signals.
    case FCNTL.GETOWN:
    case FCNTL.GETSIG:
      return 0;
    default:
      return -ERRNO.EINVAL;
  }
}
