import type { Plain, SockCommon, SockOps } from '@softnet/contract';
import { IP_PROTOCOL, SOCK_FLAG, SockCommon as Sock, SockOptions } from '@softnet/contract';
import type { PlainRecord } from '../machine/plain-fields.ts';
import { fillFields, plainFields } from '../machine/plain-fields.ts';

const ENDS = ['local0', 'local1', 'local2', 'local3', 'remote0', 'remote1', 'remote2', 'remote3', 'localPort', 'remotePort'] as const;
const OTHERS = ['family', 'state', 'ifindex', 'flags', 'error'] as const;

/** What a socket is beside its protocol's own: its ends, options, flags. Filters and memberships, which are code and other modules' objects, end with it. */
export function freezeSocket(sock: SockCommon): PlainRecord {
  const fields = Object.fromEntries([...ENDS, ...OTHERS].map((name) => [name, sock[name]]));
  return {
    ...fields,
    isFound: sock.hash !== 0,
    hasPort: (sock.flags & SOCK_FLAG.PORT_CLAIMED) !== 0,
    options: freezeOptions(sock.options),
  };
}

/** It claims nothing yet. */
export function thawSocket(ops: SockOps, frozen: PlainRecord): SockCommon {
  const sock = new Sock(ops);
  sock.protocol = IP_PROTOCOL.TCP;
  for (const name of [...ENDS, ...OTHERS]) sock[name] = frozen[name] as number;
  sock.flags &= ~SOCK_FLAG.PORT_CLAIMED;
  sock.options = thawOptions(frozen.options ?? null);
  return sock;
}

function freezeOptions(options: SockOptions | null): Plain {
  if (options === null) return null;
  const { layer, mappedLayer } = options;
  return {
    ...plainFields(options),
    layer: layer === null ? null : plainFields(layer),
    mappedLayer: mappedLayer === null ? null : plainFields(mappedLayer),
  };
}

function thawOptions(frozen: Plain): SockOptions | null {
  if (frozen === null) return null;
  const { layer, mappedLayer, ...fields } = frozen as PlainRecord;
  const options = new SockOptions();
  fillFields(options, fields);
  // Fields only: whichever build of a layer made them.
  options.layer = layer === undefined || layer === null ? null : { ...(layer as PlainRecord) };
  options.mappedLayer = mappedLayer === undefined || mappedLayer === null ? null : { ...(mappedLayer as PlainRecord) };
  return options;
}
