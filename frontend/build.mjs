// Bundles the dashboard into the Python package, as the one file that TensorBoard imports.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outfile = path("../tb_regplugin/static/index.js");

/** Styles come as text and are put into a <style>: the entry page has no room for a stylesheet. */
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async (file) => {
      const source = await readFile(file.path, "utf8");
      const { code } = await transform(source, { loader: "css", minify: true });
      return { contents: code, loader: "text" };
    });
  },
};

/**
 * uPlot without what it has for others: lines, which we draw ourselves, and calendars. Its own
 * builds leave them out by the same flags, but the package holds the whole build alone.
 */
const uplotFeatures = {
  name: "uplot-features",
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async (file) => {
      const source = await readFile(file.path, "utf8");
      const contents = source
        .replace(/const FEAT_TIME += true;/, "const FEAT_TIME = false;")
        .replace(/^uPlot\.assign = assign;[\s\S]*(?=^export )/m, "");
      if (!contents.includes("FEAT_TIME = false") || contents.includes("uPlot.paths")) {
        throw new Error("This uPlot is laid out differently: see uplotFeatures in build.mjs.");
      }
      return { contents, loader: "js" };
    });
  },
};

await build({
  entryPoints: [path("src/main.tsx")],
  outfile,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  plugins: [styles, uplotFeatures],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "inline",
});

const bundle = await readFile(outfile);
console.log(`${outfile}: ${bundle.length} bytes, ${gzipSync(bundle).length} gzipped`);
