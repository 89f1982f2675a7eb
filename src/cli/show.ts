import { readFileSync } from 'node:fs';
import { AutofdoError } from '../errors.js';
import type { FunctionSamples, SampleProfile } from '../sample-profile/types.js';
import { parseCommand } from './command.js';
import { runCommandJob } from './job.js';
import { nearest } from './nearest.js';
import { type FlagValue, type ParsedArgs, UsageError } from './parse-args.js';
import { SHOW_FLAGS } from './profile-flags.js';
import { print } from './terminal.js';

interface ShowCommand {
  file: string;
  /** A function whose counts are wanted, or all. */
  counts: { name: string } | 'all' | undefined;
  top: number;
  sections: boolean;
  symbols: boolean;
  summary: boolean;
  hotFunctions: boolean;
  json: boolean;
  demangle: boolean;
}

/** Runs `show`; resolves to the exit status. */
export async function runShowCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, SHOW_FLAGS, 'show', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.json,
    quiet: true,
    run: () => (command.json ? jsonOutput(command) : textOutput(command)),
    report: async (output) => {
      print(output);
      return undefined;
    },
  });
}

function toCommand({ values, positionals }: ParsedArgs): ShowCommand {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw new UsageError(`expected one profile, found ${positionals.length}`, 'autofdo-gen show a.afdo');
  }
  const name = values.get('function') as string | undefined;
  const given = (flag: string): FlagValue => values.get(flag) === true;
  const all = given('all-functions');
  return {
    file,
    counts: all ? 'all' : name === undefined ? undefined : { name },
    top: (values.get('topn') as number | undefined) ?? 10,
    sections: given('show-sec-info-only'),
    symbols: given('show-prof-sym-list'),
    summary: given('detailed-summary'),
    hotFunctions: given('hot-func-list'),
    json: given('json'),
    demangle: given('demangle'),
  } as ShowCommand;
}

/** What llvm-profdata prints in its order; without a choice, what a person wants to know. */
async function textOutput(command: ShowCommand): Promise<string> {
  const { file, counts, symbols, summary, hotFunctions, sections } = command;
  const chosen = counts !== undefined || symbols || summary || hotFunctions || sections;
  let text = '';
  if (counts !== undefined || symbols) {
    const { functionsText } = await import('../report/function-samples.js');
    const profile = await read(file);
    if (counts !== undefined) text += functionsText(profile, await choose(profile, counts));
    if (symbols) text += symbolsText(profile);
  }
  if (!chosen || summary || hotFunctions || sections) {
    const description = await describe(command);
    const { descriptionText } = await import('../report/description.js');
    text += chosen ? description.text : descriptionText(description, file);
  }
  return command.demangle ? (await loadDemangle())(text) : text;
}

async function jsonOutput(command: ShowCommand): Promise<string> {
  const { file, counts, symbols } = command;
  const { text: _text, ...description } = await describe(command);
  const result: Record<string, unknown> = { ok: true, ...description };
  if (counts !== undefined || symbols) {
    const { functionJson, shownName } = await import('../report/function-samples.js');
    const profile = await read(file);
    if (symbols) result['symbolList'] = profile.symbolList;
    if (counts !== undefined) {
      const functions = await choose(profile, counts);
      result['functions'] = functions.map((samples) => functionJson(samples, shownName(profile)));
    }
  }
  const names = command.demangle ? await loadDemangle() : undefined;
  return `${JSON.stringify(result, (_, value) => (names && typeof value === 'string' ? names(value) : value), 2)}\n`;
}

async function loadDemangle() {
  return (await import('../native.js')).loadDemangle();
}

async function describe({ file, top, sections, summary, hotFunctions }: ShowCommand) {
  const { describeProfile } = await import('../describe-profile.js');
  return describeProfile({ path: file, top, sections, detailedSummary: summary, hotFunctions });
}

async function read(file: string): Promise<SampleProfile> {
  const { parseProfile, readProfile } = await import('../sample-profile/read-profile.js');
  return file === '-' ? parseProfile(readFileSync(0)) : readProfile(file);
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

function symbolsText({ symbolList }: SampleProfile): string {
  const sorted = symbolList.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return ['======== Dump profile symbol list ========', ...sorted].map((line) => `${line}\n`).join('');
}
