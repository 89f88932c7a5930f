import { printUs } from './parse-time.ts';
import { printExpression } from './print-expression.ts';
import { printPacket } from './print-packet.ts';
import type { EventTime, Script, ScriptEvent } from './script.ts';

/** A script as text, which reads as the same script. */
export function printScript({ options, setup, events }: Script): string {
  const lines = options.map(({ name, value }) => `--${name}${value === null ? '' : `=${value}`}`);
  if (setup !== null) lines.push(`\`${setup}\``);
  return [...lines, ...events.map(printEvent), ''].join('\n');
}

export function printEvent({ time, untilUs, body }: ScriptEvent): string {
  const when = printTime(time) + (untilUs === null ? '' : `...${printUs(untilUs)}`);
  switch (body.kind) {
    case 'packet':
      return `${when} ${printPacket(body.packet)}`;
    case 'shell':
      return `${when} \`${body.text}\``;
    case 'code':
      return `${when} %{${body.text}}%`;
    case 'syscall': {
      const { name, args, result, errno, note } = body.call;
      const call = `${name}(${args.map((arg) => printExpression(arg)).join(', ')}) = ${printExpression(result)}`;
      return `${when} ${call}${errno === null ? '' : ` ${errno}`}${note === null ? '' : ` (${note})`}`;
    }
  }
}

function printTime({ kind, startUs, endUs }: EventTime): string {
  if (kind === 'any') return '*';
  const sign = kind === 'relative' ? '+' : '';
  return `${sign}${printUs(startUs)}${endUs === null ? '' : `~${sign}${printUs(endUs)}`}`;
}
