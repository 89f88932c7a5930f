/** Asks until what is said fits; returns it. @param is what it must fit. Rejects, with what was said last, once it has taken too long. */
export async function until(what: () => string | Promise<string>, is: RegExp, limitMs = 10_000): Promise<string> {
  for (const end = Date.now() + limitMs; ; ) {
    const said = await what();
    if (is.test(said)) return said;
    if (Date.now() > end) throw new Error(`it is '${said}' after ${limitMs} ms, not ${is}`);
    await pause(30);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
