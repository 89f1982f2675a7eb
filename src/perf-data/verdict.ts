import { shellWord } from '../shell-word.js';
import type { PerfDataSummary } from './summary.js';

/** Decides whether AutoFDO can use a recording, and if not, how to make a better one. */
export function judge(summary: Omit<PerfDataSummary, 'autofdo'>): PerfDataSummary['autofdo'] {
  const withStacks = summary.events.filter((event) => event.branchEntries > 0);
  const { command, needs } = recordCommand(summary.machine);
  const record = `record with: ${command} (${needs})`;
  const trace = rawTrace(summary);
  if (trace !== undefined)
    return no(`it is a raw trace of ${trace.of}`, `make branch stacks of it: ${trace.inject}`);
  if (summary.samples === 0n && !summary.complete) {
    return no('no sample of it could be read', record);
  }
  if (summary.samples === 0n) {
    return no('it has no samples', `check that the program runs long enough, then ${record}`);
  }
  if (withStacks.length === 0) {
    const asked = summary.events.some((event) => event.branchFilter.length > 0);
    const timed = summary.events.filter((event) => event.samples > 0 && tellsTime(event.name));
    if (timed.length > 0) return byAddresses(asked, record);
    return asked
      ? no(
          'branch stacks were asked for but the CPU delivered none',
          'virtual machines often have no LBR: record on the host',
        )
      : no('it was recorded without branch stacks', record);
  }
  const usable = withStacks.filter((event) => !event.branchFilter.includes('call_stack'));
  if (usable.length === 0) {
    return no(
      'its branch stacks are call stacks (`--call-graph lbr`), which do not tell what ran between',
      record,
    );
  }
  const complete = usable.filter((event) => !hasSomeKinds(event.branchFilter));
  if (complete.length === 0) {
    return no(
      'only some kinds of branches were recorded, so the code between two of them is not a straight run',
      record,
    );
  }
  const reasons: string[] = [];
  if (complete.length < usable.length) {
    const left = usable.filter((event) => !complete.includes(event)).map(({ name }) => name);
    reasons.push(
      `only some kinds of branches were recorded for ${left.join(', ')}: its samples are left out`,
    );
  }
  if (!summary.complete) reasons.push('it is not complete; the samples before the damage can be used');
  if (summary.lost.records + summary.lost.samples > 0n) {
    reasons.push('the kernel lost records while it was made; a larger buffer (-m 4M) keeps them');
  }
  return { usable: true, reasons, advice: undefined };
}

/** Name of the recording that `perf inject` makes of a raw trace. */
export const STACKS = 'stacks.data';

/**
 * Returns the hardware that wrote a raw trace, and the command that makes branch stacks of the trace. Returns
 * `undefined` if a recording is no raw trace, or has samples of which a profile can be made.
 */
export function rawTrace({
  file,
  events,
}: Pick<PerfDataSummary, 'file' | 'events'>): { of: string; inject: string } | undefined {
  if (events.some((event) => event.branchEntries > 0 || (event.samples > 0 && tellsTime(event.name))))
    return undefined;
  const has = (unit: string) => events.some(({ name }) => name.startsWith(unit));
  const inject = (itrace: string) =>
    `perf inject -i ${shellWord(file)} -o ${STACKS} --itrace=${itrace} --strip`;
  if (has('intel_pt/')) return { of: 'Intel PT', inject: inject('i100usle') };
  if (has('cs_etm/')) return { of: 'Arm CoreSight', inject: inject('i100000il128') };
  return undefined;
}

/** True if the samples of an event lie where time is spent, or where instructions are executed. */
function tellsTime(name: string): boolean {
  return /cycles|clock|ibs_op|instructions|inst_retired/i.test(name) && !/stalled|misses/i.test(name);
}

/** Judges a recording without branch stacks. */
function byAddresses(asked: boolean, record: string): PerfDataSummary['autofdo'] {
  const why = asked
    ? 'branch stacks were asked for but the CPU delivered none (virtual machines often have no LBR)'
    : 'it has no branch stacks';
  return {
    usable: true,
    reasons: [
      `${why}: how often code ran is inferred from the sampled addresses, which says nothing of indirect calls and little of code with few samples`,
    ],
    advice: `for exact counts, ${record}`,
  };
}

function no(reason: string, advice: string): PerfDataSummary['autofdo'] {
  return { usable: false, reasons: [reason], advice };
}

/** The subject of a recording, and its CPU. */
export interface RecordingTarget {
  /** Id of the CPU, as in perf.data: `GenuineIntel-6-...`, `AuthenticAMD-25-...`. */
  cpuId: string | undefined;
  /** Name of the architecture, as uname prints it. */
  arch: string | undefined;
  /** True if the kernel is recorded, on all processors; false or absent if one program is recorded. */
  kernel?: boolean;
  /** Command that starts the program. */
  program?: string;
}

/** Returns the recommended command for recording branch stacks on a CPU, and the CPUs that the command needs. */
export function recordCommand({ cpuId, arch, kernel = false, program = 'PROGRAM' }: RecordingTarget): {
  command: string;
  needs: string;
} {
  const mode = kernel ? 'k' : 'u';
  const [event, needs] =
    arch === 'aarch64'
      ? [`cycles:${mode}`, 'BRBE, Armv9.2 or newer']
      : cpuId?.startsWith('AuthenticAMD')
        ? [`cpu/event=0xc4,umask=0x0/${mode}`, 'AMD Zen 3 with BRS, Zen 4 or newer']
        : [`BR_INST_RETIRED.NEAR_TAKEN:${mode}`, 'Intel LBR; br_inst_retired.near_taken on older perf'];
  // The period is prime, so that samples do not fall in step with loops.
  const command = kernel
    ? `perf record -e ${event} -a -N -b -c 500009 -o perf.data -- sleep 60`
    : `perf record -e ${event} -N -b -c 500009 -- ${program}`;
  return { command, needs };
}

/** Names of perf for kinds of branches after `-j`. With `any`, the kinds in this list add no branches. */
const KINDS = ['any_call', 'any_ret', 'ind_call', 'abort_tx', 'cond', 'ind_jmp', 'call'];

/** True if branches that were taken may be missing between two recorded branches. */
function hasSomeKinds(branchFilter: readonly string[]): boolean {
  const onlyKinds = !branchFilter.includes('any') && KINDS.some((kind) => branchFilter.includes(kind));
  return onlyKinds || (branchFilter.includes('in_tx') && !branchFilter.includes('no_tx'));
}
