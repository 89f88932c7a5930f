import type { Kernel } from '@softnet/kernel';

/** What a kernel is at this moment, as a page: its modules, what holds them up, what TCP has counted. */
export function pageOf(kernel: Kernel): string {
  const modules = kernel.modules().map(({ name, generation, state }) => [`${name}#${generation}`, state]);
  const counters = kernel
    .counters()
    .filter(({ module, value }) => module.startsWith('tcp#') && value > 0)
    .map(({ name, value }) => [name, String(value)]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>softnet: host ${escapeHtml(kernel.name)}</title>
<style>body{font:16px/1.4 sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}td{padding:.1em 1.5em .1em 0}</style>
<h1>Host ${escapeHtml(kernel.name)}</h1>
<p>This page came over softnet's TCP, through a router, and over cables that lose some frames. The kernel has been up for ${Math.round(kernel.clock.readUs() / 1e6)} s.</p>
<h2>Modules</h2>
${tableOf(modules)}
<h2>TCP has counted</h2>
${tableOf(counters)}
</html>
`;
}

function tableOf(rows: readonly (readonly string[])[]): string {
  return `<table>${rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`).join('\n')}</table>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
