// Loads a program that was bundled as CommonJS, with the code that V8 made of it before: a third of the time of a command is compiling it. Node 20
// keeps no such code by itself. Code of another Node or processor, refused by V8, changed or missing is compiled anew.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const DIGEST_BYTES = 32;
const WRAPPER = ['(function (exports, require, module, __filename, __dirname) {', '\n})'];

/** What made the code, and may run it. */
const MADE_FOR = `${process.version} ${process.arch} ${process.versions.v8}\n`;

/** What a bundled module exports. */
export function loadCompiled(url) {
  return programLoader().load(fileURLToPath(url));
}

/** Loads modules, each once; `compile` makes one ready and does not run it; `scripts` has what was compiled so far, by file. */
export function programLoader() {
  const modules = new Map();
  const scripts = new Map();
  const compile = (file) => {
    const script = scriptOf(file);
    scripts.set(file, script);
    return script;
  };
  const load = (file) => {
    const known = modules.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    // before it runs: modules may load one another
    modules.set(file, module);
    const script = compile(file);
    script.runInThisContext().call(module.exports, module.exports, requireFrom(file, load), module, file, path.dirname(file));
    return module.exports;
  };
  return { load, compile, scripts };
}

/** Keeps the code that V8 has made of a module by now. */
export function keepCode(file, script) {
  const code = script.createCachedData();
  const partial = `${codeFile(file)}.${process.pid}`;
  writeFileSync(partial, Buffer.concat([digestOf(readFileSync(file), code), code]));
  renameSync(partial, codeFile(file));
}

function codeFile(file) {
  return `${file}.code`;
}

function scriptOf(file) {
  const source = readFileSync(file);
  return new Script(WRAPPER.join(source.toString()), { filename: file, cachedData: readCode(file, source) });
}

/** V8 looks at its version, its flags and the length of the source only: other bytes would end the process, or run as another program. */
function readCode(file, source) {
  try {
    const kept = readFileSync(codeFile(file));
    const code = kept.subarray(DIGEST_BYTES);
    return kept.subarray(0, DIGEST_BYTES).equals(digestOf(source, code)) ? code : undefined;
  } catch (error) {
    // nothing was kept of it
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function digestOf(source, code) {
  return createHash('sha256').update(MADE_FOR).update(source).update(code).digest();
}

/** Modules of the bundle are ours to load, all others are Node's. */
function requireFrom(file, load) {
  return (name) => (name.startsWith('.') ? load(path.resolve(path.dirname(file), name)) : createRequire(file)(name));
}
