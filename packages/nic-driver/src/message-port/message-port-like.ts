/** Says something: the browser's objects do. */
interface EventTargetLike {
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void;
  removeEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void;
}
/** Says something: Node's objects do. */
interface EmitterLike {
  on(type: string, listener: (value: unknown) => void): unknown;
  off(type: string, listener: (value: unknown) => void): unknown;
}

/** Something that messages go through, both ways: a MessagePort, a Worker, a worker's own scope or `parentPort`; in a browser and in Node. */
export interface MessagePortLike extends Partial<EventTargetLike>, Partial<EmitterLike> {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Of a MessagePort: begins to hand out messages. */
  start?(): void;
}

/** Who hears a port. */
export interface PortListener {
  message(message: unknown): void;
  /** It has ended: closed by anybody, or its thread is over. Browsers may not say so. */
  closed(): void;
}

export function isMessagePortLike(port: unknown): port is MessagePortLike {
  if (typeof port !== 'object' || port === null) return false;
  const { postMessage, addEventListener, on } = port as Partial<MessagePortLike>;
  return typeof postMessage === 'function' && (typeof addEventListener === 'function' || typeof on === 'function');
}

/** Begins to hear a port. Returns how to end it. */
export function listen(port: MessagePortLike, listener: PortListener): () => void {
  const hears = (event: { readonly data?: unknown }): void => listener.message(event.data);
  const takes = (message: unknown): void => listener.message(message);
  // What could not be read on this side is no message of ours.
  const fails = (): void => listener.message(null);
  const ends = (): void => listener.closed();
  if (port.addEventListener !== undefined) {
    const on = [
      ['message', hears],
      ['messageerror', fails],
      ['close', ends],
    ] as const;
    for (const [type, act] of on) port.addEventListener(type, act);
    port.start?.();
    return () => {
      for (const [type, act] of on) port.removeEventListener?.(type, act);
    };
  }
  const on = [
    ['message', takes],
    ['messageerror', fails],
    ['close', ends],
    ['exit', ends],
  ] as const;
  for (const [type, act] of on) port.on?.(type, act);
  return () => {
    for (const [type, act] of on) port.off?.(type, act);
  };
}
