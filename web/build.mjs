// Bundles src/main.ts, copies pages, styles and public/ into the Python package; --tests bundles the
// unit tests for node's own runner instead. Nothing is fetched: the page works without a network.
import { build } from "esbuild";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");

async function filesEnding(ending) {
  const names = await readdir(source, { recursive: true });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(source, name));
}

const common = { bundle: true, target: "es2022", format: "esm", logLevel: "warning", absWorkingDir: here };

async function buildPage() {
  const out = join(here, "..", "src", "isosoma", "serve", "static");
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const pages = await filesEnding(".html");
  // Styles that no script imports are bundled on their own, under their own name.
  const styles = existsSync(join(source, "style.css")) ? [join(source, "style.css")] : [];
  // Rooms are fetched when they are opened; what they share with the first view is shared by splitting.
  const rooms = ["rehearse", "images"].map((name) => join(source, name, "room.ts"));
  await build({
    ...common,
    entryPoints: [join(source, "main.ts"), ...rooms, ...styles, ...pages],
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    outdir: out,
    outbase: source,
    minify: true,
    sourcemap: "linked",
    loader: { ".html": "copy", ".svg": "file", ".woff2": "file" },
  });
  if (existsSync(join(here, "public"))) await cp(join(here, "public"), out, { recursive: true });
}

async function buildTests() {
  const out = join(here, "build", "tests");
  await rm(out, { recursive: true, force: true });
  const entryPoints = await filesEnding(".test.ts");
  await build({ ...common, entryPoints, outdir: out, outbase: source, platform: "node", outExtension: { ".js": ".mjs" } });
  console.log(`${entryPoints.length} test files in ${relative(here, out)}`);
}

await (process.argv.includes("--tests") ? buildTests() : buildPage());
