// Builds the native part, which `npm install` runs: build.mjs [--debug]
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const to = `${here}socketio.node`;

if (!existsSync(`${here}../common/Cargo.toml`)) {
  fail("the native part is built from the repository: install this folder where it lies in a checkout, without --install-links");
}
const profile = process.argv.includes("--debug") ? "dev" : "release";
const cargo = spawnSync(
  "cargo",
  ["build", "--profile", profile, "--package", "socketio-node", "--message-format", "json-render-diagnostics"],
  { cwd: here, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 1 << 28 },
);
if (cargo.error?.code === "ENOENT") fail("it has a native part written in Rust: install Rust (https://rustup.rs), then try again");
if (cargo.error) fail(cargo.error.message);
if (cargo.status !== 0) fail("the native part cannot be built: see above");

const library = cargo.stdout
  .split("\n")
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line))
  .find(({ reason, target }) => reason === "compiler-artifact" && target.name === "socketio_node")
  .filenames.find((file) => /\.(so|dylib|dll)$/.test(file));
// A process may have the old one loaded: it keeps the file that it has.
copyFileSync(library, `${to}.new`);
renameSync(`${to}.new`, to);

function fail(message) {
  console.error(`socketio-native: ${message}`);
  process.exit(1);
}
