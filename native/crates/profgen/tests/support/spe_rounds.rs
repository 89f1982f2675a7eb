//! Makes streams of Arm SPE in rounds, as perf writes them.

use testkit::{EventSpec, MapSpec, PerfDataBuilder, SpeRecord};

/// Type of the event of Arm SPE.
const PMU: u32 = 9;

const FINISHED_ROUND: u32 = 68;
const AUX: u32 = 11;
const SWITCH: u32 = 14;

/// Number of CPUs.
pub const CPUS: u64 = 4;
/// Number of processes that run in a round on a CPU, one after the other, and of branches of each.
pub const PROCESSES: u64 = 20;
pub const BRANCHES: u64 = 100;
/// Number of rounds in a part of the stream, whose trace has 2.6 MB.
pub const ROUNDS: u64 = 5;

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn halves(low: u64, high: u64) -> u64 {
    low | high << 32
}

/// Builds a part of a stream. In a round, each CPU runs processes one after the other. Each runs a program of its own and
/// ends. No record of the trace names its thread. The last CPU delivers its trace one round later than the others.
pub fn part(number: u64) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: PMU,
        ..EventSpec::plain("arm_spe_0/branch_filter=1/u")
    });
    let head = builder.clone().build_pipe().len();
    if number == 0 {
        builder.other(79, 0, &words(&[0, 1, 0, 0, 0, 1]));
        builder.other(70, 0, &words(&[4, PMU.into(), 1]));
        builder.mmap(MapSpec::code(1, 0x40_0000, 0x1000, 0, "/bin/init").at(0));
    }
    let mut held: Vec<u8> = Vec::new();
    for round in number * ROUNDS..(number + 1) * ROUNDS {
        for cpu in 0..CPUS {
            let bytes = run(&mut builder, round, cpu);
            let delivered = match cpu + 1 {
                CPUS => std::mem::replace(&mut held, bytes),
                _ => bytes,
            };
            deliver(&mut builder, round, cpu, &delivered);
        }
        builder.other(FINISHED_ROUND, 0, &[]);
    }
    deliver(&mut builder, (number + 1) * ROUNDS, CPUS - 1, &held);
    builder.other(FINISHED_ROUND, 0, &[]);
    let stream = builder.build_pipe();
    if number == 0 { stream } else { stream[head..].to_vec() }
}

/// Size in bytes of the trace of a round on one CPU.
const SIZE: u64 = PROCESSES * BRANCHES * 64;

/// Adds the records of a round on a CPU. Returns its trace.
fn run(builder: &mut PerfDataBuilder, round: u64, cpu: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut time = 1 + round * 1_000_000;
    for process in 0..PROCESSES {
        let pid = 1000 + cpu * 1000 + (round * PROCESSES + process) % 500;
        let id = pid as i32;
        builder.fork(id, 1, time);
        builder.comm(id, "program", true, time + 1);
        let name = format!("/bin/{}", (round + process) % 20);
        builder.mmap(MapSpec::code(id, 0x40_0000, 0x10_0000, 0, &name).at(time + 2));
        builder.other(SWITCH, 0, &words(&[halves(pid, pid), time + 3, cpu, 1000]));
        for branch in 0..BRANCHES {
            let from = 0x40_0000 + 4 * (branch % 40);
            bytes.extend(SpeRecord::taken(from, 0x40_0100).at(time + 4 + branch).encode());
        }
        time += 4 + BRANCHES;
        builder.exit(id, 1, time);
        time += 1;
    }
    let pid = 1000 + cpu * 1000;
    builder.other(
        AUX,
        0,
        &words(&[round * SIZE, SIZE, 0, halves(pid, pid), time, cpu, 1000]),
    );
    bytes
}

fn deliver(builder: &mut PerfDataBuilder, round: u64, cpu: u64, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let round = if cpu + 1 == CPUS { round - 1 } else { round };
    let body = words(&[bytes.len() as u64, round * SIZE, 0, halves(0, u32::MAX.into()), cpu]);
    builder.other(71, 0, &body);
    builder.record(bytes.to_vec());
}
