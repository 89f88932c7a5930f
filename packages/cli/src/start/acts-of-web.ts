import { get } from 'node:http';
import { createNode } from '@softnet/node';
import { PEERS } from './acts-of-packets.ts';
import type { ReportStage } from './report-stage.ts';

const PAGE_BYTES = 100_000;
const LONG_BYTES = 1_000_000;

/** What came of a request. */
interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Asks the web server in b: by the port of this machine that leads there, else from a's own kernel. */
function ask(stage: ReportStage, path: string): Promise<Answer> {
  const [forward] = stage.scene.web.forwards.all;
  const agent = forward === undefined ? createNode(stage.scene.kernels[0]!, { name: 'browser' }).http.agent() : undefined;
  const base = forward === undefined ? `http://${PEERS[0]}/` : forward.url;
  return new Promise((resolve, reject) => {
    const request = get(new URL(path, base), agent === undefined ? {} : { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        agent?.destroy();
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** As the server makes them. */
function isRight(body: Buffer, lenBytes: number): boolean {
  return body.length === lenBytes && body.every((byte, at) => byte === (((at & 0xffff) * 31 + ((at & 0xffff) >> 8)) & 0xff));
}

export async function playWeb(stage: ReportStage): Promise<void> {
  const [forward] = stage.scene.web.forwards.all;
  if (forward !== undefined) stage.print(`${forward.url} of this machine goes on to ${PEERS[0]}, port 80, over a's TCP`);
  const page = await stage.scene.net.run(ask(stage, '/'));
  stage.promise('a page came from the web server in b, over TCP through the router', page.status === 200 && page.body.includes('Host b'));
  const large = await stage.scene.net.run(ask(stage, `/bytes/${PAGE_BYTES}`));
  stage.promise(`${PAGE_BYTES} bytes over cables that lose frames, each the one that was sent`, isRight(large.body, PAGE_BYTES));
}

export async function playTcpReplace(stage: ReportStage): Promise<void> {
  const { session, scene } = stage;
  const download = ask(stage, `/bytes/${LONG_BYTES}`);
  await stage.pass(200);
  const before = session.kernel;
  await stage.type('use b');
  const old = session.kernel.module('tcp')?.generation;
  await stage.type('replace tcp tcp --mode handover');
  stage.promise(
    'TCP is another generation, in the midst of a download',
    session.kernel.module('tcp')?.generation !== old && session.kernel.module(`tcp#${old}`) === undefined,
  );
  const { body } = await scene.net.run(download);
  stage.promise(`which goes on: ${LONG_BYTES} bytes, each the one that was sent`, isRight(body, LONG_BYTES));
  const again = await scene.net.run(ask(stage, '/'));
  stage.promise('the web server was handed over too: it answers', again.status === 200);
  await stage.type(`use ${before.name}`);
}
