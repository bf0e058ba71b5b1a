// 100 worker threads, each with a server and clients of its own in full traffic, end in the middle of it: half of them are
// terminated from outside, half call process.exit. The main thread's own server goes on all the while.
//
//   node workers.mjs [COUNT]
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { Server } from "../../bindings/node/lib/index.mjs";
import { io } from "../../bindings/node/lib/client.mjs";

const IN_TRAFFIC = 200;

/** A server, and four clients that talk to it without end; calls `inTraffic` after the first events. */
function traffic(port, inTraffic) {
  const server = new Server(port);
  let heard = 0;
  server.on("connection", (socket) =>
    socket.on("echo", (...args) => {
      args.pop()(...args);
      if (++heard === IN_TRAFFIC) inTraffic();
    }),
  );
  const clients = Array.from({ length: 4 }, () => {
    const socket = io(`http://127.0.0.1:${port}`, { forceNew: true });
    const talk = () => socket.emit("echo", Buffer.from("bytes"), { some: "text" }, talk);
    socket.on("connect", () => Array.from({ length: 16 }, talk));
    return socket;
  });
  return { server, clients };
}

async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

if (isMainThread) {
  const count = Number(process.argv[2] ?? 100);
  const own = traffic(await freePort(), () => {});
  for (let i = 0; i < count; i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { port: await freePort(), exits: i % 2 === 1 } });
    const ended = once(worker, "exit");
    if (i % 2 === 0) {
      await once(worker, "message");
      await worker.terminate();
    }
    const [code] = await ended;
    if (i % 2 === 1) assert.equal(code, 7);
  }
  const [client] = own.clients;
  assert.deepEqual(await client.emitWithAck("echo", "unharmed"), "unharmed");
  for (const socket of own.clients) socket.disconnect();
  await own.server.close();
  console.log(`${count} workers ended in full traffic`);
} else {
  traffic(workerData.port, () => {
    if (workerData.exits) process.exit(7);
    parentPort.postMessage("in traffic");
  });
}
