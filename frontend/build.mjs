// Bundles the dashboard into the Python package, as the one file that TensorBoard imports.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outfile = path("../tb_regplugin/static/index.js");

/** Rules of uPlot for what UPLOT_WITHOUT leaves out. */
const UNUSED_RULES = /\.u-(legend|inline|series|title)\b[^{}]*\{[^{}]*\}/g;

/** Styles come as text and are put into a <style>: the entry page has no room for a stylesheet. */
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async (file) => {
      const source = await readFile(file.path, "utf8");
      const used = source.replace(UNUSED_RULES, "");
      const { code } = await transform(used, { loader: "css", minify: true });
      return { contents: code, loader: "text" };
    });
  },
};

/**
 * uPlot without what it has for others: lines and points, which we draw ourselves, its legend and
 * calendars. Its own builds leave some of it out by flags, but the package holds all of it.
 */
const UPLOT_WITHOUT = [
  [/const FEAT_TIME += true;/, "const FEAT_TIME = false;"],
  [/(?<=const _time(AxisSplits|AxisVals|SeriesVal) += ).*(?=;$)/gm, "null"],
  [/^const \[ timeIncrs.*$/gm, ""],
  [/const _(tz|fmt)Date .*;/g, ""],
  [/let isTime = .*;/g, ""],
  [/\bisTime\b/g, "false"],
  [/const linearPath = linear\(\) *;/, "const linearPath = null;"],
  [/const pointsPath = points\(\) *;/, "const pointsPath = null;"],
  [/const showLegend = legend\.show;/, ""],
  [/\bshowLegend\b/g, "false"],
  [/(?<=function drawSeries\(\) \{\s+if \()dataLen > 0(?=\))/, "false"],
  // esbuild leaves functions within functions in place, called or not.
  [
    /^\tfunction (initLegendRow|getOuterIdxs|cacheStrokeFill|drawPath|fillStroke|strokeFill|doStroke)\([\s\S]*?^\t\}/gm,
    "",
  ],
  [/^uPlot\.assign = assign;[\s\S]*(?=^export )/m, ""],
];

const uplotFeatures = {
  name: "uplot-features",
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async (file) => {
      let contents = await readFile(file.path, "utf8");
      for (const [found, instead] of UPLOT_WITHOUT) {
        const changed = contents.replace(found, instead);
        if (changed === contents) {
          throw new Error(`This uPlot has no ${found}: see UPLOT_WITHOUT in build.mjs.`);
        }
        contents = changed;
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
