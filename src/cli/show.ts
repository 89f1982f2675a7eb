import { AutofdoError } from '../errors.js';
import type { JobControl } from '../native.js';
import { nearest } from '../nearest.js';
import { DESCRIBE_OPTIONS, type DescribeOptions } from '../options/describe.js';
import { jsonText } from '../report/json.js';
import type { Diagnostic } from '../result.js';
import type { FunctionSamples, SampleProfile } from '../sample-profile/types.js';
import { parseCommand } from './command.js';
import { SHOW_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { printAll, printDiagnostics } from './terminal.js';
import { checkTarget, writeTarget } from './text-output.js';

interface ShowCommand {
  description: DescribeOptions;
  /** The function whose counts are shown, or `all`; undefined if no counts are shown. */
  counts: { name: string } | 'all' | undefined;
  symbols: boolean;
  /** True if functions are printed in llvm-profdata's JSON form. */
  asLlvmJson: boolean;
  target: string;
  json: boolean;
  demangle: boolean;
}

/** Runs `show`. Resolves to the exit status. */
export async function runShowCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'show', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.json,
    quiet: true,
    run: async (control) => {
      const inputs = [command.description.path];
      await checkTarget(command.target, inputs);
      const output = command.json ? jsonOutput(command, control) : textOutput(command, control);
      const { texts, diagnostics } = await output;
      if (command.target !== '-') await writeTarget(command.target, inputs, texts);
      return { texts, diagnostics };
    },
    report: async ({ texts, diagnostics }) => {
      if (command.target === '-') await printAll(texts);
      printDiagnostics(diagnostics, true);
      return undefined;
    },
  });
}

function toCommand(parsed: ParsedArgs): ShowCommand {
  const { positionals } = parsed;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw new UsageError(`expected one profile, found ${positionals.length}`, 'autofdo-gen show a.afdo');
  }
  const {
    function: name,
    showFormat,
    output: target = '-',
    symbols = false,
    json = false,
    demangle = false,
    allFunctions = showFormat !== undefined && name === undefined,
  } = valuesOf(SHOW_OWN, parsed);
  if (showFormat === 'yaml') {
    throw new UsageError('--show-format=yaml is not for sample profiles', 'use --show-format=json');
  }
  if (showFormat === 'json' && !allFunctions) {
    throw new UsageError('--show-format=json is for all functions', 'use --json for one function');
  }
  if (showFormat === 'json' && json) {
    throw new UsageError('--json and --show-format=json print different JSON', 'choose one of them');
  }
  const given = valuesOf(DESCRIBE_OPTIONS, parsed);
  const isAsked = allFunctions || name !== undefined || symbols || given.detailedSummary === true;
  // In llvm-profdata, --topn asks for the hot functions, and 0 asks for all of them.
  const hotFunctions = given.hotFunctions ?? (isAsked && Boolean(given.top));
  refuseTerminal(file, 'profile');
  const reads = allFunctions || name !== undefined || symbols;
  const describes = json || (given.sections !== true && (given.detailedSummary === true || hotFunctions));
  if (file === '-' && reads && describes) {
    throw new UsageError(
      'standard input cannot be read twice, for counts or symbols and for a description',
      'write the profile to a file, or ask for one of them',
    );
  }
  return {
    description: { top: 10, topHot: given.top || undefined, ...given, hotFunctions, path: file },
    asLlvmJson: showFormat === 'json',
    target,
    counts: allFunctions ? 'all' : name === undefined ? undefined : { name },
    symbols,
    json,
    demangle,
  };
}

/** The output in pieces, and the warnings and notes about it. */
interface Output {
  texts: Iterable<string>;
  diagnostics: readonly Diagnostic[];
}

/**
 * Returns the parts that llvm-profdata prints, in its order. If no part was asked for, returns a description for
 * people.
 */
async function textOutput(command: ShowCommand, { signal }: JobControl): Promise<Output> {
  const { description: options, counts, symbols } = command;
  const asked = options.sections || options.detailedSummary || options.hotFunctions;
  const parts: Iterable<string>[] = [];
  // If sections are asked for, llvm-profdata prints nothing else.
  if (!options.sections && (counts !== undefined || symbols)) {
    const profile = await read(options.path, signal);
    if (counts !== undefined) parts.push(await functionsOutput(command, profile, counts));
    if (symbols) parts.push(symbolTexts(profile));
  }
  let diagnostics: readonly Diagnostic[] = [];
  if (asked || parts.length === 0) {
    const description = await describe(options, signal);
    const { descriptionText } = await import('../report/description.js');
    parts.push([asked ? description.text : descriptionText(description, options.path)]);
    diagnostics = description.diagnostics;
  }
  const names = command.demangle ? await loadDemangle() : undefined;
  return { texts: mapped(parts, (text) => names?.(text) ?? text), diagnostics };
}

async function functionsOutput(
  { asLlvmJson }: ShowCommand,
  profile: SampleProfile,
  counts: { name: string } | 'all',
): Promise<Iterable<string>> {
  const { functionTexts, llvmJsonTexts } = await import('../report/function-samples.js');
  const functions = await choose(profile, counts);
  return asLlvmJson ? llvmJsonTexts(profile, functions) : functionTexts(profile, functions);
}

function* mapped(parts: readonly Iterable<string>[], map: (text: string) => string): Generator<string> {
  for (const part of parts) for (const text of part) yield map(text);
}

async function jsonOutput(command: ShowCommand, { signal }: JobControl): Promise<Output> {
  const { description: options, counts, symbols } = command;
  const { text: _text, functions, ...description } = await describe(options, signal);
  const names = command.demangle ? await loadDemangle() : undefined;
  const replace =
    names && ((_: string, value: unknown) => (typeof value === 'string' ? names(value) : value));
  const profile = counts !== undefined || symbols ? await read(options.path, signal) : undefined;
  const head = jsonText(
    { ok: true, ...description, ...(symbols && { symbolList: profile?.symbolList }) },
    2,
    replace,
  );
  const { diagnostics } = description;
  if (profile === undefined || counts === undefined) {
    const texts = functions.map((item) => jsonText(item, 2, replace).replaceAll('\n', '\n    '));
    return { texts: jsonTexts(head, texts), diagnostics };
  }
  const { functionJsons, shownName } = await import('../report/function-samples.js');
  const nameOf = shownName(profile);
  const shown = names === undefined ? nameOf : (name: string) => names(nameOf(name));
  const texts = functionJsons(profile, await choose(profile, counts), '    ', shown);
  return { texts: jsonTexts(head, texts), diagnostics };
}

/**
 * Yields an object as JSON, with its functions at the end, one piece for each function. All functions together may
 * be too long for one string.
 */
function* jsonTexts(head: string, functions: Iterable<string>): Generator<string> {
  yield `${head.slice(0, -2)},\n  "functions": [`;
  let separator = '';
  for (const text of functions) {
    yield `${separator}\n    ${text}`;
    separator = ',';
  }
  yield separator === '' ? ']\n}\n' : '\n  ]\n}\n';
}

async function loadDemangle() {
  return (await import('../native.js')).loadDemangle();
}

async function describe(options: DescribeOptions, signal: AbortSignal | undefined) {
  const { describeProfile } = await import('../describe-profile.js');
  return describeProfile({ ...options, signal });
}

async function read(file: string, signal: AbortSignal | undefined): Promise<SampleProfile> {
  return (await import('../sample-profile/read-profile.js')).readProfile(file, { signal });
}

async function choose(profile: SampleProfile, counts: { name: string } | 'all'): Promise<FunctionSamples[]> {
  const { fullName, hottestFirst, shownName } = await import('../report/function-samples.js');
  if (counts === 'all') return hottestFirst(profile);
  const { nameHash } = await import('../sample-profile/name-hash.js');
  const wanted = profile.md5 ? nameHash(counts.name) : counts.name;
  const nameOf = shownName(profile);
  const byName = (samples: FunctionSamples) =>
    samples.name === wanted || (samples.callers !== undefined && fullName(samples, nameOf) === counts.name);
  // If the profile has only hashes, or hashes were listed, the user may give the number that stands for a name.
  const number = /^\d{1,20}$/.test(counts.name) ? BigInt(counts.name).toString(16).padStart(16, '0') : '';
  const byNumber = ({ name }: FunctionSamples) => (profile.md5 ? name : nameHash(name)) === number;
  const named = profile.functions.filter(byName);
  const functions = named.length > 0 || number === '' ? named : profile.functions.filter(byNumber);
  const found = hottestFirst({ ...profile, functions });
  if (found.length === 0) {
    const similar = profile.md5
      ? undefined
      : nearest(
          counts.name,
          profile.functions.map(({ name }) => name),
        );
    throw new AutofdoError('INPUT_INVALID', `the profile has no function '${counts.name}'`, {
      hint: similar === undefined ? '--topn lists the hottest functions' : `did you mean ${similar}?`,
    });
  }
  return found;
}

function* symbolTexts({ symbolList }: SampleProfile): Generator<string> {
  yield '======== Dump profile symbol list ========\n';
  for (const name of symbolList.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    yield `${name}\n`;
  }
}
