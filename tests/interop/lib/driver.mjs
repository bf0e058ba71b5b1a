// A client that does what a test tells it and tells what it sees: client-c, or another program that speaks its lines.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CLIENTS, SERVERS } from "./dialects.mjs";
import { serverDialect } from "./server.mjs";

/** The command of the client under test: environment variable CLIENT. */
const COMMAND = process.env.CLIENT ?? fileURLToPath(new URL("../../../target/servers/client-c", import.meta.url));

/** Which of the `dialects` it speaks. */
export const clientDialect = COMMAND.includes("client-python") ? inPython() : elsewhere();

/** What stands for an attachment among arguments. */
export const PLACEHOLDER = (num) => ({ _placeholder: true, num });

/** Whether a connection of these transports may end only when the heartbeat is missed: with the answer to its last poll. */
export function mayLinger({ transports }) {
  const { mindsPolls } = SERVERS[serverDialect];
  const { abandonsPolls } = CLIENTS[clientDialect];
  return transports.includes("polling") && !mindsPolls && !abandonsPolls;
}

/** What the client sees waits until a test asks for it. */
export class Driver {
  #mayLinger;
  #seen = [];
  #waiting = [];

  constructor(t, url, options) {
    this.#mayLinger = mayLinger(options);
    const [file, ...args] = COMMAND.split(" ");
    this.child = spawn(file, [...args, url, JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = once(this.child, "exit");
    t.after(() => this.child.kill());
    createInterface(this.child.stdout).on("line", (line) => {
      this.#seen.push(JSON.parse(line));
      this.#waiting.splice(0).forEach((look) => look());
    });
  }

  tell(...fields) {
    this.child.stdin.write(`${fields.join("\t")}\n`);
  }

  /** A socket for each of the namespaces, which are separated by commas. */
  socket(namespaces = "/", auth = undefined) {
    this.tell("socket", namespaces, auth === undefined ? "-" : JSON.stringify(auth));
  }

  emit(event, args = [], attachments = [], nsp = "/") {
    this.tell("emit", nsp, event, JSON.stringify(args), hexadecimal(attachments));
  }

  ask(event, args = [], attachments = [], nsp = "/", timeout = 5000) {
    this.tell("ask", nsp, event, JSON.stringify(args), hexadecimal(attachments), timeout);
  }

  /** Takes the next observation with these fields; others wait on. */
  async sees(fields) {
    for (;;) {
      const found = this.#seen.findIndex((seen) => Object.entries(fields).every(([key, value]) => seen[key] === value));
      if (found >= 0) return this.#seen.splice(found, 1)[0];
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }

  async event(name, nsp = "/") {
    const { json, attachments } = await this.sees({ what: "event", name, nsp });
    return [json, attachments];
  }

  async ack(nsp = "/") {
    const { status, json, attachments } = await this.sees({ what: "ack", nsp });
    return [status, json, attachments];
  }

  /** Asks, and takes the answer, which is to come. */
  async call(event, args = [], attachments = [], nsp = "/") {
    this.ask(event, args, attachments, nsp);
    const [status, ...answer] = await this.ack(nsp);
    assert.equal(status, "SIO_OK");
    return answer;
  }

  /** Whether it has told of an event that no test asked for. */
  heard(name) {
    return this.#seen.some((seen) => seen.name === name);
  }

  /** Ends it cleanly, unless that may take too long. */
  async leave() {
    this.child.stdin.end();
    if (this.#mayLinger) this.child.kill();
    else assert.deepEqual(await this.ended, [0, null]);
  }
}

function inPython() {
  return COMMAND.endsWith("--package socketio") ? "python-socketio" : "ours in Python";
}

function elsewhere() {
  return COMMAND.endsWith("--package socket.io-client") ? "official" : "ours";
}

function hexadecimal(attachments) {
  return attachments.length > 0 ? attachments.join(",") : "-";
}
