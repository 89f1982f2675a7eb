import { readFileSync } from 'node:fs';
import { AutofdoError } from '../errors.js';
import type { JobControl } from '../native.js';
import { nearest } from '../nearest.js';
import { DESCRIBE_OPTIONS, type DescribeOptions } from '../options/describe.js';
import type { FunctionSamples, SampleProfile } from '../sample-profile/types.js';
import { parseCommand } from './command.js';
import { SHOW_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { printAll } from './terminal.js';

interface ShowCommand {
  description: DescribeOptions;
  /** A function whose counts are wanted, or all. */
  counts: { name: string } | 'all' | undefined;
  symbols: boolean;
  json: boolean;
  demangle: boolean;
}

/** Runs `show`; resolves to the exit status. */
export async function runShowCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'show', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.json,
    quiet: true,
    run: (control) => (command.json ? jsonOutput(command, control) : textOutput(command, control)),
    report: async (texts) => {
      await printAll(texts);
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
    allFunctions = false,
    symbols = false,
    json = false,
    demangle = false,
  } = valuesOf(SHOW_OWN, parsed);
  return {
    description: { top: 10, ...valuesOf(DESCRIBE_OPTIONS, parsed), path: file },
    counts: allFunctions ? 'all' : name === undefined ? undefined : { name },
    symbols,
    json,
    demangle,
  };
}

/** What llvm-profdata prints in its order; without a choice, what a person wants to know. */
async function textOutput(command: ShowCommand, { signal }: JobControl): Promise<Iterable<string>> {
  const { description: options, counts, symbols } = command;
  const asked = options.sections || options.detailedSummary || options.hotFunctions;
  const parts: Iterable<string>[] = [];
  if (counts !== undefined || symbols) {
    const { functionTexts } = await import('../report/function-samples.js');
    const profile = await read(options.path, signal);
    if (counts !== undefined) parts.push(functionTexts(profile, await choose(profile, counts)));
    if (symbols) parts.push(symbolTexts(profile));
  }
  if (asked || parts.length === 0) {
    const description = await describe(options, signal);
    const { descriptionText } = await import('../report/description.js');
    parts.push([asked ? description.text : descriptionText(description, options.path)]);
  }
  const names = command.demangle ? await loadDemangle() : undefined;
  return mapped(parts, (text) => names?.(text) ?? text);
}

function* mapped(parts: readonly Iterable<string>[], map: (text: string) => string): Generator<string> {
  for (const part of parts) for (const text of part) yield map(text);
}

async function jsonOutput(command: ShowCommand, { signal }: JobControl): Promise<Iterable<string>> {
  const { description: options, counts, symbols } = command;
  const { text: _text, functions, ...description } = await describe(options, signal);
  const names = command.demangle ? await loadDemangle() : undefined;
  const replace =
    names && ((_: string, value: unknown) => (typeof value === 'string' ? names(value) : value));
  const profile = counts !== undefined || symbols ? await read(options.path, signal) : undefined;
  const head = { ok: true, ...description, ...(symbols && { symbolList: profile?.symbolList }) };
  if (profile === undefined || counts === undefined) return jsonTexts(head, functions, replace);
  const { functionJsons } = await import('../report/function-samples.js');
  return jsonTexts(head, functionJsons(profile, await choose(profile, counts)), replace);
}

/** An object as JSON with its functions behind the rest, each by itself: all of them may be too long for one string. */
function* jsonTexts(
  head: object,
  functions: Iterable<object>,
  replace: ((key: string, value: unknown) => unknown) | undefined,
): Generator<string> {
  yield `${JSON.stringify(head, replace, 2).slice(0, -2)},\n  "functions": [`;
  let separator = '';
  for (const item of functions) {
    yield `${separator}\n    ${JSON.stringify(item, replace, 2).replaceAll('\n', '\n    ')}`;
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
  const { parseProfile, readProfile } = await import('../sample-profile/read-profile.js');
  return file === '-' ? parseProfile(readFileSync(0)) : readProfile(file, { signal });
}

async function choose(profile: SampleProfile, counts: { name: string } | 'all'): Promise<FunctionSamples[]> {
  const { fullName, hottestFirst, shownName } = await import('../report/function-samples.js');
  if (counts === 'all') return hottestFirst(profile);
  const { nameHash } = await import('../sample-profile/name-hash.js');
  const wanted = profile.md5 ? nameHash(counts.name) : counts.name;
  const nameOf = shownName(profile);
  const chosen = (samples: FunctionSamples) =>
    samples.name === wanted || (samples.callers !== undefined && fullName(samples, nameOf) === counts.name);
  const found = hottestFirst({ ...profile, functions: profile.functions.filter(chosen) });
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
