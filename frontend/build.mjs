// Bundles the dashboard into the Python package, as the one file that TensorBoard imports.

import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outfile = path("../tb_regplugin/static/index.js");

const result = await build({
  entryPoints: [path("src/main.tsx")],
  outfile,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  // Styles come as text and are put into a <style>: the entry page has no room for a stylesheet.
  loader: { ".css": "text" },
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "inline",
  write: true,
  metafile: true,
});

const { size } = await stat(outfile);
const { readFile } = await import("node:fs/promises");
const gzipped = gzipSync(await readFile(outfile)).length;
const inputs = Object.keys(result.metafile.inputs).length;
console.log(`index.js: ${inputs} inputs, ${size} bytes, ${gzipped} gzipped`);
