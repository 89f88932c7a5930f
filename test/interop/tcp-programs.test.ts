import { once } from 'node:events';
import * as http from 'node:http';
import type * as net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { netnsSkipReason } from './linux/netns.ts';
import { serveByNginx } from './linux/nginx.ts';
import { missingPrograms } from './linux/programs.ts';
import { FAMILIES, LINKS, TcpLink } from './linux/tcp-link.ts';
import { until } from './linux/until.ts';

const MATRIX = LINKS.flatMap((link) => FAMILIES.map((family) => [link, family] as const));

/** What comes until the other side's end. */
function text(socket: net.Socket): Promise<string> {
  let all = '';
  socket.on('data', (part) => {
    all += part;
  });
  return new Promise((resolve, reject) => socket.on('end', () => resolve(all)).on('error', reject));
}

describe.skipIf(skipAloud('programs of Linux over TCP', netnsSkipReason() ?? missingPrograms('nc', 'curl', 'wget')))(
  'programs of Linux, over TCP',
  () => {
    let link: TcpLink;
    beforeAll(async () => {
      link = await TcpLink.make('tcpp', { links: LINKS });
    });
    afterAll(() => link?.dispose());

    test.concurrent.for(MATRIX)('nc of Linux asks ours over %s, family %i; both ways end by themselves', async ([name, family]) => {
      const port = link.port();
      const server = link.node.net.createServer({ allowHalfOpen: true }, async (socket) => socket.end(`you said ${await text(socket)}`));
      server.listen(port, link.ours(family, name));
      await once(server, 'listening');
      // -N: half close once stdin ends.
      const { stdout, code } = await link.run(['nc', '-N', link.ours(family, name), port], { input: 'hello' });
      expect([code, stdout]).toEqual([0, 'you said hello']);
      server.close();
    });

    test.concurrent.for(MATRIX)('ours asks nc of Linux over %s, family %i', async ([name, family]) => {
      const port = link.port();
      const said = link.run(['nc', '-l', '-N', link.theirs(family, name), port], { input: 'from linux' });
      await until(async () => (await link.linux.exec(`ss -Hltn sport = :${port}`)).stdout, /LISTEN/);
      const socket = link.node.net.connect({ port, host: link.theirs(family, name), allowHalfOpen: true });
      expect(await text(socket)).toBe('from linux');
      socket.end('from softnet, after your end');
      expect(await said).toMatchObject({ code: 0, stdout: 'from softnet, after your end' });
    });

    test.concurrent.for(MATRIX)('curl and wget ask our http server over %s, family %i', async ([name, family]) => {
      const port = link.port();
      const large = Buffer.alloc(3_000_000, 'softnet');
      const server = http.createServer(async (request, response) => {
        if (request.method !== 'POST') return response.end(request.url === '/large' ? large : `you asked for ${request.url}`);
        let lenBytes = 0;
        for await (const chunk of request) lenBytes += chunk.length;
        response.end(`${lenBytes}`);
      });
      const listener = link.node.serve(server, port, link.ours(family, name));
      await once(listener, 'listening');
      const host = family === 2 ? link.ours(family, name) : `[${link.ours(family, name)}]`;
      const at = `http://${host}:${port}`;
      const curl = await link.run(['curl', '-sS', `${at}/one`, `${at}/two`]);
      expect(curl).toEqual({ code: 0, stdout: 'you asked for /oneyou asked for /two', stderr: '' });
      const sent = await link.run(['curl', '-sS', '--data-binary', '@-', `${at}/post`], { input: large });
      expect(sent.stdout).toBe('3000000');
      const wget = await link.run(['sh', '-c', `wget -q -O - ${at}/large | wc -c`]);
      expect(wget.stdout.trim()).toBe('3000000');
      listener.close();
    });

    test.skipIf(skipAloud('our client with nginx', missingPrograms('nginx')))(
      'our http client asks nginx, which keeps the connection, on all links',
      async () => {
        const page = Buffer.from(Array.from({ length: 1_000_000 }, (_, at) => (at * 13 + (at >> 8)) & 0xff));
        const nginx = await serveByNginx(link, page);
        const agent = link.node.http.agent({ keepAlive: true, maxSockets: 1 });
        const ask = (host: string, path: string): Promise<{ status: number | undefined; port: number | undefined; body: Buffer }> =>
          new Promise((resolve, reject) => {
            const request = http.get({ host, port: nginx.port, path, agent }, async (response) => {
              const [parts, port] = [[] as Buffer[], response.socket.localPort];
              for await (const part of response) parts.push(part as Buffer);
              resolve({ status: response.statusCode, port, body: Buffer.concat(parts) });
            });
            request.on('error', reject);
          });
        for (const [name, family] of MATRIX) {
          const [large, small, none] = [
            await ask(link.theirs(family, name), '/page'),
            await ask(link.theirs(family, name), '/twice'),
            await ask(link.theirs(family, name), '/none'),
          ];
          expect([large.status, small.status, none.status]).toEqual([200, 200, 404]);
          expect(Buffer.compare(large.body, page)).toBe(0);
          expect([small.body.toString(), small.port, none.port]).toEqual(['twice\n', large.port, large.port]);
        }
        agent.destroy();
        nginx.end();
      },
    );
  },
);
