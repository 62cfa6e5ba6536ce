// The bundle that Streamlit gets: complete, in an order that runs, with names that do not collide.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const folder = new URL("../../qlr_ui/player/", import.meta.url);
const source = (name) => readFileSync(new URL(name, folder), "utf8");
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
const order = [...source("bundle.py").match(/MODULES = \([\s\S]*?\n\)/)[0].matchAll(/"([\w/]+)"/g)].map((match) => `${match[1]}.js`);
const imports = (name) =>
  [...source(name).matchAll(/from "(\.[^"]+)"/g)].map((match) => new URL(match[1], new URL(name, folder)).href.slice(folder.href.length));

test("every module is bundled once", () => assert.deepEqual([...order].sort(), files.sort()));

test("what is shown imports what is known of it, never the reverse", () => {
  for (const name of files.filter((name) => name.startsWith("data/"))) for (const needed of imports(name)) assert.match(needed, /^data\//, `${name} needs ${needed}`);
});

test("every module comes after those it imports", () => {
  for (const [i, name] of order.entries()) for (const needed of imports(name)) assert.ok(order.indexOf(needed) < i, `${name} before ${needed}`);
});

test("top-level names are unique", () => {
  const names = files.flatMap((name) => [...source(name).matchAll(/^(?:export )?(?:default )?(?:async )?(?:function|class|const|let) (\w+)/gm)].map((match) => match[1]));
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});

test("the joined modules load as one module with one default export", async () => {
  const joined = order.map((name) => source(name).replace(/^import\s[^;]*;\n/gm, "").replace(/^export (?!default)/gm, "")).join("\n");
  const module = await import(`data:text/javascript;base64,${Buffer.from(joined).toString("base64")}`);
  assert.deepEqual(Object.keys(module), ["default"]);
  assert.equal(typeof module.default, "function");
});

test("a file says first what it is for, and stays short", () => {
  for (const name of files) {
    assert.match(source(name), /^\/\/ [A-Z]/, name);
    assert.ok(source(name).split("\n").length <= 251, `${name} is longer than 250 lines`);
  }
});
