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

await build({
  entryPoints: [path("src/main.tsx")],
  outfile,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  plugins: [styles],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "inline",
});

const bundle = await readFile(outfile);
console.log(`${outfile}: ${bundle.length} bytes, ${gzipSync(bundle).length} gzipped`);
