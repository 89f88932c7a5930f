/** A stream that wants a port. @param flags 1 REUSEADDR, 2 REUSEPORT, 4 V6ONLY. @param device 1: it is bound to lo. */
export type StreamSpec = readonly [family: 4 | 6, address: string, flags: number, device: 0 | 1];

const [REUSEPORT, V6ONLY] = [2, 4] as const;

const ADDRESSES = [
  [4, '0.0.0.0'],
  [4, '127.0.0.1'],
  [6, '::'],
  [6, '::1'],
  [6, '::ffff:127.0.0.1'],
] as const;

/** Whom connections are made to, where both have the port. */
export const STREAM_DESTINATIONS = [
  [4, '127.0.0.1'],
  [4, '127.0.0.2'],
  [6, '::1'],
] as const;

export const STREAM_SPECS: readonly StreamSpec[] = ADDRESSES.flatMap(([family, address]) =>
  [0, 1, 2, 3, 4, 5, 6, 7]
    .filter((flags) => (flags & V6ONLY) === 0 || (family === 6 && !address.includes('.')))
    .flatMap((flags) => ([0, 1] as const).map((device): StreamSpec => [family, address, flags, device])),
);

/** Both listen, and share what comes by the flow's hash. */
function isGroup(one: StreamSpec, two: StreamSpec): boolean {
  return (
    (one[2] & two[2] & REUSEPORT) !== 0 && one[0] === two[0] && one[1] === two[1] && one[3] === two[3] && ((one[2] ^ two[2]) & V6ONLY) === 0
  );
}

/**
 * DEVIATION: of listeners Linux takes the first REUSEPORT group that it meets, and meets IPv6's last; so it depends on who came first whether one goes before those
 * that are bound to the interface. Here it never does, and of equals the last that came is found, whatever its flags.
 */
function mayDiffer(one: StreamSpec, two: StreamSpec): boolean {
  return ((one[2] | two[2]) & REUSEPORT) !== 0 && !isGroup(one, two);
}

/** Answers, a letter each. */
const LETTERS: readonly string[] = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'];

/** 'b': the second is refused; else who is given each connection, 1 or 2, and if the first can listen too. Who of a group it is does not count. */
export type PairAnswer = (listens: boolean, first: StreamSpec, second: StreamSpec) => string;

/**
 * All pairs, a letter each, behind what the letters mean. The first of a pair is bound, and in the second block it listens before the second comes; the second is bound, and listens.
 */
export function recordPairs(answer: PairAnswer): string {
  const meanings: string[] = [];
  const letter = (listens: boolean, first: StreamSpec, second: StreamSpec): string => {
    const said = answer(listens, first, second);
    const meaning =
      said === 'b' ? said : isGroup(first, second) ? said.replaceAll('2', '1') : mayDiffer(first, second) && listens ? '?' : said;
    if (!meanings.includes(meaning)) meanings.push(meaning);
    return LETTERS[meanings.indexOf(meaning)]!;
  };
  const blocks = [false, true].map((listens) =>
    STREAM_SPECS.map((first) => STREAM_SPECS.map((second) => letter(listens, first, second)).join('')).join('\n'),
  );
  const legend = meanings.map((meaning, i) => `${LETTERS[i]} ${meaning}`).join(', ');
  return `${legend}\n\n${blocks.join('\n\n')}\n`;
}
