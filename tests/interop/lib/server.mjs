// The server under test: started on a free port, ended with SIGTERM, expected to exit with status 0.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { after, before } from "./test.mjs";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Servers on the packages of others, by the names that SERVER may have for them. */
const OTHERS = {
  official: `node ${path("official-server.mjs")}`,
  "python-socketio": `${path(".venv/bin/python")} ${path("official-server.py")}`,
};

/** The server under test: environment variable SERVER, the name of another's or a command; by default the official one. */
const SERVER = process.env.SERVER || "official";
const COMMAND = OTHERS[SERVER] ?? SERVER;

/** Whether the server under test is ours: for the bounds that the official one lacks. */
export const ours = !(SERVER in OTHERS);

/** Which of the `dialects` it speaks. */
export const serverDialect = SERVER === "python-socketio" ? "python-socketio" : "official";

/** What a test for a bound of ours gets as its options. */
export const oursOnly = ours ? {} : { skip: "ours only" };

/** A port that was free a moment ago. */
export async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** Starts `command PORT ...options` and resolves once it accepts connections. */
export async function start(command, options = [], port = undefined) {
  port ??= await freePort();
  const [file, ...args] = command.split(" ");
  const child = spawn(file, [...args, String(port), ...options], { stdio: ["ignore", "inherit", "inherit"] });
  const exited = once(child, "exit");
  await Promise.race([
    accepts(port),
    exited.then(([status, signal]) => assert.fail(`${command} ended before it listened: ${status ?? signal}`)),
  ]);
  const end = async (signal) => {
    child.kill(signal);
    return await exited;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    /** Ends it cleanly. */
    async stop() {
      const [status, signal] = await end("SIGTERM");
      assert.equal(status, 0, `the server ended with ${status ?? signal}`);
    },
    /** Ends it without warning: its peers see their connections cut. */
    async kill() {
      await end("SIGKILL");
    },
  };
}

export const startServer = (options, port) => start(COMMAND, options, port);

/** One server for all tests of the surrounding `describe`; `port` and `url` are there once its tests run. */
export function useServer(...options) {
  const server = {};
  before(async () => Object.assign(server, await startServer(options)));
  after(() => server.stop?.());
  return server;
}

async function accepts(port) {
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10)); // nobody tells us when it listens
    } finally {
      socket.destroy();
    }
  }
}
