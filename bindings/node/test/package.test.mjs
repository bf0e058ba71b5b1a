// What is shipped: the declarations say what there is, and the folder can be installed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "./support.mjs";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const ts = require("typescript");
const folder = fileURLToPath(new URL("..", import.meta.url));

describe("the declarations", () => {
  test("are what programs may rely on: those in test/types compile, but for the lines that must not", async () => {
    const { stdout } = await run(process.execPath, [require.resolve("typescript/bin/tsc"), "--project", join(folder, "test/types")]);
    assert.equal(stdout, "");
  }, 60_000);

  /** The members of each class in a file of declarations, inherited ones too: `Class.member` and, on the class, `Class:member`. */
  function declared(file) {
    const program = ts.createProgram([join(folder, file)], { module: ts.ModuleKind.Node16 });
    const checker = program.getTypeChecker();
    const classes = {};
    const isOurs = ({ valueDeclaration }) => valueDeclaration?.getSourceFile().fileName === join(folder, file);
    const visit = (node) => {
      const isPublic = ts.isClassDeclaration(node) && !node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
      if (isPublic) {
        const properties = checker.getTypeAtLocation(node).getProperties();
        classes[node.name.text] = properties.filter(isOurs).map(({ name }) => name);
      }
      ts.forEachChild(node, visit);
    };
    visit(program.getSourceFile(join(folder, file)));
    return classes;
  }

  test("name only what is there", async (t) => {
    const server = await import("socketio-native");
    const client = await import("socketio-native/client");
    const io = new server.Server(0);
    const connected = client.io(`http://127.0.0.1:${io.address().port}`);
    t.after(() => {
      connected.disconnect();
      return io.close();
    });
    const [socket] = await new Promise((resolve) => io.once("connection", (...args) => resolve(args)));
    const objects = {
      "index.d.ts": { Server: io, Namespace: io.sockets, Socket: socket, BroadcastOperator: io.to("x") },
      "client.d.ts": { Socket: connected, Manager: connected.io, Emitter: connected },
    };
    connected.auth = {};
    for (const [file, classes] of Object.entries(objects)) {
      const members = declared(file);
      assert.deepEqual(Object.keys(members).sort(), Object.keys(classes).sort());
      for (const [name, object] of Object.entries(classes)) {
        assert.ok(members[name].length > 5);
        for (const member of members[name]) assert.ok(member in object, `${file}: ${name}.${member}`);
      }
    }
  });

  test("name all that there is, but for what begins with an underscore", async () => {
    const { Server, Namespace, Socket } = await import("socketio-native");
    const client = await import("socketio-native/client");
    const server = declared("index.d.ts");
    const all = { ...declared("client.d.ts"), Server: server.Server, Namespace: server.Namespace, ServerSocket: server.Socket };
    for (const [name, { prototype }] of Object.entries({
      Server, Namespace, ServerSocket: Socket, Socket: client.Socket, Manager: client.Manager,
    })) {
      for (const member of Object.getOwnPropertyNames(prototype)) {
        const isOwn = member !== "constructor" && !member.startsWith("_") && !(member in require("node:events").prototype);
        if (isOwn) assert.ok(all[name].includes(member), `${name}.${member}`);
      }
    }
  });
});

describe("npm install", () => {
  test("of the folder gives a package that can be imported", async () => {
    const project = await mkdtemp(join(tmpdir(), "socketio-native-"));
    try {
      await writeFile(join(project, "package.json"), "{}");
      await run("npm", ["install", "--no-fund", "--no-audit", folder], { cwd: project, timeout: 1_200_000 });
      const code = `
        import { Server } from "socketio-native";
        import { io as connect } from "socketio-native/client";
        const io = new Server(0);
        const socket = connect("http://localhost:" + io.address().port);
        socket.on("connect", () => { console.log("connected"); socket.disconnect(); io.close(); });`;
      await writeFile(join(project, "program.mjs"), code);
      const { stdout } = await run(process.execPath, ["program.mjs"], { cwd: project });
      assert.equal(stdout, "connected\n");
    } finally {
      await rm(project, { recursive: true });
    }
  }, 1_200_000);
});
