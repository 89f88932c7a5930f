/** `[#####---------------]`: how much of `total` is done. Nothing to do is all done. */
export function bar(done: number, total: number, width = 20): string {
  const full = total <= 0 ? width : Math.min(width, Math.max(0, Math.floor((done / total) * width)));
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}
