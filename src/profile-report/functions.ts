import { fullName, locationText } from '../report/function-samples.js';
import { addFunction, addUpRepeated } from '../sample-profile/repeated.js';
import type { Steps } from '../sample-profile/steps.js';
import type { FunctionSamples, SampleProfile } from '../sample-profile/types.js';
import { largestCount, temperatureOf } from './temperature.js';
import type { CallReport, FunctionReport, LineCount, Thresholds } from './types.js';

/**
 * Returns all functions of a profile: functions with code of their own, and functions that are only inlined into
 * others.
 */
export function* functionReports(
  { functions }: SampleProfile,
  thresholds: Thresholds,
): Steps<FunctionReport[]> {
  const reports = new Map<string, Draft>();
  const draftOf = (name: string) => {
    let draft = reports.get(name);
    if (draft === undefined) {
      draft = new Draft(name);
      reports.set(name, draft);
    }
    return draft;
  };
  for (const samples of functions) draftOf(fullName(samples, unchanged)).addOwn(samples);
  for (const samples of functions) {
    addCallers(fullName(samples, unchanged), samples, draftOf);
    yield;
  }
  const finished: FunctionReport[] = [];
  for (const draft of reports.values()) {
    if (draft.samples !== undefined || draft.copies > 0) finished.push(draft.finish(thresholds));
    yield;
  }
  return finished.sort(heaviestFirst);
}

function unchanged(name: string): string {
  return name;
}

function heaviestFirst(a: FunctionReport, b: FunctionReport): number {
  return (
    descending(a.total, b.total) || descending(a.inlinedTotal, b.inlinedTotal) || (a.name < b.name ? -1 : 1)
  );
}

function descending(a: bigint, b: bigint): number {
  return a > b ? -1 : a < b ? 1 : 0;
}

/**
 * Records in `outermost`, and in each function that is called or inlined in `samples`, how they call or inline
 * each other.
 */
function addCallers(outermost: string, samples: FunctionSamples, draftOf: (name: string) => Draft): void {
  for (const line of samples.body) {
    // In a context-sensitive profile, the name of each function includes the calls that lead to it.
    const context = samples.callers === undefined ? '' : `${outermost}:${locationText(line)} @ `;
    for (const { name, count } of line.targets) {
      draftOf(context + name).caller(outermost).calls += count;
      draftOf(outermost).callee(context + name).calls += count;
    }
  }
  for (const { samples: copy } of samples.inlined) {
    draftOf(copy.name).addCopy(outermost, copy);
    draftOf(outermost).callee(copy.name).inlined += copy.total;
    addCallers(outermost, copy, draftOf);
  }
}

/** A function whose callers are still being collected. */
class Draft {
  readonly name: string;
  samples: FunctionSamples | undefined;
  copies = 0;
  #inlinedTotal = 0n;
  #copiesMax = 0n;
  readonly #callers = new Map<string, CallReport>();
  readonly #callees = new Map<string, CallReport>();
  readonly #copyLines = new Map<string, LineCount>();

  constructor(name: string) {
    this.name = name;
  }

  addOwn(samples: FunctionSamples): void {
    if (this.samples === undefined) this.samples = samples;
    else {
      // Different names that are not valid UTF-8 may become the same name.
      addFunction(this.samples, samples);
      addUpRepeated(this.samples);
    }
  }

  caller(name: string): CallReport {
    return callIn(this.#callers, name);
  }

  callee(name: string): CallReport {
    return callIn(this.#callees, name);
  }

  addCopy(outermost: string, copy: FunctionSamples): void {
    this.copies++;
    this.#inlinedTotal += copy.total;
    const max = largestCount(copy);
    if (max > this.#copiesMax) this.#copiesMax = max;
    this.caller(outermost).inlined += copy.total;
    for (const { line, discriminator, count } of copy.body) {
      const key = `${line}.${discriminator}`;
      const known = this.#copyLines.get(key);
      if (known === undefined) this.#copyLines.set(key, { line, discriminator, count });
      else known.count += count;
    }
  }

  finish(thresholds: Thresholds): FunctionReport {
    const { name, samples, copies } = this;
    const max = samples === undefined ? this.#copiesMax : largestCount(samples);
    return {
      name,
      samples,
      total: samples?.total ?? 0n,
      head: samples?.head ?? 0n,
      self: samples?.body.reduce((sum, { count }) => sum + count, 0n) ?? 0n,
      inlinedTotal: this.#inlinedTotal,
      copies,
      copyLines: [...this.#copyLines.values()].sort(
        (a, b) => a.line - b.line || a.discriminator - b.discriminator,
      ),
      max,
      temperature: temperatureOf(max, thresholds),
      callers: mostFrequentFirst(this.#callers),
      callees: mostFrequentFirst(this.#callees),
    };
  }
}

function callIn(calls: Map<string, CallReport>, name: string): CallReport {
  let call = calls.get(name);
  if (call === undefined) {
    call = { name, calls: 0n, inlined: 0n };
    calls.set(name, call);
  }
  return call;
}

function mostFrequentFirst(calls: ReadonlyMap<string, CallReport>): CallReport[] {
  return [...calls.values()].sort(
    (a, b) => descending(a.calls + a.inlined, b.calls + b.inlined) || (a.name < b.name ? -1 : 1),
  );
}
