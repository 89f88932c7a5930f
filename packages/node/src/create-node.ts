import type * as dgram from 'node:dgram';
import type { FaceHost } from '@softnet/contract';
import { DgramSocket } from './dgram/dgram-socket.ts';
import type { NodeOptions } from './endpoint/node-host.ts';
import { NodeHost } from './endpoint/node-host.ts';

/** What is in node:dgram. */
export interface DgramFace {
  readonly createSocket: typeof dgram.createSocket;
}

/** Node's own modules, over a kernel. */
export interface NodeFaces {
  readonly dgram: DgramFace;
}

/** Node's network modules over a kernel: `const { dgram, net } = createNode(kernel)`, in the place of `import dgram from 'node:dgram'`. */
export function createNode(face: FaceHost, options: NodeOptions = {}): NodeFaces {
  const host = new NodeHost(face, options);
  const createSocket = (type: unknown, listener?: unknown): DgramSocket => new DgramSocket(host, type, listener);
  return { dgram: { createSocket: createSocket as unknown as typeof dgram.createSocket } };
}
