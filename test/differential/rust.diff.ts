import { compareProgram } from './compare.js';
import type { Program } from './program.js';

const words = 'rustc --edition 2021 $programs/words.rs -o program';
const tools = ['rustc'];

const programs: Program[] = [
  { name: 'rust-release', tools, build: [`${words} -O -g`] },
  { name: 'rust-one-unit', tools, build: [`${words} -O -C debuginfo=1 -C codegen-units=1`] },
  { name: 'rust-fat-lto', tools, build: [`${words} -C opt-level=s -g -C lto=fat`] },
  { name: 'rust-v0-names', tools, build: [`${words} -O -g -C symbol-mangling-version=v0`] },
];

for (const program of programs) compareProgram(program);
