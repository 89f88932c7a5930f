/**
 * What happens to streams that want a port, step by step, and what Linux 6.18 answers to each step: `ok`, an errno's name, or a port.
 * `NAME socket 4|6 [A REUSEADDR, P REUSEPORT, V V6ONLY, N BIND_ADDRESS_NO_PORT, D bound to lo]`; ports count from a base, `@a` is a's; the only port that can be chosen is 5.
 */
type Row = readonly [what: string, steps: readonly (readonly [step: string, answer: string])[]];

const OK = (...steps: readonly string[]): [string, string][] => steps.map((step) => [step, 'ok']);
const IN_USE = (step: string): [string, string] => [step, 'EADDRINUSE'];
const NONE = (step: string): [string, string] => [step, 'EADDRNOTAVAIL'];

/** A listener at port 1, and another at port 2. */
const ONE = OK('l socket 4', 'l bind 127.0.0.1 1', 'l listen');
const TWO = [...ONE, ...OK('m socket 4', 'm bind 127.0.0.1 2', 'm listen')];
/** A connection of c to a listener l at port 1, accepted as k. */
const accepted = (options: string): [string, string][] =>
  OK(`l socket 4 ${options}`, 'l bind 127.0.0.1 1', 'l listen', 'c socket 4', 'c connect 127.0.0.1 1', 'l accept k');

export const STREAM_PORT_ROWS: readonly Row[] = [
  ['a child keeps others from its listener’s port', [...accepted(''), ...OK('l close', 'x socket 4 A'), IN_USE('x bind 127.0.0.1 1')]],
  [
    'but who says REUSEADDR, where it said so too, and other addresses',
    [
      ...accepted('A'),
      ...OK('l close', 'x socket 4', 'y socket 4 A', 'z socket 4'),
      IN_USE('x bind 127.0.0.1 1'),
      ...OK('z bind 127.0.0.2 1', 'y bind 127.0.0.1 1', 'y listen'),
    ],
  ],
  [
    'as long as its listener is there, nobody comes beside it',
    [...accepted('A'), ...OK('y socket 4 A', 'z socket 4 A'), IN_USE('y bind 127.0.0.1 1'), ...OK('z bind 127.0.0.2 1')],
  ],
  [
    'a TIME-WAIT keeps others from the port',
    [
      ...accepted(''),
      ...OK('k timewait c', 'l close', 'x socket 4', 'y socket 4 A', 'z socket 4 A'),
      IN_USE('x bind 127.0.0.1 1'),
      IN_USE('y bind 127.0.0.1 1'),
      ...OK('z bind 127.0.0.2 1'),
    ],
  ],
  [
    'but who says REUSEADDR, where it said so too',
    [
      ...accepted('A'),
      ...OK('k timewait c', 'l close', 'x socket 4', 'y socket 4 A'),
      IN_USE('x bind 127.0.0.1 1'),
      ...OK('y bind 127.0.0.1 1', 'y listen'),
    ],
  ],
  [
    'and REUSEPORT',
    [
      ...accepted('P'),
      ...OK('k timewait c', 'l close', 'x socket 4', 'y socket 4 P'),
      IN_USE('x bind 127.0.0.1 1'),
      ...OK('y bind 127.0.0.1 1', 'y listen'),
    ],
  ],
  [
    'a TIME-WAIT of a port that was chosen',
    [
      ...accepted('A'),
      ...OK('c timewait k', 'x socket 4', 'y socket 4 A', 'd socket 4'),
      NONE('d connect 127.0.0.1 1'),
      IN_USE('x bind 127.0.0.1 5'),
      IN_USE('y bind 127.0.0.1 5'),
    ],
  ],
  [
    'a TIME-WAIT leaves its flow to who is bound to its port',
    [
      ...ONE,
      ...OK('c socket 4 A', 'c bind 127.0.0.1 5', 'c connect 127.0.0.1 1', 'l accept k', 'c timewait k'),
      ...OK('d socket 4 A', 'd bind 127.0.0.1 5', 'd connect 127.0.0.1 1'),
    ],
  ],
  [
    'one port is chosen once to one peer',
    [...ONE, ...OK('c socket 4', 'd socket 4', 'c connect 127.0.0.1 1'), NONE('d connect 127.0.0.1 1')],
  ],
  [
    'and again to another',
    [...TWO, ...OK('c socket 4', 'd socket 4', 'c connect 127.0.0.1 1', 'd connect 127.0.0.1 2'), ['c port', '5'], ['d port', '5']],
  ],
  [
    'also of two families',
    [...ONE, ...OK('m socket 6 V', 'm bind ::1 1', 'm listen', 'c socket 4', 'c connect 127.0.0.1 1', 'd socket 6', 'd connect ::1 1')],
  ],
  [
    'one that bind chose is not chosen for connections',
    [...TWO, ...OK('c socket 4', 'd socket 4', 'c bind 127.0.0.1 0', 'c connect 127.0.0.1 1'), NONE('d connect 127.0.0.1 2')],
  ],
  [
    'nor one that bind named',
    [...TWO, ...OK('c socket 4', 'd socket 4', 'c bind 127.0.0.1 5', 'c connect 127.0.0.1 1'), NONE('d connect 127.0.0.1 2')],
  ],
  [
    'even by another address',
    [
      ...ONE,
      ...OK('c socket 4', 'd socket 4', 'e socket 4 N', 'c bind 127.0.0.2 5'),
      NONE('d connect 127.0.0.1 1'),
      ...OK('e bind 127.0.0.3 0'),
      NONE('e connect 127.0.0.1 1'),
    ],
  ],
  [
    'nor one of a listener, also of one of the other family',
    [...ONE, ...OK('x socket 6 V', 'x bind ::1 5', 'x listen', 'd socket 4'), NONE('d connect 127.0.0.1 1')],
  ],
  [
    'nor one of a child whose listener is gone',
    [
      ...ONE,
      ...OK('x socket 4', 'x bind 127.0.0.1 5', 'x listen', 'c socket 4', 'c bind 127.0.0.1 2', 'c connect 127.0.0.1 5', 'x accept k'),
      ...OK('x close', 'd socket 4'),
      NONE('d connect 127.0.0.1 1'),
    ],
  ],
  [
    'nor one of a TIME-WAIT that was bound',
    [
      ...TWO,
      ...OK('c socket 4', 'c bind 127.0.0.1 5', 'c connect 127.0.0.1 1', 'l accept k', 'c timewait k', 'd socket 4'),
      NONE('d connect 127.0.0.1 2'),
    ],
  ],
  [
    'when who was bound has gone, those for whom it was chosen share it again',
    [
      ...TWO,
      ...OK('c socket 4', 'b socket 4', 'd socket 4', 'c connect 127.0.0.1 1', 'b bind 127.0.0.2 5'),
      NONE('d connect 127.0.0.1 2'),
      ...OK('b close', 'd connect 127.0.0.1 2'),
    ],
  ],
  [
    'IP_BIND_ADDRESS_NO_PORT: the port comes with the connection, and is shared',
    [
      ...ONE,
      ...OK('c socket 4 N', 'c bind 127.0.0.2 0', 'c connect 127.0.0.1 1', 'd socket 4 N', 'd bind 127.0.0.3 0', 'd connect 127.0.0.1 1'),
      ['c port', '5'],
      ['d port', '5'],
      ...OK('e socket 4 N', 'e bind 127.0.0.2 0'),
      NONE('e connect 127.0.0.1 1'),
    ],
  ],
  ...['', 'A', 'P'].map(
    (options): Row => [
      `where bind chooses, nobody shares what may be meant by others, whatever he says: ${options}`,
      [
        ...OK(`a socket 4 ${options}`, `b socket 4 ${options}`, `c socket 4 ${options}`, `d socket 4 ${options}`, 'a bind 127.0.0.1 0'),
        IN_USE('b bind 127.0.0.1 0'),
        ...OK('c bind 127.0.0.2 0'),
        IN_USE('d bind 0.0.0.0 0'),
      ],
    ],
  ),
  ...['', 'A', 'P'].map(
    (options): Row => [
      `the same where listen chooses: ${options}`,
      [...OK(`a socket 4 ${options}`, `b socket 4 ${options}`, 'a listen'), IN_USE('b listen'), ['a port', '5']],
    ],
  ),
  [
    'beside a connection for which it was chosen, neither',
    [...accepted('A'), ...OK('b socket 4', 'd socket 4 A'), IN_USE('b listen'), IN_USE('d listen'), IN_USE('d bind 127.0.0.1 0')],
  ],
  [
    'of both families',
    [
      ...OK('a socket 4', 'a bind 127.0.0.1 0', 'b socket 6 V', 'b bind :: 0', 'c socket 6', 'd socket 6'),
      IN_USE('c bind ::1 0'),
      IN_USE('d bind :: 0'),
    ],
  ],
  [
    'two that are bound with REUSEADDR connect to two, and not to one',
    [
      ...TWO,
      ...OK('a socket 4 A', 'a bind 127.0.0.1 5', 'b socket 4 A', 'b bind 0.0.0.0 5', 'a connect 127.0.0.1 1'),
      NONE('b connect 127.0.0.1 1'),
      ...OK('b connect 127.0.0.1 2'),
    ],
  ],
  [
    'of two that are bound with REUSEADDR one listens, until it is closed',
    [
      ...OK('a socket 4 A', 'a bind 127.0.0.1 5', 'b socket 4 A', 'b bind 0.0.0.0 5', 'a listen'),
      IN_USE('b listen'),
      ...OK('a listen', 'a close', 'b listen'),
    ],
  ],
  [
    'it listens beside one that has a peer',
    [...ONE, ...OK('a socket 4 A', 'a bind 127.0.0.1 5', 'b socket 4 A', 'b bind 127.0.0.1 5', 'a connect 127.0.0.1 1', 'b listen')],
  ],
  [
    'what both say now counts, not what they said at bind',
    [
      ...OK('a socket 4', 'a bind 127.0.0.1 5', 'b socket 4 A'),
      IN_USE('b bind 127.0.0.1 5'),
      ...OK('a reuse 1', 'b bind 127.0.0.1 5', 'a reuse 0', 'c socket 4 A'),
      IN_USE('c bind 127.0.0.1 5'),
    ],
  ],
  [
    'a connect that is refused keeps a port that was named',
    [
      ...OK('a socket 4', 'b socket 4', 'a bind 127.0.0.1 5'),
      ['a connect 127.0.0.1 3', 'ECONNREFUSED'],
      ['a port', '5'],
      IN_USE('b bind 127.0.0.1 5'),
    ],
  ],
  [
    'and gives others back',
    [
      ...OK('a socket 4', 'b socket 4', 'c socket 4', 'a bind 127.0.0.1 0'),
      ['a connect 127.0.0.1 3', 'ECONNREFUSED'],
      ['b connect 127.0.0.1 3', 'ECONNREFUSED'],
      ...OK('c bind 127.0.0.1 5'),
    ],
  ],
  [
    'a listener that is shut keeps a port that was named',
    [...OK('a socket 4', 'b socket 4', 'a bind 127.0.0.1 5', 'a listen', 'a shut'), IN_USE('b bind 127.0.0.1 5'), ...OK('a listen')],
  ],
  ['and gives others back', OK('a socket 4', 'b socket 4', 'a listen', 'a shut', 'b bind 127.0.0.1 5')],
  [
    'a child of a dual-stack listener is IPv4’s',
    [
      ...OK('l socket 6 A', 'l bind :: 1', 'l listen', 'c socket 4', 'c connect 127.0.0.1 1', 'l accept k', 'l close'),
      ...OK('x socket 4', 'y socket 4 A', 'z socket 6 V'),
      IN_USE('x bind 127.0.0.1 1'),
      ...OK('y bind 127.0.0.1 1', 'z bind :: 1'),
    ],
  ],
  ['it connects to itself', OK('a socket 4', 'a bind 127.0.0.1 5', 'a connect 127.0.0.1 5')],
  [
    'REUSEADDR and REUSEPORT together',
    [
      ...OK('a socket 4 AP', 'b socket 4 A', 'c socket 4 P', 'd socket 4 AP', 'a bind 127.0.0.1 5', 'a listen'),
      IN_USE('b bind 127.0.0.1 5'),
      ...OK('c bind 127.0.0.1 5', 'c listen', 'd bind 127.0.0.1 5', 'd listen'),
    ],
  ],
  [
    'who is bound with REUSEADDR alone does not listen beside a group of REUSEPORT',
    [
      ...OK('b socket 4 A', 'b bind 127.0.0.1 5', 'c socket 4 AP', 'c bind 127.0.0.1 5', 'c listen', 'd socket 4 AP'),
      IN_USE('b listen'),
      ...OK('d bind 127.0.0.1 5'),
    ],
  ],
  [
    'one that is bound to an interface is in the way of those that are not',
    [...OK('a socket 4 D', 'b socket 4', 'c socket 4', 'a bind 127.0.0.1 5'), IN_USE('b bind 127.0.0.1 5'), ...OK('c bind 127.0.0.2 5')],
  ],
];
