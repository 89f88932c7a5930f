/** '1 connection', '3 connections', '2 classes'; a kind that is a plural already stays one: '1 flow', '2 flows'. */
export function count(number: number, noun: string): string {
  const one = singular(noun);
  return `${number} ${number === 1 ? one : plural(one)}`;
}

function singular(noun: string): string {
  if (noun.endsWith('ies')) return `${noun.slice(0, -3)}y`;
  return /(?:[^aius])s$/.test(noun) ? noun.slice(0, -1) : noun;
}

function plural(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}${/(?:s|x|ch|sh)$/.test(noun) ? 'es' : 's'}`;
}

/** 950 as '950 ms', 12,340 as '12.3 s', 200,000 as '3 min 20 s'. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
