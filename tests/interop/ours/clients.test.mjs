// A client of ours against a server of others: the client does what a test tells it and tells what it sees.
import assert from "node:assert/strict";
import { MODES } from "../lib/client.mjs";
import { CLIENTS, SERVERS } from "../lib/dialects.mjs";
import { Driver, PLACEHOLDER, clientDialect, mayLinger } from "../lib/driver.mjs";
import { freePort, serverDialect, startServer, useServer } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

const BURST = 5000;
const PICTURE = "00ff1e89504e47";
const MAX_PAYLOAD = 20_000;

const client = CLIENTS[clientDialect];
const server = SERVERS[serverDialect];
const separateSockets = client.separateSockets ? {} : { skip: "its sockets come and go together" };

for (const [mode, transports] of Object.entries(MODES)) {
  const isPolling = transports.transports.at(-1) === "polling";

  const joining = (at) => async (t, auth) => {
    const driver = new Driver(t, at.url, { ...transports, reconnection: false });
    driver.socket("/", auth);
    await driver.sees({ what: "connect", nsp: "/" });
    assert.deepEqual(await driver.event("auth"), [[auth ?? {}], []]);
    return driver;
  };

  describe(mode, () => {
    const at = useServer();
    const join = joining(at);

    test("events, and acks by the server", async (t) => {
      const driver = await join(t);
      const args = ["text", "ü 你 \u{1f600} \u0000", 0, -1.5, true, null, [], {}, { a: [1, { b: null }] }];
      driver.emit("message", args);
      assert.deepEqual(await driver.event("message-back"), [args, []]);
      assert.deepEqual(await driver.call("message-with-ack", args), [args, []]);
      assert.deepEqual(await driver.call("echo"), [[], []]);
      await driver.leave();
    });

    test("acks by the client, and acks that never come", async (t) => {
      const driver = await join(t);
      driver.emit("ask", ["what", 7]);
      assert.deepEqual(await driver.event("question"), [["what", 7], []]);
      driver.tell("answer", JSON.stringify(["I heard", PLACEHOLDER(0)]), PICTURE);
      assert.deepEqual(await driver.event("answer"), [["I heard", PLACEHOLDER(0)], [PICTURE]]);

      driver.emit("ask", ["anybody?"]);
      assert.deepEqual(await driver.event("answer"), [["timeout"], []]);

      driver.ask("unheard of", [], [], "/", 100);
      assert.equal((await driver.ack())[0], "SIO_ERR_TIMEOUT");
      await driver.leave();
    });

    test("binary anywhere in the arguments, both ways", async (t) => {
      const driver = await join(t);
      const args = [{ deep: [PLACEHOLDER(0), "between"] }, PLACEHOLDER(1), PLACEHOLDER(2)];
      const attachments = [PICTURE, "", "ab".repeat(5000)];
      driver.emit("message", args, attachments);
      assert.deepEqual(await driver.event("message-back"), [args, attachments]);
      assert.deepEqual(await driver.call("echo", args, attachments), [args, attachments]);
      await driver.leave();
    });

    test("two namespaces on one connection", async (t) => {
      const auth = { token: "sesame ü", list: [1, null] };
      const driver = new Driver(t, at.url, { ...transports, reconnection: false });
      driver.socket("/,/custom", auth);
      for (const nsp of ["/", "/custom"]) {
        await driver.sees({ what: "connect", nsp });
        assert.deepEqual(await driver.event("auth", nsp), [[auth], []]);
      }
      driver.ask("echo", ["c", PLACEHOLDER(0)], [PICTURE], "/custom");
      driver.ask("echo", ["m"]);
      assert.deepEqual(await driver.ack("/custom"), ["SIO_OK", ["c", PLACEHOLDER(0)], [PICTURE]]);
      assert.deepEqual(await driver.ack(), ["SIO_OK", ["m"], []]);
      driver.emit("kick", [true]);
      for (const nsp of ["/", "/custom"]) {
        assert.equal((await driver.sees({ what: "disconnect", nsp })).reason, client.reasons.kicked);
      }
      await driver.leave();
    });

    test("a socket that joins later with an auth of its own, leaves, and joins again", separateSockets, async (t) => {
      const driver = await join(t, { token: "sesame" });
      driver.socket("/custom", { other: [1] });
      await driver.sees({ what: "connect", nsp: "/custom" });
      assert.deepEqual(await driver.event("auth", "/custom"), [[{ other: [1] }], []]);

      driver.tell("disconnect", "/custom");
      assert.equal((await driver.sees({ what: "disconnect", nsp: "/custom" })).reason, client.reasons.left);
      assert.deepEqual(await driver.call("echo", ["unharmed"]), [["unharmed"], []]);
      driver.tell("connect", "/custom");
      await driver.sees({ what: "connect", nsp: "/custom" });
      assert.deepEqual(await driver.event("auth", "/custom"), [[{ other: [1] }], []]);
      await driver.leave();
    });

    test("an unknown namespace is refused and the other stays", async (t) => {
      const driver = new Driver(t, at.url, { ...transports, reconnection: false });
      driver.socket("/,/nope");
      await driver.sees({ what: "connect", nsp: "/" });
      const { reason, status } = await driver.sees({ what: "connect_error", nsp: "/nope" });
      assert.deepEqual([reason, status], [client.refusal(server.unknownNamespace), "SIO_ERR_REJECTED"]);
      assert.deepEqual(await driver.call("echo", [1]), [[1], []]);
      await driver.leave();
    });

    test("rooms, and broadcasts", async (t) => {
      const [sender, member] = await Promise.all([join(t), join(t)]);
      for (const driver of [sender, member]) await driver.call("join", ["den"]);
      sender.emit("to", ["den", "news", PLACEHOLDER(0)], [PICTURE]);
      assert.deepEqual(await member.event("news"), [[PLACEHOLDER(0)], [PICTURE]]);
      await member.call("leave", ["den"]);
      sender.emit("to", ["den", "news", "too late"]);
      for (const driver of [sender, member]) {
        await driver.call("echo"); // behind whatever else was sent
        assert.equal(driver.heard("news"), false);
      }
      sender.emit("broadcast", ["all"]);
      for (const driver of [sender, member]) assert.deepEqual(await driver.event("broadcast"), [["all"], []]);
      await Promise.all([sender.leave(), member.leave()]);
    });

    const connectsAgain = client.separateSockets || !mayLinger(transports) ? {} : { skip: "its connections linger" };
    test("reasons on both ends", connectsAgain, async (t) => {
      const [observer, driver] = await Promise.all([join(t), join(t)]);
      driver.emit("kick", [false]);
      assert.equal((await driver.sees({ what: "disconnect" })).reason, client.reasons.kicked);
      await lastReasonBecomes(observer, server.reasons.kicked);

      driver.tell("connect", "/");
      await driver.sees({ what: "connect" });
      driver.tell("disconnect", "/");
      assert.equal((await driver.sees({ what: "disconnect" })).reason, client.reasons.left);
      // A client whose sockets leave together closes the connection in the same breath: either may be the reason.
      await lastReasonBecomes(observer, server.reasons.left, ...(client.separateSockets ? [] : server.reasons.closed));

      driver.tell("connect", "/");
      await driver.sees({ what: "connect" });
      driver.emit("kick", [true]);
      assert.equal((await driver.sees({ what: "disconnect" })).reason, client.reasons.kicked);
      await lastReasonBecomes(observer, server.reasons.kicked);
      await Promise.all([observer.leave(), driver.leave()]);
    });

    test("a client that is cut off", async (t) => {
      const lively = await startServer(["--ping-interval", "300", "--ping-timeout", "3000"]);
      t.after(() => lively.stop());
      const [observer, kicked, cut] = await Promise.all(Array.from({ length: 3 }, () => joining(lively)(t)));
      kicked.emit("kick", [false]);
      await lastReasonBecomes(observer, server.reasons.kicked);
      cut.child.kill("SIGKILL");
      // Between two polls, and by some servers during a poll, it is missed only when its heartbeat is.
      await lastReasonBecomes(observer, ...server.reasons.closed, ...(isPolling ? ["ping timeout"] : []));
      await Promise.all([observer.leave(), kicked.leave()]);
    });

    test(`a burst of ${BURST}, in order`, async (t) => {
      const driver = await join(t);
      for (let i = 0; i < BURST; i++) driver.emit("message", [i]);
      for (let i = 0; i < BURST; i++) assert.deepEqual(await driver.event("message-back"), [[i], []]);
      for (let i = 0; i < BURST; i++) driver.ask("echo", [i]);
      for (let i = 0; i < BURST; i++) assert.deepEqual(await driver.ack(), ["SIO_OK", [i], []]);
      await driver.leave();
    });

    test("a server that is killed and started again on its port", async (t) => {
      const port = await freePort();
      let mortal = await startServer([], port);
      t.after(() => mortal.kill());
      const driver = new Driver(t, mortal.url, { ...transports, reconnectionDelay: 50, reconnectionDelayMax: 200 });
      driver.socket("/,/custom", { token: 1 });
      for (const nsp of ["/", "/custom"]) {
        await driver.sees({ what: "connect", nsp });
        await driver.event("auth", nsp);
      }
      await driver.call("echo", ["before"]);

      await mortal.kill();
      for (const nsp of ["/", "/custom"]) {
        const { reason } = await driver.sees({ what: "disconnect", nsp });
        assert.ok(["transport close", "transport error"].includes(reason), reason);
      }
      driver.ask("echo", ["asked in between"], [], "/", 8000);

      mortal = await startServer([], port);
      for (const nsp of ["/", "/custom"]) {
        await driver.sees({ what: "connect", nsp });
        assert.deepEqual(await driver.event("auth", nsp), [[{ token: 1 }], []]);
      }
      if (client.countsAttempts) assert.ok((await driver.sees({ what: "reconnect" })).attempt >= 1);
      const [status, ...answer] = await driver.ack();
      assert.equal(status, client.askedWhileDown);
      if (status === "SIO_OK") assert.deepEqual(answer, [["asked in between"], []]);
      assert.deepEqual(await driver.call("echo", ["after"]), [["after"], []]);
      await driver.leave();
    });
  });

  describe(`${mode}, sizes`, () => {
    const at = useServer("--max-payload", String(MAX_PAYLOAD));
    const join = joining(at);

    test("a text of exactly the largest size comes through", async (t) => {
      const driver = await join(t);
      const text = "x".repeat(server.longestMessage(MAX_PAYLOAD, isPolling) - '42["message",""]'.length);
      driver.emit("message", [text]);
      assert.deepEqual(await driver.event("message-back"), [[text], []]);
      await driver.leave();
    });

    test("an attachment of nearly the largest size comes through", async (t) => {
      const driver = await join(t);
      // Over polling it travels as base64, four bytes for three.
      const picture = "a5".repeat(Math.floor((MAX_PAYLOAD * 3) / 4) - 100);
      driver.emit("message", [PLACEHOLDER(0)], [picture]);
      assert.deepEqual(await driver.event("message-back"), [[PLACEHOLDER(0)], [picture]]);
      await driver.leave();
    });

    const minds = !isPolling || client.mindsRefusedPosts ? {} : { skip: "the client goes on polling" };
    test("a text one byte larger ends the sender alone", minds, async (t) => {
      const [driver, observer] = await Promise.all([join(t), join(t)]);
      driver.emit("message", ["x".repeat(MAX_PAYLOAD + 1 - '42["message",""]'.length)]);
      const { reason } = await driver.sees({ what: "disconnect" });
      assert.ok(["transport close", "transport error"].includes(reason), reason);
      assert.deepEqual(await observer.call("echo", [1]), [[1], []]);
      await Promise.all([driver.leave(), observer.leave()]);
    });

    test("what the server sends may be larger", async (t) => {
      const [driver, other] = await Promise.all([join(t), join(t)]);
      await other.call("join", ["den"]);
      const half = "x".repeat(MAX_PAYLOAD / 2);
      for (let i = 0; i < 50; i++) {
        driver.emit("to", ["den", "news", i, half]);
        if (!client.mindsRefusedPosts) await driver.call("echo"); // one by one
      }
      for (let i = 0; i < 50; i++) assert.deepEqual(await other.event("news"), [[i, half], []]);
      await Promise.all([driver.leave(), other.leave()]);
    });
  });
}

/** Asks until the last reason that the server saw is one of `reasons`: it may be on its way when the first answer comes. */
async function lastReasonBecomes(observer, ...reasons) {
  const deadline = Date.now() + 8000;
  for (;;) {
    const [[seen]] = await observer.call("last-reason");
    if (reasons.includes(seen)) return;
    assert.ok(Date.now() < deadline, `the last reason is ${seen}, not ${reasons.join(" or ")}`);
  }
}
