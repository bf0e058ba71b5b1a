// The README shows programs in pairs, a server and then its client: each server runs while its client talks to it. Those in C
// are run by tests/rust/docs.rs.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** By what the README calls a language: how its programs are run, and how a reader ends the server. */
const LANGUAGES = {
  python: {
    extension: "py",
    interpreter: path.join(ROOT, "bindings/python/.venv/bin/python"),
    end: (server) => server.stdin.end("\n"),
    ended: [0, null],
  },
  js: {
    extension: "mjs",
    interpreter: process.execPath,
    end: (server) => server.kill("SIGINT"),
    ended: [null, "SIGINT"],
  },
};

const readme = await readFile(path.join(ROOT, "README.md"), "utf8");

for (const [language, { extension, interpreter, end, ended }] of Object.entries(LANGUAGES)) {
  describe(language, () => {
    const texts = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text);

    test("there are pairs of programs", () => assert.ok(texts.length > 0 && texts.length % 2 === 0, `${texts.length}`));

    for (let i = 0; i + 1 < texts.length; i += 2) {
      test(`programs ${i + 1} and ${i + 2}`, async (t) => {
        const port = String(await freePort());
        const [server, client] = await write(t, extension, texts.slice(i, i + 2).map((text) => text.replaceAll("3000", port)));
        const running = spawn(interpreter, [server], { stdio: ["pipe", "pipe", "inherit"] });
        const exited = once(running, "exit");
        t.after(() => running.kill());
        const [line] = await once(createInterface(running.stdout), "line");
        assert.match(line, /^listening/);
        const { stdout } = await promisify(execFile)(interpreter, [client]);
        assert.deepEqual(stdout.trim().split("\n").sort(), ["answer: world", "greeting: world"]);
        end(running);
        assert.deepEqual(await exited, ended);
      });
    }
  });
}

/** Writes programs where `npm install` has put the package of Node; their paths. */
async function write(t, extension, texts) {
  const folder = await mkdtemp(path.join(tmpdir(), "readme-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, "node_modules"));
  await symlink(path.join(ROOT, "bindings/node"), path.join(folder, "node_modules/socketio-native"));
  const paths = texts.map((_, i) => path.join(folder, `program${i}.${extension}`));
  await Promise.all(paths.map((file, i) => writeFile(file, texts[i])));
  return paths;
}
