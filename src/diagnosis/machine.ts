import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../report/format.js';

/** The place where a Linux system tells what its processors can record. Tests give another root folder. */
export interface MachineFiles {
  root?: string;
  arch?: string;
  /** Id of the user who would record. */
  uid?: number | undefined;
}

/** Largest value of kernel.perf_event_paranoid with which a user without privileges may record branches. */
const PARANOID = { program: 2, kernel: 1 };

/**
 * Tells whether this machine can record branch stacks, and what prevents it. Returns `undefined` if the system
 * does not tell.
 *
 * If a PMU can record branches, the kernel lists its number of branch entries in `caps/branches` (Intel and AMD
 * since Linux 5.19, BRBE of Arm since 6.17). The PMUs of Arm SPE are `arm_spe_0` and so on, one for each kind of
 * CPU.
 */
export function describeRecordingHere(kernel: boolean, files: MachineFiles = {}): string | undefined {
  const { root = '/', arch = process.arch, uid = process.getuid?.() } = files;
  const pmus = list(join(root, 'sys/bus/event_source/devices'));
  if (pmus === undefined) return undefined;
  const entries = pmus.map((pmu) =>
    Number(read(join(root, 'sys/bus/event_source/devices', pmu, 'caps/branches')) ?? 0),
  );
  const most = Math.max(0, ...entries.filter(Number.isFinite));
  const spe = pmus.find((pmu) => pmu.startsWith('arm_spe_'));
  if (most === 0 && spe !== undefined) {
    const event = `${spe}/branch_filter=1/${kernel ? 'k' : 'u'}`;
    return `this machine records no branch stacks, but it samples branches with Arm SPE: record with -e ${event} -c 2048 in place of -b`;
  }
  if (most === 0) return `this machine cannot record branches: ${whyNoBranches(root, arch, pmus)}`;
  const paranoid = Number(read(join(root, 'proc/sys/kernel/perf_event_paranoid')) ?? Number.NaN);
  const allowed = kernel ? PARANOID.kernel : PARANOID.program;
  const here = `this machine records ${formatCount(most)} branches for each sample`;
  if (uid !== 0 && paranoid > allowed) {
    return `${here}, for root: kernel.perf_event_paranoid is ${paranoid}, and others need at most ${allowed}`;
  }
  return here;
}

function whyNoBranches(root: string, arch: string, pmus: readonly string[]): string {
  const flags = new Set(
    /^flags\s*:(.*)$/m.exec(read(join(root, 'proc/cpuinfo')) ?? '')?.[1]?.split(/\s+/) ?? [],
  );
  if (flags.has('hypervisor')) {
    return 'it is a virtual machine, and its hypervisor does not pass branch records on; record on the host';
  }
  if (flags.has('amd_lbr_v2')) return 'its CPU has LBRv2, which needs Linux 6.1 or later';
  if (flags.has('brs'))
    return 'its CPU has BRS, which needs Linux 5.19 or later, with CONFIG_PERF_EVENTS_AMD_BRS';
  if (arch === 'arm64') return 'branch records need BRBE (Armv9.2) and Linux 6.17 or later';
  const hasCpu = pmus.some((pmu) => pmu === 'cpu' || pmu.startsWith('cpu_'));
  return hasCpu
    ? 'the kernel knows no branch records of its CPU (LBR of Intel; AMD has them from Zen 3 on)'
    : 'the kernel offers no hardware counters, as in a container or virtual machine; record on the host';
}

function list(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
