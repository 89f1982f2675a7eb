import type { PerfDataSummary } from './summary.js';

/** Whether AutoFDO can use a recording, and what to record instead if not. */
export function judge(summary: Omit<PerfDataSummary, 'autofdo'>): PerfDataSummary['autofdo'] {
  const withStacks = summary.events.filter((event) => event.branchEntries > 0);
  const record = recordCommand(summary.machine.cpuId, summary.machine.arch);
  if (summary.samples === 0 && !summary.complete) {
    return no('no sample of it could be read', summary.problems.join('; '));
  }
  if (summary.samples === 0) {
    return no('it has no samples', `check that the program runs long enough, then ${record}`);
  }
  if (withStacks.length === 0) {
    const asked = summary.events.some((event) => event.branchFilter.length > 0);
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
      'its branch stacks are call stacks (--call-graph lbr), which do not tell what ran between',
      record,
    );
  }
  const reasons: string[] = [];
  const partial = usable.some(({ branchFilter }) => branchFilter.length > 0 && !branchFilter.includes('any'));
  if (partial)
    reasons.push('only some kinds of branches were recorded, so the code between them is guessed wrong');
  if (!summary.complete) reasons.push('it is not complete; the samples before the damage can be used');
  if (summary.lost.records + summary.lost.samples > 0) {
    reasons.push('the kernel lost records while it was made; a larger buffer (-m 4M) keeps them');
  }
  return { usable: true, reasons, advice: partial ? record : undefined };
}

function no(reason: string, advice: string): PerfDataSummary['autofdo'] {
  return { usable: false, reasons: [reason], advice };
}

/** The recommended way to record branch stacks on a CPU. Periods are primes, so that loops do not fall in step. */
function recordCommand(cpuId: string | undefined, arch: string | undefined): string {
  if (arch === 'aarch64')
    return 'record with: perf record -e cycles:u -N -b -c 500009 -- PROGRAM (BRBE, Armv9.2 or newer)';
  if (cpuId?.startsWith('AuthenticAMD')) {
    return 'record with: perf record -e cpu/event=0xc4,umask=0x0/u -N -b -c 500009 -- PROGRAM (AMD Zen 3 with BRS, Zen 4 or newer)';
  }
  return 'record with: perf record -e BR_INST_RETIRED.NEAR_TAKEN:u -N -b -c 500009 -- PROGRAM (Intel LBR; br_inst_retired.near_taken on older perf)';
}
