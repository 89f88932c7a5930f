/** Who owns a packet on netdev's ways, as a debug build names it (row S2). Hooks, taps' clones, layers have names of their own, or none. */
export const PLACE = Object.freeze({
  /** From the one who sends it to the egress hooks. */
  TRANSMIT: 'netdev.transmit',
  /** In a qdisc. */
  QUEUE: 'netdev.queue',
  /** Behind it: prepared, not yet the driver's. */
  SEND: 'netdev.send',
  /** Until it frees it, or passes it on. */
  DRIVER: 'driver',
  /** From the driver's poll to taps and ingress hooks: held for merging, too. */
  RECEIVE: 'netdev.receive',
  /** From the ingress hooks to the handler of the ethertype. */
  DELIVER: 'netdev.deliver',
  BACKLOG: 'netdev.backlog',
} as const);
