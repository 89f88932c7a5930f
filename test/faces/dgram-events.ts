import type { RemoteInfo, Socket, SocketType } from 'node:dgram';
import { once } from 'node:events';
import type { DgramFace } from '@softnet/node';

/** A socket that is bound; of a test that closes what it opens. */
export async function boundSocket(face: DgramFace, type: SocketType = 'udp4', address?: string): Promise<Socket> {
  const socket = face.createSocket(type);
  socket.bind(0, address ?? (type === 'udp4' ? '127.0.0.1' : '::1'));
  await once(socket, 'listening');
  return socket;
}

export async function nextMessage(socket: Socket): Promise<[string, RemoteInfo]> {
  const [message, info] = (await once(socket, 'message')) as [Buffer, RemoteInfo];
  return [message.toString(), info];
}

/** What `send` told its callback. */
export function sent(send: (callback: (error: Error | null, bytes: number) => void) => void): Promise<{ error: unknown; bytes: number }> {
  return new Promise((resolve) => send((error, bytes) => resolve({ error, bytes })));
}

/** Names of events in their order, as they come. */
export function heard(socket: NodeJS.EventEmitter, ...events: string[]): string[] {
  const names: string[] = [];
  for (const event of events) socket.on(event, () => names.push(event));
  return names;
}

/** Code, name and number of what was thrown. */
export function thrown(call: () => unknown): object {
  try {
    call();
  } catch (error) {
    return shape(error);
  }
  return { code: 'nothing was thrown' };
}

/** What programs look at in an error. */
export function shape(error: unknown): Record<string, unknown> {
  const { name, code, errno, syscall, address, port } = error as Record<string, unknown>;
  return { name, code, errno, syscall, address, port };
}

export async function closed(...sockets: Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
}
