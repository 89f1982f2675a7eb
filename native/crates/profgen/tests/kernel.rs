//! A kernel that patches itself, is loaded at any address, and may run in a guest. The vmlinux has a few
//! instructions.

#[path = "support/counter_job.rs"]
mod counter_job;
#[path = "../../elf/tests/support/mod.rs"]
mod elf_builder;
#[path = "support/traced.rs"]
mod traced;

use counter_job::CounterJob;
use elf_builder::{EM_X86_64, ET_EXEC, ElfBuilder, SHF_ALLOC, SHT_PROGBITS};
use profgen::{EntryClass, ErrorCode, GenerateOptions, Policy, Silent};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};
use traced::generate;

/// Addresses that the kernel is linked for: of its code, and of its tables of patch sites.
const LINKED: u64 = 0xffff_ffff_8100_0000;
const TABLES: u64 = 0xffff_ffff_8300_0000;
/// Address that the kernel was loaded at.
const LOADED: u64 = 0xffff_ffff_9e60_0000;

/// Code of the kernel. After the first instruction, a call of `__fentry__` that boot replaces with a NOP,
/// comes a call through a retpoline that becomes an indirect call of two bytes, and then the jump back. The
/// called function is a return.
const TEXT: [u8; 17] = [
    0xe8, 0, 0, 0, 0, 0x90, 0xe8, 0, 0, 0, 0, 0x90, 0xeb, 0xf2, 0x90, 0x90, 0xc3,
];
const RETPOLINE: u64 = 6;
const BEHIND_SHORT_CALL: u64 = 8;
const JUMP: u64 = 12;
const CALLED: u64 = 16;

/// Branches of a stack, the newest first.
const STACK: [(u64, u64); 4] = [(JUMP, 0), (CALLED, BEHIND_SHORT_CALL), (RETPOLINE, CALLED), (JUMP, 0)];

fn vmlinux() -> ElfBuilder {
    let ftrace = LINKED.to_le_bytes();
    let retpolines = (LINKED + RETPOLINE).wrapping_sub(TABLES + 8) as u32;
    let tables = [&ftrace[..], &retpolines.to_le_bytes()].concat();
    let mut builder = ElfBuilder::new(EM_X86_64)
        .text(".text", LINKED, &TEXT)
        .section(".init.data", SHT_PROGBITS, SHF_ALLOC, TABLES, &tables)
        .symbol("_text", LINKED, 1)
        .symbol("_stext", LINKED + 5, 1)
        .symbol("called", LINKED + CALLED, 1)
        .symbol("__start_mcount_loc", TABLES, 2)
        .symbol("__stop_mcount_loc", TABLES + 8, 2)
        .symbol("__retpoline_sites", TABLES + 8, 2)
        .symbol("__retpoline_sites_end", TABLES + 12, 2);
    builder.kind = ET_EXEC;
    builder
}

fn sample(event: usize, loaded: u64) -> SampleSpec {
    SampleSpec::of(event, 100)
        .at(10)
        .branches(&STACK.map(|(from, to)| (from + loaded, to + loaded)))
}

/// Makes a recording of a kernel with the mapping `map` that was loaded at `loaded`.
fn recording(map: Option<MapSpec>, loaded: u64) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    if let Some(map) = map {
        builder.mmap(map);
    }
    builder.sample(sample(event, loaded));
    builder
}

fn kernel_map(loaded: u64) -> MapSpec {
    MapSpec::kernel(loaded, 0x200_0000, "_text", loaded)
}

/// Makes a job for this kernel. Its counters have offsets.
fn job_of(vmlinux: &ElfBuilder, recordings: &[PerfDataBuilder]) -> CounterJob {
    let mut job = CounterJob::new("vmlinux", &vmlinux.build(), recordings);
    job.options.use_offset = true;
    job
}

#[track_caller]
fn counters(recordings: &[PerfDataBuilder]) -> String {
    job_of(&vmlinux(), recordings).counters()
}

/// Counters with the ranges across the replaced call, and from after the shortened call.
const ALL: &str = "3\n0-6:1\nb-c:1\n10-10:1\n3\n6->10:1\nc->0:2\n10->b:1\n";

#[test]
fn runs_go_on_where_boot_removed_a_call() {
    let mut job = job_of(&vmlinux(), &[recording(Some(kernel_map(LOADED)), LOADED)]);
    assert_eq!(job.counters(), ALL);
    let ledger = job.run().expect("counters").statistics.ledger;
    assert_eq!(ledger[EntryClass::Used], 4);

    let mut without_5 = Policy::OWN;
    without_5.decoding.patched_text = false;
    for policy in [without_5, Policy::LLVM_PROFGEN] {
        job.options.policy = policy;
        assert_eq!(job.counters(), "1\n10-10:1\n2\n6->10:1\nc->0:2\n");
        let ledger = job.run().expect("counters").statistics.ledger;
        assert_eq!(ledger[EntryClass::CrossesBarrier], 1);
    }
}

/// Bit of `sample_type` for call chains, and the marker in front of frames of the kernel.
const CALL_CHAIN: u64 = 1 << 5;
const KERNEL: u64 = 128_u64.wrapping_neg();

/// Traces must give the same as the recordings, which [`traced::generate`] checks.
#[test]
fn call_chains_of_a_kernel_give_contexts() {
    // Each call chain returns after the patched call, the first one from the function that it calls.
    let chains = [
        (CALLED, vec![BEHIND_SHORT_CALL]),
        (0, vec![BEHIND_SHORT_CALL, BEHIND_SHORT_CALL]),
        (JUMP, vec![]),
    ];
    let boot = |loaded: u64| {
        let mut builder = PerfDataBuilder::new();
        let mut event = EventSpec::branch_stacks("cycles");
        event.sample_type |= CALL_CHAIN;
        let event = builder.event(event);
        builder.mmap(kernel_map(loaded));
        for (skipped, (leaf, callers)) in chains.iter().enumerate() {
            let frames = [*leaf].into_iter().chain(callers.iter().copied());
            let stack = STACK[skipped..].iter().map(|(from, to)| (from + loaded, to + loaded));
            builder.sample(SampleSpec {
                ip: leaf + loaded,
                callchain: [KERNEL].into_iter().chain(frames.map(|frame| frame + loaded)).collect(),
                ..SampleSpec::of(event, 100).at(10).branches(&stack.collect::<Vec<_>>())
            });
        }
        builder
    };
    let mut job = job_of(&vmlinux(), &[boot(LOADED), boot(LINKED)]);
    let with_contexts = job.counters();
    assert!(with_contexts.contains('['), "{with_contexts}");
    job.options.ignore_stack_samples = true;
    assert!(!job.counters().contains('['));
}

#[test]
fn damaged_tables_are_reported_and_the_code_taken_as_it_is() {
    let mut damaged = vmlinux();
    damaged.sections[1].data[..8].fill(0x55);
    let job = job_of(&damaged, &[recording(Some(kernel_map(LOADED)), LOADED)]);
    assert_eq!(job.counters(), ALL.replace("3\n0-6:1\n", "2\n"));
    let outcome = job.run().expect("counters");
    let found = outcome.diagnostics.iter().find(|found| found.code == "patch-sites");
    let message = &found.expect("a diagnostic").message;
    assert!(
        message.starts_with("__mcount_loc: its 8 bytes have no known layout; "),
        "{message}"
    );
}

#[test]
fn two_boots_at_different_addresses_count_alike() {
    let boots = [LOADED, LINKED, 0xffff_ffff_b380_0000];
    let boot = |loaded: &u64| recording(Some(kernel_map(*loaded)), *loaded);
    for loaded in &boots {
        assert_eq!(counters(&[boot(loaded)]), ALL, "{loaded:#x}");
    }
    let all: Vec<_> = boots.iter().map(boot).collect();
    assert_eq!(counters(&all), ALL.replace(":2", ":6").replace(":1", ":3"));
}

#[test]
fn the_mapping_names_any_symbol() {
    for (symbol, offset) in [("_text", 0), ("_stext", 5), ("", 0)] {
        // The start that the mapping states is not relied on.
        for start in [LOADED, 0, LOADED + 0x1000] {
            let map = MapSpec::kernel(start, 0x200_0000, symbol, LOADED + offset);
            assert_eq!(counters(&[recording(Some(map), LOADED)]), ALL, "{symbol} {start:#x}");
        }
    }
}

#[track_caller]
fn assert_refused(recording: PerfDataBuilder, code: ErrorCode, reason: &str) {
    let error = job_of(&vmlinux(), &[recording]).run().expect_err("refused");
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(reason), "{error}");
    assert!(error.hint.is_some());
}

#[test]
fn a_kernel_whose_address_is_unknown_is_refused_with_the_reason() {
    assert_refused(
        recording(None, LOADED),
        ErrorCode::NoMapping,
        "no usable mapping of the kernel",
    );
    let hidden = MapSpec::kernel(0, 0x200_0000, "_text", 0);
    assert_refused(
        recording(Some(hidden), LOADED),
        ErrorCode::NoMapping,
        "hidden from perf",
    );
}

#[test]
fn samples_of_guests_are_left_out_and_reported() {
    let guest = || {
        let mut sample = sample(0, LOADED);
        sample.cpumode = 4;
        sample
    };
    let mut mixed = recording(Some(kernel_map(LOADED)), LOADED);
    mixed.sample(guest());
    let job = job_of(&vmlinux(), &[mixed]);
    assert_eq!(job.counters(), ALL);
    let outcome = job.run().expect("counters");
    assert!(outcome.diagnostics.iter().any(|found| found.code == "guest-samples"));

    let mut guests_map = kernel_map(LOADED);
    guests_map.name = "[guest.kernel.kallsyms]_text".into();
    guests_map.cpumode = 4;
    for map in [kernel_map(LOADED), guests_map] {
        let mut only = PerfDataBuilder::new();
        only.event(EventSpec::branch_stacks("cycles"));
        only.mmap(map).sample(guest());
        assert_refused(only, ErrorCode::EmptyProfile, "1 of 1 samples was taken in guests");
    }
}

/// Address at which the same code is mapped as a program.
const PROGRAM: u64 = 0x40_0000;

#[test]
fn a_kernel_and_a_program_are_counted_in_one_run_as_each_alone() {
    let mut program = ElfBuilder::new(EM_X86_64)
        .text(".text", PROGRAM, &TEXT)
        .symbol("main", PROGRAM, 1)
        .symbol("called", PROGRAM + CALLED, 1);
    program.kind = ET_EXEC;
    let pgoff = {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        std::fs::write(&path, program.build()).expect("written");
        elf::Image::open(&path).expect("a program").text_segment().offset.0
    };

    // The branches go into the kernel from inside a loop, around in the kernel, and back to the place where
    // the program went on.
    let (user, kernel) = (PROGRAM, LOADED);
    let stack = [
        (user + JUMP, user),
        (kernel + CALLED, user + BEHIND_SHORT_CALL + 3),
        (kernel + JUMP, kernel),
        (user + RETPOLINE, kernel + CALLED),
        (user + JUMP, user),
        (user + CALLED, user + 5),
        (kernel + JUMP, kernel),
    ];
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(kernel_map(LOADED));
    builder.mmap(MapSpec::code(100, user, 0x1000, pgoff, "/bin/program"));
    builder.sample(SampleSpec::of(event, 100).at(10).branches(&stack));

    let mut job = job_of(&vmlinux(), &[builder]);
    let path = job.options.binaries[0].with_file_name("program");
    std::fs::write(&path, program.build()).expect("written");
    job.options.binaries.push(path);
    let outcome = job.run().expect("counters");
    let ledger = outcome.statistics.ledger;
    assert_eq!((ledger.accounted(), ledger.entries()), (7, 7));
    assert_eq!(
        outcome
            .binaries
            .iter()
            .map(|binary| binary.statistics.entries)
            .sum::<u64>(),
        9
    );
    let mut bolt = job.options.clone();
    bolt.for_bolt = Some(profgen::BoltFormat::PreAggregated);
    bolt.skip_symbolization = false;
    for options in [job.options, bolt] {
        for binary in generate(&options, &Silent).expect("both").binaries {
            let alone = GenerateOptions {
                binaries: vec![binary.path],
                ..options.clone()
            };
            let alone = generate(&alone, &Silent).expect("one").bytes.expect("in memory");
            assert!(alone.len() > 4, "there is something to compare");
            assert_eq!(binary.bytes.expect("in memory"), alone);
        }
    }
}

/// Offset of a call, in a caller at 0. The called function is at 0x20, and 16 bytes come before it.
const CALLER: u64 = 5;
const FUNCTION: u64 = 0x20;
const RETURN: u64 = FUNCTION + 1;

fn with_preamble(symbol: &str) -> ElfBuilder {
    let mut text = vec![0x90; 0x30];
    text[CALLER as usize] = 0xe8;
    text[CALLER as usize + 5] = 0xeb;
    text[RETURN as usize] = 0xc3;
    let mut builder = ElfBuilder::new(EM_X86_64)
        .text(".text", LINKED, &text)
        .symbol("_text", LINKED, 1)
        .symbol(symbol, LINKED + FUNCTION - 16, 1)
        .symbol("function", LINKED + FUNCTION, 1);
    builder.kind = ET_EXEC;
    builder
}

/// Checks the counters of a call and the return from it. `way` has the branches of the call, newest entry
/// first.
#[track_caller]
fn assert_counts_as_one_call(symbol: &str, way: &[(u64, u64)]) {
    let back = [(CALLER + 5, 0), (RETURN, CALLER + 5)];
    let branches: Vec<_> = back.iter().chain(way).chain(&[(CALLER + 5, 0)]).copied().collect();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(kernel_map(LOADED));
    let loaded: Vec<_> = branches.iter().map(|(from, to)| (from + LOADED, to + LOADED)).collect();
    builder.sample(SampleSpec::of(event, 100).at(10).branches(&loaded));
    let job = job_of(&with_preamble(symbol), &[builder]);
    assert_eq!(
        job.counters(),
        "3\n0-5:1\na-a:1\n20-21:1\n3\n5->20:1\na->0:2\n21->a:1\n",
        "{symbol}"
    );
    let ledger = job.run().expect("counters").statistics.ledger;
    assert_eq!(ledger[EntryClass::Stub], way.len() as u64 - 1);
}

#[test]
fn calls_through_what_the_kernel_puts_before_a_function_are_calls_of_it() {
    // The call goes to the function itself.
    assert_counts_as_one_call("__pfx_function", &[(CALLER, FUNCTION)]);
    // Code in the ten bytes before the function counts the depth of calls.
    assert_counts_as_one_call("__pfx_function", &[(CALLER, FUNCTION - 10)]);
    // FineIBT compares hashes and jumps over a trap: in its first form to the end of its check, in later
    // forms to the function itself.
    for landed in [FUNCTION - 1, FUNCTION] {
        assert_counts_as_one_call("__cfi_function", &[(FUNCTION - 5, landed), (CALLER, FUNCTION - 16)]);
    }
}
