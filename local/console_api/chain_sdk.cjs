// Writes the part of npm's @akashnetwork/chain-sdk that judges SDLs and makes manifests, with everything that it needs,
// as one script for a V8 without Node: node chain_sdk.cjs <node_modules> <script>.
const fs = require("fs");
const { createRequire } = require("module");
const path = require("path");

const [root, out] = process.argv.slice(2).map((given) => path.resolve(given));
const numbers = new Map();
const modules = [];

function add(file) {
  if (numbers.has(file)) return numbers.get(file);
  const number = numbers.size;
  numbers.set(file, number);
  const source = fs.readFileSync(file, "utf8").replace(/^\/\/# sourceMappingURL=.*$/m, "");
  const resolve = createRequire(file).resolve;
  const needs = {};
  for (const [, name] of source.matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
    let found;
    try { found = resolve(name); } catch { continue; } // In a text, or of what is never called.
    // A package with an ES module for Node's newest require has the same in CommonJS beside it.
    if (path.isAbsolute(found)) needs[name] = add(found.endsWith(".mjs") ? path.join(path.dirname(found), "index.js") : found);
  }
  modules[number] = `[${JSON.stringify(needs)},function(module,exports,require){${source}\n}]`;
  return number;
}

const sdk = add(path.join(root, "@akashnetwork/chain-sdk/dist/cjs/sdl/index.cjs"));
const yaml = add(createRequire(path.join(root, "@akashnetwork/chain-sdk/package.json")).resolve("js-yaml"));
const { version } = JSON.parse(fs.readFileSync(path.join(root, "@akashnetwork/chain-sdk/package.json"), "utf8"));
fs.writeFileSync(out, `"use strict";
const chainSdk = (function (modules) {
  const made = {};
  function load(number) {
    if (made[number]) return made[number].exports;
    const module = (made[number] = { exports: {} });
    modules[number][1](module, module.exports, (name) => load(modules[number][0][name]));
    return module.exports;
  }
  return { version: ${JSON.stringify(version)}, sdl: load(${sdk}), yaml: load(${yaml}) };
})([${modules.join(",\n")}]);
`);
