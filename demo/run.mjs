// A chat: members in C, one of them on a loop of its own, in Python, in Node, in JavaScript with the official client, and in a
// browser talk in a room, and each must see what all others say. On a terminal the server stays up afterwards, with its page,
// until Ctrl-C.
//
//   node run.mjs PROGRAMS [--server c|python|node] [--once] [--browser]
//
// PROGRAMS is the folder of the examples in C. The server is that in C by default, which alone has a page. --once ends on a
// terminal too; --browser fails where there is no browser, instead of doing without.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findChromium } from "./browser.mjs";
import { CAPTION } from "../bindings/node/examples/chat/face.mjs";

const ROOM = "lobby";
const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(here, "../tests/interop/node_modules");
const screenshot = path.join(here, "../target/demo/chat.png");

const examples = path.join(here, "../bindings");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string", default: "c" },
    once: { type: "boolean", default: false },
    browser: { type: "boolean", default: false },
  },
});
const programs = path.resolve(positionals[0]);
const program = (name, ...args) => [path.join(programs, name), ...args];
const script = (name, ...args) => [process.execPath, path.join(here, name), ...args];
const python = path.join(examples, "python/.venv/bin/python");
const ofPython = (name, ...args) => [python, path.join(examples, "python/examples", name), ...args];
const ofNode = (name, ...args) => [process.execPath, path.join(examples, "node/examples", name), ...args];

/** Who takes part: the name, what it is, and its command but for what all are told. */
const MEMBERS = [
  { name: "ada", what: "C", command: program("chat_client") },
  { name: "brian", what: "C on its own loop", command: program("loop_poll") },
  { name: "guido", what: "Python", command: ofPython("chat_client.py") },
  { name: "ryan", what: "Node", command: ofNode("chat_client.mjs") },
  { name: "grace", what: "the official JavaScript client", command: script("chat_client.mjs") },
];
const BROWSER = { name: "tim", what: "the page in Chromium", command: script("browser.mjs", "--screenshot", screenshot) };

/** What each member's transcript must tell about another one, whatever it is written in. */
const SAID = (name) => [
  `${name}: hello, I am ${name}`,
  `${name} sent the face: ${CAPTION}`,
  `${name}: did this arrive?`,
];

/** Fails when a browser would not get the page. */
async function checkPage(url) {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok || !text.includes("Socket.IO v")) throw new Error(`the page is not served: ${response.status}`);
}

/** The page as one file: the browser's client goes in where its script tag stands. */
function page() {
  const client = readFileSync(path.join(modules, "socket.io-client/dist/socket.io.min.js"), "utf8");
  const html = readFileSync(path.join(here, "page.html"), "utf8");
  const file = path.join(programs, "chat_page.html");
  mkdirSync(programs, { recursive: true });
  // What the client's map is called is of no use to the page, and the page's server has no such file.
  const code = client.replace(/^\/\/# sourceMappingURL=.*$/m, "");
  writeFileSync(
    file,
    html.replace('<script src="socket.io.min.js"></script>', () => `<script>${code}</script>`),
  );
  return file;
}

/** Ends all members as soon as one has failed. */
const failed = new AbortController();

/** Has a member take part; resolves with its lines once it has left. */
async function take(part, url, count) {
  const [file, ...args] = part.command;
  const child = spawn(file, [...args, url, ROOM, part.name, "--members", String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
    signal: failed.signal,
  });
  child.on("error", () => {}); // it was ended, or not even started: both end with no status
  const lines = [];
  createInterface(child.stdout).on("line", (line) => {
    console.log(line);
    lines.push(line);
  });
  const [status, signal] = await once(child, "close");
  if (status !== 0) throw new Error(`${part.name} (${part.what}) ended with ${status ?? signal}`);
  return lines;
}

const SERVERS = {
  c: () => program("chat_server", "0", page()),
  python: () => ofPython("chat_server.py", "0"),
  node: () => ofNode("chat_server.mjs", "0"),
};
const hasPage = values.server === "c";
const members = [...MEMBERS];
if (hasPage && (values.browser || findChromium())) members.push(BROWSER);
else if (hasPage) console.log("no Chromium is installed: the browser stays away\n");

const [file, ...args] = SERVERS[values.server]();
const server = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
const [greeting] = await once(createInterface(server.stdout), "line");
const url = greeting.replace("listening on ", "");
console.log(`the chat server (${values.server}) is ${greeting}`);
console.log(`${members.map(({ name, what }) => `${name} is ${what}`).join("; ")}\n`);

try {
  if (hasPage) await checkPage(url);
  const transcripts = await Promise.all(members.map((member) => take(member, url, members.length)));
  transcripts.forEach((lines, i) => {
    const { name } = members[i];
    const expected = members.filter((other) => other.name !== name).flatMap((other) => SAID(other.name));
    expected.push("the server has acknowledged: sent");
    const missing = expected.filter((line) => !lines.includes(`[${name}] ${line}`));
    if (missing.length > 0) throw new Error(`${name} did not see: ${missing.join("; ")}`);
  });
  console.log(`\neach of the ${members.length} saw what all others said`);
  if (members.includes(BROWSER)) console.log(`what the browser saw is in ${path.relative(process.cwd(), screenshot)}`);
  if (process.stdout.isTTY && hasPage && !values.once) {
    console.log(`the chat goes on at ${url} until Ctrl-C`);
    await once(process, "SIGINT");
  }
} catch (error) {
  failed.abort();
  console.error(`the demo failed: ${error.message}`);
  process.exitCode = 1;
}

server.kill("SIGTERM");
const [status] = server.exitCode === null ? await once(server, "exit") : [server.exitCode];
if (status !== 0) {
  console.error(`the server ended with ${status}`);
  process.exitCode = 1;
}
