// Our client, through the C API, against the official server: client-c does what a test tells it and tells what it sees.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { MODES } from "../lib/client.mjs";
import { freePort, startOfficial } from "../lib/server.mjs";
import { after, before, describe, test } from "../lib/test.mjs";

const CLIENT = process.env.CLIENT ?? new URL("../../../target/servers/client-c", import.meta.url).pathname;
const BURST = 5000;
const PICTURE = "00ff1e89504e47";
const PLACEHOLDER = (num) => ({ _placeholder: true, num });

/** A client-c; what it sees waits until a test asks for it. */
class Client {
  #seen = [];
  #waiting = [];

  constructor(t, url, options) {
    this.child = spawn(CLIENT, [url, JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"] });
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

  socket(nsp = "/", auth = undefined) {
    this.tell("socket", nsp, auth === undefined ? "-" : JSON.stringify(auth));
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

  /** Whether it has told of an event that no test asked for. */
  heard(name) {
    return this.#seen.some((seen) => seen.name === name);
  }

  async leave() {
    this.child.stdin.end();
    assert.deepEqual(await this.ended, [0, null]);
  }
}

function hexadecimal(attachments) {
  return attachments.length > 0 ? attachments.join(",") : "-";
}

for (const [mode, transports] of Object.entries(MODES)) {
  describe(`the C client, ${mode}`, () => {
    let server;
    before(async () => (server = await startOfficial()));
    after(() => server.stop());

    const join = async (t, auth) => {
      const client = new Client(t, server.url, { ...transports, reconnection: false });
      client.socket("/", auth);
      await client.sees({ what: "connect", nsp: "/" });
      assert.deepEqual(await client.event("auth"), [[auth ?? {}], []]);
      return client;
    };

    const lastReasonBecomes = async (observer, ...reasons) => {
      const deadline = Date.now() + 5000;
      for (;;) {
        observer.ask("last-reason");
        const [, [seen]] = await observer.ack();
        if (reasons.includes(seen)) return;
        assert.ok(Date.now() < deadline, `the last reason is ${seen}, not ${reasons.join(" or ")}`);
      }
    };

    test("events, and acks by the server", async (t) => {
      const client = await join(t);
      const args = ["text", "ü 你 \u{1f600} \u0000", 0, -1.5, true, null, [], {}, { a: [1, { b: null }] }];
      client.emit("message", args);
      assert.deepEqual(await client.event("message-back"), [args, []]);
      client.ask("message-with-ack", args);
      assert.deepEqual(await client.ack(), ["SIO_OK", args, []]);
      client.ask("echo");
      assert.deepEqual(await client.ack(), ["SIO_OK", [], []]);
      await client.leave();
    });

    test("acks by the client, and acks that never come", async (t) => {
      const client = await join(t);
      client.emit("ask", ["what", 7]);
      assert.deepEqual(await client.event("question"), [["what", 7], []]);
      client.tell("answer", JSON.stringify(["I heard", PLACEHOLDER(0)]), PICTURE);
      assert.deepEqual(await client.event("answer"), [["I heard", PLACEHOLDER(0)], [PICTURE]]);

      client.emit("ask", ["anybody?"]);
      assert.deepEqual(await client.event("answer"), [["timeout"], []]);

      client.ask("unheard of", [], [], "/", 100);
      assert.equal((await client.ack())[0], "SIO_ERR_TIMEOUT");
      await client.leave();
    });

    test("binary anywhere in the arguments, both ways", async (t) => {
      const client = await join(t);
      const args = [{ deep: [PLACEHOLDER(0), "between"] }, PLACEHOLDER(1), PLACEHOLDER(2)];
      const attachments = [PICTURE, "", "ab".repeat(5000)];
      client.emit("message", args, attachments);
      assert.deepEqual(await client.event("message-back"), [args, attachments]);
      client.ask("echo", args, attachments);
      assert.deepEqual(await client.ack(), ["SIO_OK", args, attachments]);
      await client.leave();
    });

    test("auth, and two namespaces on one connection", async (t) => {
      const client = await join(t, { token: "sesame ü" });
      client.socket("/custom", { other: [1] });
      await client.sees({ what: "connect", nsp: "/custom" });
      assert.deepEqual(await client.event("auth", "/custom"), [[{ other: [1] }], []]);
      client.ask("echo", ["c"], [], "/custom");
      client.ask("echo", ["m"]);
      assert.deepEqual(await client.ack("/custom"), ["SIO_OK", ["c"], []]);
      assert.deepEqual(await client.ack(), ["SIO_OK", ["m"], []]);

      client.tell("disconnect", "/custom");
      assert.equal((await client.sees({ what: "disconnect", nsp: "/custom" })).reason, "io client disconnect");
      client.ask("echo", ["unharmed"]);
      assert.deepEqual(await client.ack(), ["SIO_OK", ["unharmed"], []]);
      client.tell("connect", "/custom");
      await client.sees({ what: "connect", nsp: "/custom" });
      await client.leave();
    });

    test("an unknown namespace is refused and the other stays", async (t) => {
      const client = await join(t);
      client.socket("/nope");
      const { reason, status } = await client.sees({ what: "connect_error", nsp: "/nope" });
      assert.deepEqual([reason, status], ["Invalid namespace", "SIO_ERR_REJECTED"]);
      client.ask("echo", [1]);
      assert.deepEqual(await client.ack(), ["SIO_OK", [1], []]);
      await client.leave();
    });

    test("rooms, and broadcasts", async (t) => {
      const [sender, member] = await Promise.all([join(t), join(t)]);
      for (const client of [sender, member]) {
        client.ask("join", ["den"]);
        await client.ack();
      }
      sender.emit("to", ["den", "news", PLACEHOLDER(0)], [PICTURE]);
      assert.deepEqual(await member.event("news"), [[PLACEHOLDER(0)], [PICTURE]]);
      member.ask("leave", ["den"]);
      await member.ack();
      sender.emit("to", ["den", "news", "too late"]);
      for (const client of [sender, member]) {
        client.ask("echo"); // behind whatever else was sent
        await client.ack();
        assert.equal(client.heard("news"), false);
      }
      sender.emit("broadcast", ["all"]);
      for (const client of [sender, member]) assert.deepEqual(await client.event("broadcast"), [["all"], []]);
      await Promise.all([sender.leave(), member.leave()]);
    });

    test("reasons on both ends", async (t) => {
      const [observer, client] = await Promise.all([join(t), join(t)]);
      client.emit("kick", [false]);
      assert.equal((await client.sees({ what: "disconnect" })).reason, "io server disconnect");
      await lastReasonBecomes(observer, "server namespace disconnect");

      client.tell("connect", "/");
      await client.sees({ what: "connect" });
      client.tell("disconnect", "/");
      assert.equal((await client.sees({ what: "disconnect" })).reason, "io client disconnect");
      await lastReasonBecomes(observer, "client namespace disconnect");

      client.tell("connect", "/");
      await client.sees({ what: "connect" });
      client.emit("kick", [true]);
      assert.equal((await client.sees({ what: "disconnect" })).reason, "io server disconnect");
      await lastReasonBecomes(observer, "server namespace disconnect");

      const cut = await join(t);
      cut.child.kill("SIGKILL");
      await lastReasonBecomes(observer, "transport close", "transport error");
      await Promise.all([observer.leave(), client.leave()]);
    });

    test(`a burst of ${BURST}, in order`, async (t) => {
      const client = await join(t);
      for (let i = 0; i < BURST; i++) client.emit("message", [i]);
      for (let i = 0; i < BURST; i++) assert.deepEqual(await client.event("message-back"), [[i], []]);
      for (let i = 0; i < BURST; i++) client.ask("echo", [i]);
      for (let i = 0; i < BURST; i++) assert.deepEqual(await client.ack(), ["SIO_OK", [i], []]);
      await client.leave();
    });

    test("a server that is killed and started again on its port", async (t) => {
      const port = await freePort();
      let mortal = await startOfficial([], port);
      t.after(() => mortal.kill());
      const client = new Client(t, mortal.url, { ...transports, reconnectionDelay: 50, reconnectionDelayMax: 200 });
      client.socket("/", { token: 1 });
      client.socket("/custom");
      for (const nsp of ["/", "/custom"]) await client.sees({ what: "connect", nsp });
      await client.event("auth");
      client.ask("echo", ["before"]);
      await client.ack();

      await mortal.kill();
      for (const nsp of ["/", "/custom"]) {
        const { reason } = await client.sees({ what: "disconnect", nsp });
        assert.ok(["transport close", "transport error"].includes(reason), reason);
      }
      client.ask("echo", ["kept until then"], [], "/", 8000);

      mortal = await startOfficial([], port);
      for (const nsp of ["/", "/custom"]) await client.sees({ what: "connect", nsp });
      assert.ok((await client.sees({ what: "reconnect" })).attempt >= 1);
      assert.deepEqual(await client.event("auth"), [[{ token: 1 }], []]);
      assert.deepEqual(await client.ack(), ["SIO_OK", ["kept until then"], []]);
      await client.leave();
    });
  });
}
