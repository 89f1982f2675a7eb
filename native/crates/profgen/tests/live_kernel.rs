//! The kernel's code as it ran, according to a recording: records of code that was rewritten, and a copy of
//! the kernel's memory.

#[path = "../../elf/tests/support/mod.rs"]
mod elf_builder;
#[path = "support/traced.rs"]
mod traced;

use std::path::Path;

use elf_builder::{EM_X86_64, ET_EXEC, ElfBuilder};
use profgen::{CollectOptions, GenerateOptions, Input, Outcome, Policy, Silent};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};
use traced::generate;

const LINKED: u64 = 0xffff_ffff_8100_0000;
const LOADED: u64 = 0xffff_ffff_9e60_0000;
const TEXT_POKE: u32 = 20;
const KERNEL: u16 = 1;

/// Code in the file: a call, another call, and a jump back. No table says that they are patched.
const TEXT: [u8; 12] = [0xe8, 0, 0, 0, 0, 0x90, 0xe8, 0, 0, 0, 0x55, 0xeb];
/// Code in memory: a NOP in place of the first call, and a call of two bytes with a NOP after it.
const IN_MEMORY: [u8; 12] = [0x0f, 0x1f, 0x44, 0, 0, 0x90, 0xff, 0xd0, 0x0f, 0x1f, 0x00, 0xeb];
const JUMP: u64 = 11;
const CALL: [u8; 5] = [0xe8, 0, 0, 0, 0];
const NOP: [u8; 5] = [0x0f, 0x1f, 0x44, 0, 0];

/// Returns the code, the distance of its jump, and further code that is not patched.
fn whole(text: [u8; 12]) -> Vec<u8> {
    [&text[..], &[0xf3], &[0x90; 40]].concat()
}

fn vmlinux() -> Vec<u8> {
    let mut builder = ElfBuilder::new(EM_X86_64)
        .text(".text", LINKED, &whole(TEXT))
        .symbol("_text", LINKED, 1);
    builder.kind = ET_EXEC;
    builder.build()
}

/// Makes a recording of a run from the start to the second call, which returned to `returned`.
fn recording(returned: u64) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(MapSpec::kernel(LOADED, 0x200_0000, "_text", LOADED));
    let outside = 0x7000_0000_0000;
    let branches = [(JUMP, 0), (outside, returned), (6, outside), (JUMP, 0)];
    let at = |address: u64| if address == outside { outside } else { address + LOADED };
    let branches = branches.map(|(from, to)| (at(from), at(to)));
    builder.sample(SampleSpec::of(event, 100).at(10).branches(&branches));
    builder
}

fn poke(address: u64, old: &[u8], new: &[u8]) -> Vec<u8> {
    let lengths = [old.len() as u16, new.len() as u16].map(u16::to_le_bytes).concat();
    let mut body = [&address.to_le_bytes()[..], &lengths, old, new].concat();
    body.resize(body.len().next_multiple_of(8) + 4, 0);
    body
}

fn run(folder: &Path, input: &Path, change: impl FnOnce(&mut GenerateOptions)) -> Outcome {
    let binary = folder.join("vmlinux");
    std::fs::write(&binary, vmlinux()).expect("written");
    let mut options = GenerateOptions::new(binary, Input::PerfData(vec![input.into()]));
    options.skip_symbolization = true;
    options.use_offset = true;
    options.jobs = 1;
    change(&mut options);
    generate(&options, &Silent).expect("counters")
}

fn text(outcome: Outcome) -> String {
    String::from_utf8(outcome.bytes.expect("in memory")).expect("text")
}

fn counters_of(recording: &PerfDataBuilder, policy: Policy) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("perf.data");
    std::fs::write(&input, recording.build_file()).expect("written");
    text(run(folder.path(), &input, |options| options.policy = policy))
}

/// Counters in llvm-profgen's form: a branch from elsewhere comes from 7f000001.
const WITHOUT_FIRST_RUN: &str = "1\nb-b:1\n2\n7f000001->b:1\nb->0:2\n";
const WITH_FIRST_RUN: &str = "2\n0-6:1\nb-b:1\n2\n7f000001->b:1\nb->0:2\n";

#[test]
fn a_call_that_was_poked_away_ends_no_run() {
    let cases: [(&[u8], &[u8], bool); 5] = [
        (&CALL, &NOP, true),
        (&NOP, &CALL, true),
        (&CALL, &[0xe9, 0, 0, 0, 0], false),
        // A kprobe puts a breakpoint in place of a byte.
        (&[0xe8], &[0xcc], false),
        (&[], &[0x0f], false),
    ];
    for (old, new, goes_on) in cases {
        let mut recording = recording(JUMP);
        recording.other(TEXT_POKE, KERNEL, &poke(LOADED, old, new));
        let expected = if goes_on { WITH_FIRST_RUN } else { WITHOUT_FIRST_RUN };
        assert_eq!(counters_of(&recording, Policy::OWN), expected, "{old:x?} {new:x?}");
        let mut without_5 = Policy::OWN;
        without_5.decoding.patched_text = false;
        for policy in [without_5, Policy::LLVM_PROFGEN] {
            assert_eq!(counters_of(&recording, policy), WITHOUT_FIRST_RUN);
        }
    }
}

#[test]
fn pokes_elsewhere_and_damaged_ones_change_nothing() {
    for address in [LOADED + 1, LOADED + 0x1000, 0, u64::MAX] {
        let mut recording = recording(JUMP);
        recording.other(TEXT_POKE, KERNEL, &poke(address, &CALL, &NOP));
        assert_eq!(counters_of(&recording, Policy::OWN), WITHOUT_FIRST_RUN, "{address:#x}");
    }
    let mut recording = recording(JUMP);
    recording.other(TEXT_POKE, KERNEL, &[0xff; 12]);
    assert_eq!(counters_of(&recording, Policy::OWN), WITHOUT_FIRST_RUN);
}

/// Makes a core file with one segment.
fn core(avma: u64, content: &[u8]) -> Vec<u8> {
    const HEADERS: u64 = 64 + 56;
    let mut core = b"\x7fELF\x02\x01\x01".to_vec();
    core.resize(16, 0);
    // The fields are ET_CORE, EM_X86_64, the version, no entry, and program headers after the file header.
    core.extend([4_u16, EM_X86_64].into_iter().flat_map(u16::to_le_bytes));
    core.extend(1_u32.to_le_bytes());
    core.extend([0, 64, 0_u64].into_iter().flat_map(u64::to_le_bytes));
    core.extend(0_u32.to_le_bytes());
    core.extend([64_u16, 56, 1, 64, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    core.extend([1_u32, 5].into_iter().flat_map(u32::to_le_bytes));
    let size = content.len() as u64;
    core.extend(
        [HEADERS, avma, 0, size, size, 4096]
            .into_iter()
            .flat_map(u64::to_le_bytes),
    );
    core.extend(content);
    core
}

/// Writes a directory as `perf record --kcore` does.
fn write_directory(directory: &Path, core: &[u8]) {
    recording(8)
        .write_directory(directory, usize::MAX, 0, None)
        .expect("written");
    let kcore = directory.join("kcore_dir");
    std::fs::create_dir(&kcore).expect("a folder");
    std::fs::write(kcore.join("kcore"), core).expect("written");
    let kallsyms = format!("0000000000000000 A fixed_percpu_data\n{LOADED:016x} T _text\n{LOADED:016x} T _stext\n");
    std::fs::write(kcore.join("kallsyms"), kallsyms).expect("written");
    std::fs::write(kcore.join("modules"), "ext4 983040 1 - Live 0xffffffffc05f2000\n").expect("written");
}

#[test]
fn a_copy_of_the_kernels_memory_is_its_code() {
    let live = whole(IN_MEMORY);
    // The memory has half a page more than the section, because perf rounds.
    let live = core(LOADED, &[&live[..], &[0; 2000]].concat());
    let other = core(LOADED, &[0x55; 2013]);
    let short = core(LOADED, &IN_MEMORY[..4]);
    let elsewhere = core(LOADED + 0x100_0000, &[0; 100]);
    // According to the file, the second call returns to the inside of an instruction.
    let from_file = "0\n1\nb->0:2\n";
    let cases = [
        (&live[..], "2\n0-6:1\n8-b:1\n2\n7f000001->8:1\nb->0:2\n", true),
        (&other, from_file, false),
        (&short, from_file, false),
        (&elsewhere, from_file, false),
    ];
    for (core, expected, used) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("perf.data");
        write_directory(&input, core);
        let outcome = run(folder.path(), &input, |_| {});
        let warned = outcome.diagnostics.iter().any(|found| found.code == "kcore-unused");
        assert_eq!((text(outcome).as_str(), !warned), (expected, used));
        let compatible = run(folder.path(), &input, |options| options.policy = Policy::LLVM_PROFGEN);
        assert!(compatible.diagnostics.iter().all(|found| found.code != "kcore-unused"));
    }
}

#[test]
fn traces_leave_the_copy_out_with_a_note() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("perf.data");
    write_directory(&input, &core(LOADED, &whole(IN_MEMORY)));
    let shard = folder.path().join("a.parquet");
    let collected = profgen::collect(&CollectOptions::new(vec![input.clone()], &shard), &Silent).expect("a shard");
    assert!(collected.diagnostics.iter().any(|found| found.code == "kcore-unused"));
    let traced = run(folder.path(), &input, |options| {
        options.input = Input::Traces(vec![shard])
    });
    std::fs::remove_dir_all(input.join("kcore_dir")).expect("removed");
    let without = run(folder.path(), &input, |_| {});
    assert_eq!(text(traced), text(without));
}

#[test]
fn a_damaged_copy_is_left_alone() {
    for core in [&b""[..], b"\x7fELF", &core(LOADED, &whole(IN_MEMORY))[..80], b"no core"] {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("perf.data");
        write_directory(&input, core);
        let outcome = run(folder.path(), &input, |_| {});
        assert!(!text(outcome).contains("0-6"));
    }
}
