/** 'eth0.pcapng' is 'eth0.3.pcapng' as the third of several; without an extension the number stands behind it. */
export function numberedPath(path: string, number: number): string {
  const [, start = path, extension = ''] = /^(.*[^/])(\.[^./]+)$/.exec(path) ?? [];
  return `${start}.${number}${extension}`;
}
