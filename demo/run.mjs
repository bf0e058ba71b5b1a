// A chat through a C server: two C clients, one of them on a loop of its own, and the official JavaScript client talk in a
// room, and each must see what the others say. On a terminal the server stays up afterwards, with its page, until Ctrl-C.
//
//   node run.mjs PROGRAMS [--once]    the folder of the examples; --once ends on a terminal too
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOM = "lobby";
const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(here, "../tests/interop/node_modules");
const programs = path.resolve(process.argv[2]);

/** What each member's transcript must tell about another one, said in C or in JavaScript. */
const SAID = (name) => [
  `${name}: hello, I am ${name}`,
  `${name} sent the face: a smiling face`,
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
  const script = readFileSync(path.join(modules, "socket.io-client/dist/socket.io.min.js"), "utf8");
  const html = readFileSync(path.join(here, "page.html"), "utf8");
  const file = path.join(programs, "chat_page.html");
  mkdirSync(programs, { recursive: true });
  writeFileSync(
    file,
    html.replace('<script src="socket.io.min.js"></script>', () => `<script>${script}</script>`),
  );
  return file;
}

/** A member of the chat; resolves with its lines once it has left. */
async function member(file, ...args) {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = [];
  createInterface(child.stdout).on("line", (line) => {
    console.log(line);
    lines.push(line);
  });
  const [status, signal] = await once(child, "close");
  if (status !== 0) throw new Error(`${path.basename(file)} ended with ${status ?? signal}`);
  return lines;
}

const server = spawn(path.join(programs, "chat_server"), ["0", page()], { stdio: ["ignore", "pipe", "inherit"] });
const [greeting] = await once(createInterface(server.stdout), "line");
const url = greeting.replace("listening on ", "");
console.log(`the chat server, in C, is ${greeting}\n`);

const javascript = path.join(here, "chat_client.mjs");
const count = ["--members", "3"];
const names = ["ada", "brian", "grace"];
try {
  await checkPage(url);
  const transcripts = await Promise.all([
    member(path.join(programs, "chat_client"), url, ROOM, "ada", ...count),
    member(path.join(programs, "loop_poll"), url, ROOM, "brian", ...count),
    member(process.execPath, javascript, url, ROOM, "grace", ...count),
  ]);
  transcripts.forEach((lines, i) => {
    const expected = names.filter((name) => name !== names[i]).flatMap(SAID);
    expected.push("the server has acknowledged: sent");
    const missing = expected.filter((line) => !lines.includes(`[${names[i]}] ${line}`));
    if (missing.length > 0) throw new Error(`${names[i]} did not see: ${missing.join("; ")}`);
  });
  console.log("\neach of the three saw what the other two said");
  if (process.stdout.isTTY && process.argv[3] !== "--once") {
    console.log(`the chat goes on at ${url} until Ctrl-C`);
    await once(process, "SIGINT");
  }
} catch (error) {
  console.error(`the demo failed: ${error.message}`);
  process.exitCode = 1;
}

server.kill("SIGTERM");
const [status] = server.exitCode === null ? await once(server, "exit") : [server.exitCode];
if (status !== 0) {
  console.error(`the server ended with ${status}`);
  process.exitCode = 1;
}
