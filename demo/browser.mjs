// A member of the chat in headless Chromium: does on the page what a person would, and tells what the page shows. Any error
// on the page, and any request that fails, is the end.
//
//   node browser.mjs URL ROOM NAME [--members COUNT] [--screenshot FILE]
//
// CHROMIUM names the browser; without it the one of the system is taken.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CAPTION, FACE } from "../bindings/node/examples/chat/face.mjs";

const PATIENCE_MS = 60_000;
/** Root cannot have a sandbox here, and nothing but the page is to be fetched. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser of this machine; undefined when it has none. */
export function findChromium() {
  for (const name of [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"]) {
    try {
      if (name) return execFileSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
    } catch {
      // not this one
    }
  }
  return undefined;
}

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { members: { type: "string", default: "2" }, screenshot: { type: "string" } },
  });
  const [url, room, name] = positionals;
  const profile = mkdtempSync(path.join(tmpdir(), "chat-"));
  const { chromium } = createRequire(new URL("../tests/interop/package.json", import.meta.url))("playwright-core");
  const patience = setTimeout(() => fail("gives up"), PATIENCE_MS);
  let context;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: findChromium(),
      args: FLAGS,
      viewport: { width: 720, height: 900 },
    });
    await chat(context.pages()[0], { url, room, name, others: Number(values.members) - 1, screenshot: values.screenshot });
  } finally {
    clearTimeout(patience);
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function chat(page, { url, room, name, others, screenshot }) {
  const tell = (text) => console.log(`[${name}] ${text}`);
  const broken = new Promise((_, reject) => {
    page.on("pageerror", (error) => reject(new Error(`an error on the page: ${error.stack}`)));
    page.on("console", (line) => line.type() === "error" && reject(new Error(`on the console: ${line.text()}`)));
    page.on("requestfailed", (request) => reject(new Error(`${request.url()}: ${request.failure().errorText}`)));
    page.on("response", (answer) => answer.status() >= 400 && reject(new Error(`${answer.url()}: ${answer.status()}`)));
  });
  broken.catch(() => {}); // it is raced below, as long as that lasts
  const visit = async () => {
    await page.goto(url);
    const { everything } = await watch(page, tell, 3 * others);
    tell(`joins ${room}`);
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("Room").fill(room);
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText(`${others + 1} here`).waitFor();

    await say(page, tell, `hello, I am ${name}`);
    tell("sends a picture");
    await page.getByLabel("Picture").setInputFiles({ name: CAPTION, mimeType: "image/png", buffer: FACE });
    await say(page, tell, "did this arrive?");
    const answers = [];
    for (const own of [`hello, I am ${name}`, CAPTION, "did this arrive?"]) {
      const item = page.locator("li.mine[data-answer]", { hasText: own });
      answers.push(await item.getAttribute("data-answer"));
    }
    if (answers.some((answer) => answer !== "sent")) throw new Error(`the server answered ${answers.join(", ")}`);
    tell(`the server has acknowledged: ${answers.at(-1)}`);

    await everything;
    if (screenshot) {
      mkdirSync(path.dirname(path.resolve(screenshot)), { recursive: true });
      await page.screenshot({ path: screenshot });
    }
    tell("has seen everything and leaves");
  };
  await Promise.race([visit(), broken]);
}

async function say(page, tell, text) {
  tell(`says: ${text}`);
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Tells each line of others that appears in the page's log; `everything` resolves after `count` of them. */
async function watch(page, tell, count) {
  let seen = 0;
  let done;
  const everything = new Promise((resolve) => (done = resolve));
  await page.exposeFunction("appeared", ({ note, who, text, picture }) => {
    if (note) return tell(text);
    const face = picture !== null && FACE.equals(Buffer.from(picture, "base64"));
    tell(picture === null ? `${who}: ${text}` : `${who} sent ${face ? "the face" : "a picture"}: ${text}`);
    if (++seen === count) done();
  });
  await page.evaluate(() => {
    /** What an image shows, once it shows it: the bytes that it was made of. */
    const bytesOf = async (image) => {
      await image.decode();
      const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
      return btoa(String.fromCharCode(...bytes));
    };
    const report = async (item) => {
      const image = item.querySelector("img");
      const who = item.querySelector(".who")?.textContent ?? "";
      const text = item.textContent.slice(who.length);
      const picture = image && (await bytesOf(image));
      await window.appeared({ note: item.classList.contains("note"), who, text, picture });
    };
    let before = Promise.resolve();
    new MutationObserver((changes) => {
      for (const item of changes.flatMap((change) => [...change.addedNodes])) {
        if (!item.classList.contains("mine")) before = before.then(() => report(item));
      }
    }).observe(document.getElementById("log"), { childList: true });
  });
  return { everything };
}

function fail(reason) {
  console.error(`the browser: ${reason}`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main().catch((error) => fail(error.message));
