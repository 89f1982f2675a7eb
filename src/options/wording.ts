import { COLLECT_OPTIONS } from './collect.js';
import { COMPARE_OPTIONS } from './compare.js';
import { DESCRIBE_OPTIONS } from './describe.js';
import { DIAGNOSE_OPTIONS } from './diagnose.js';
import { type FlagTable, flagOf } from './flag.js';
import { GENERATE_OPTIONS } from './generate.js';
import { CONVERT_OPTIONS, MERGE_OPTIONS } from './merge.js';
import { REPORT_OPTIONS } from './report.js';

/** The library's function for each command, and the options of that function. */
const FUNCTIONS: Readonly<Record<string, { name: string; options: FlagTable }>> = {
  generate: { name: 'generateProfile', options: GENERATE_OPTIONS },
  collect: { name: 'collectTraces', options: COLLECT_OPTIONS },
  convert: { name: 'convertProfile', options: CONVERT_OPTIONS },
  merge: { name: 'mergeProfiles', options: MERGE_OPTIONS },
};
const OTHER_OPTIONS: readonly FlagTable[] = [
  DESCRIBE_OPTIONS,
  COMPARE_OPTIONS,
  DIAGNOSE_OPTIONS,
  REPORT_OPTIONS,
];
const TABLES = [...Object.values(FUNCTIONS).map(({ options }) => options), ...OTHER_OPTIONS];

/**
 * Matches a reference to an option (`{--binary}`, `{--samples=addresses}`) or to a call (`{generate --binary
 * --perfscript}`).
 */
const REFERENCE = /\{(?:([a-z]+) )?(--[a-z0-9-]+(?:=[a-z-]+)?(?: --[a-z0-9-]+(?:=[a-z-]+)?)*)\}/g;

let namesFlags = false;

/**
 * Makes texts name flags from now on. The command line calls this function before it runs a job. Without the call,
 * texts name the fields of the library.
 */
export function nameFlags(): void {
  namesFlags = true;
}

/**
 * Replaces the references to options in a text of the addon or of the library by the names that the reader knows.
 */
export function worded(text: string): string {
  return text.replace(REFERENCE, (_, command: string | undefined, flags: string) =>
    namesFlags ? asFlags(command, flags) : asFields(command, flags),
  );
}

/** Returns the flags and commands that a text refers to. */
export function referencesIn(text: string): { command: string | undefined; flag: string }[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, command, flags = '']) =>
    flags.split(' ').map((flag) => ({ command, flag: split(flag).flag })),
  );
}

/** Writes a reference as flags: `--samples=addresses`, or `` `autofdo-gen --binary FILE` ``. */
function asFlags(command: string | undefined, flags: string): string {
  if (command === undefined) return flags;
  const words = flags.split(' ').map((text) => {
    const { flag, value } = split(text);
    const placeholder = value === undefined ? find(flag)?.placeholder : undefined;
    return placeholder === undefined ? text : `${text} ${placeholder}`;
  });
  const name = command === 'generate' ? 'autofdo-gen' : `autofdo-gen ${command}`;
  return `\`${name} ${words.join(' ')}\``;
}

/**
 * Writes a reference as fields of the library: `` `samples: 'addresses'` ``, or `` `generateProfile({ binary })`
 * ``.
 */
function asFields(command: string | undefined, flags: string): string {
  const fields = flags.split(' ').map((text) => {
    const { flag, value } = split(text);
    const field = find(flag)?.field ?? flag;
    return value === undefined ? field : `${field}: '${value}'`;
  });
  const list = fields.join(', ');
  return command === undefined ? `\`${list}\`` : `\`${FUNCTIONS[command]?.name}({ ${list} })\``;
}

function split(text: string): { flag: string; value: string | undefined } {
  const [flag = '', value] = text.slice('--'.length).split('=');
  return { flag, value };
}

/** Returns the field that a flag sets, and the placeholder for its value in the help. */
function find(name: string): { field: string; placeholder: string | undefined } | undefined {
  for (const table of TABLES) {
    for (const [field, option] of Object.entries(table)) {
      const flag = flagOf(option);
      if (flag?.name === name) return { field, placeholder: flag.value };
    }
  }
  return undefined;
}
