import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, shell, type Tool } from './tools.js';

/** A program to build, record and profile. */
export interface Program {
  name: string;
  /** Tools for building and running the program, in addition to the tools of every test. */
  tools?: readonly Tool[];
  /** Generated sources, by file name. */
  files?: Readonly<Record<string, string>>;
  /**
   * Shell commands, run in a folder of the program's own. `$programs` and `$fixtures` are source folders. The
   * commands make `program`, unless `binary` and `start` name other files.
   */
  build: readonly string[];
  /** The binary to profile. */
  binary?: string;
  /** The program to start, with its arguments. */
  start?: string;
  /** Options of the recorder. */
  record?: string;
  /** Flags of every profile of this program. */
  flags?: readonly string[];
  /** Profiled by its pseudo probes. */
  probes?: boolean;
  /** The documented difference that this program's profile shows. Only the profile with --compat is equal. */
  deviates?: string;
}

export interface Recording {
  folder: string;
  binary: string;
  perfData: string;
}

const sources = {
  programs: join(repository, 'test/differential/programs'),
  fixtures: join(repository, 'fixtures/src'),
};

const recordings = new Map<string, Recording | Error>();

/** Builds and records a program, once for all its tests. */
export function recorded(program: Program): Recording {
  const known = recordings.get(program.name);
  if (known instanceof Error) throw known;
  if (known) return known;
  try {
    const made = record(program);
    recordings.set(program.name, made);
    return made;
  } catch (error) {
    recordings.set(program.name, error as Error);
    throw error;
  }
}

/** Returns the folder in which a program is built. */
export function folderOf(program: Program): string {
  const folder = join(process.env['AUTOFDO_SCRATCH'] ?? '', program.name);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  return folder;
}

const folders = new Map<string, string>();

/** Builds a program, once for all its tests, and returns its folder. */
export function built(program: Program): string {
  const known = folders.get(program.name);
  if (known !== undefined) return known;
  const folder = folderOf(program);
  for (const [name, text] of Object.entries(program.files ?? {})) writeFileSync(join(folder, name), text);
  for (const command of program.build) shell(command, folder, sources);
  folders.set(program.name, folder);
  return folder;
}

function record(program: Program): Recording {
  const folder = built(program);
  const recorder = join(repository, 'test/recorder/record-program.sh');
  const options = program.record ?? 'period=1009';
  shell(`${recorder} perf.data ${options} -- ${program.start ?? './program'} >output.txt`, folder, {
    QEMU_CPU: 'max',
  });
  return { folder, binary: program.binary ?? 'program', perfData: 'perf.data' };
}
