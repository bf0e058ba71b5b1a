// What becomes of the process: what throws, what keeps it up, workers, memory.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { describe, test } from "./support.mjs";

const run = promisify(execFile);
const program = (name) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
const node = (...args) => run(process.execPath, args, { timeout: 60_000 });

describe("handlers that fail", () => {
  test("do what they do with the official package, and harm no other event", async () => {
    const [theirs, mine] = await Promise.all([node(program("failing"), "official"), node(program("failing"), "ours")]);
    assert.equal(mine.stdout, theirs.stdout);
    assert.match(mine.stdout, /uncaughtException: sync 4\nn 5\nsecond 5\n/);
  });

  test("end the process when nobody catches what they throw", async () => {
    for (const args of [["throw"]]) {
      await assert.rejects(node(program("open"), ...args), ({ code, stderr }) => code === 1 && /at the end/.test(stderr));
    }
  });
});

describe("the process", () => {
  test("ends when nothing is open", async () => {
    const { stdout } = await node(program("open"));
    assert.equal(stdout, "nothing is open\n");
  });

  test("ends when clients have given up connecting", async () => {
    const { stdout } = await node(program("giving-up"));
    assert.equal(stdout, "all gave up\n");
  });

  test("ends in full traffic when it is told to", async () => {
    for (let i = 0; i < 10; i++) await assert.rejects(node(program("open"), "exit"), { code: 7 });
  });

  test("sends what was emitted before it exits", async () => {
    const code = `
      import { io } from "socketio-native/client";
      const socket = io(process.argv[1], { transports: ["websocket"] });
      socket.on("connect", () => { socket.emit("last words", 1); process.exit(0); });`;
    const { Server } = await import("socketio-native");
    const io = new Server(0);
    const heard = new Promise((resolve) => io.on("connection", (socket) => socket.on("last words", resolve)));
    const url = `http://127.0.0.1:${io.address().port}`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    await run(process.execPath, ["--input-type=module", "--eval", code, url], { cwd });
    assert.equal(await heard, 1);
    await io.close();
  });

  test("has no more threads, and no server, for importing the package", async () => {
    const code = `
      const threads = () => require("node:fs").readdirSync("/proc/self/task").length;
      require("node:zlib");
      const before = threads();
      require("socketio-native");
      require("socketio-native/client");
      console.log(threads() - before);
      new (require("socketio-native").Server)();
      console.log(threads() > before);`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const { stdout } = await run(process.execPath, ["--eval", code], { cwd });
    assert.equal(stdout, "0\ntrue\n");
  });

  test("keeps running for a server that listens, and for a client that connects", async () => {
    const code = `
      const { Server } = require("socketio-native");
      const io = new Server(0);
      console.log(io.address().port);`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const child = spawn(process.execPath, ["--eval", code], { cwd, stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise((resolve) => child.stdout.once("data", (data) => resolve(Number(data))));
    const { io: connect } = await import("socketio-native/client");
    const socket = connect(`http://127.0.0.1:${port}`, { transports: ["websocket"], reconnectionDelay: 5 });
    await new Promise((resolve) => socket.once("connect", resolve));
    const lost = new Promise((resolve) => socket.once("disconnect", resolve));
    child.kill("SIGKILL");
    await lost;
    await new Promise((resolve) => socket.io.once("reconnect_attempt", resolve));
    socket.disconnect();
  });
});

describe("worker threads", () => {
  /** Resolves with the exit code. */
  async function end(way) {
    const worker = new Worker(program("worker"), { workerData: way, stderr: true });
    const failed = new Promise((resolve) => worker.once("error", resolve));
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    if (way === "terminated") {
      await new Promise((resolve) => worker.once("message", resolve));
      worker.terminate();
    }
    if (way === "throws") assert.equal((await failed).message, "thrown");
    return exited;
  }

  test("100 end in full traffic, each in its way", async () => {
    for (let i = 0; i < 34; i++) {
      assert.deepEqual(await Promise.all(["terminated", "exits", "throws"].map(end)), [1, 3, 1]);
    }
    const files = readdirSync("/proc/self/fd").length;
    assert.equal(await end("exits"), 3);
    assert.ok(readdirSync("/proc/self/fd").length <= files + 2, "descriptors are closed");
  }, 120_000);
});

describe("memory", () => {
  test("stays what it is over 100,000 events and 10,000 sockets", async () => {
    const { stdout } = await run(process.execPath, ["--expose-gc", program("memory")]);
    const [heap, resident] = JSON.parse(stdout);
    assert.ok(Math.max(...heap.slice(1)) < heap[0] * 1.1 + 1e6, `heap: ${heap}`);
    assert.ok(resident.at(-1) < resident[1] * 1.25 + 16e6, `resident: ${resident}`);
  }, 120_000);
});

describe("the package", () => {
  test("has what the official packages have, for import and for require", async () => {
    const require = createRequire(import.meta.url);
    const [server, client] = [await import("socketio-native"), await import("socketio-native/client")];
    assert.deepEqual(Object.keys(server).sort(), ["Namespace", "Server", "Socket"]);
    assert.deepEqual(Object.keys(client).sort(), ["Manager", "Socket", "connect", "default", "io", "protocol"]);
    const [required, requiredClient] = [require("socketio-native"), require("socketio-native/client")];
    assert.equal(required.Server, server.Server);
    assert.equal(requiredClient, client.default);
    assert.equal(requiredClient.io, requiredClient);
    assert.equal(client.protocol, 5);
    const { version } = require("socketio-native/package.json");
    assert.match(readFileSync(new URL("../../../Cargo.toml", import.meta.url), "utf8"), new RegExp(`\nversion = "${version}"\n`));
    const io = required(0);
    assert.ok(io instanceof server.Server);
    await io.close();
  });
});
