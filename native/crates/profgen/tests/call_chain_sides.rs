//! A kernel, a module and a program in one job, and call chains that have frames of both sides, of one side or of none
//! (`perf record --call-graph dwarf`, `--exclude-callchain-user`). Each binary gets what it gets alone, from recordings
//! and from traces.

#[path = "../../elf/tests/support/mod.rs"]
mod elf_builder;
#[path = "../../elf/tests/support/module.rs"]
mod module;
#[path = "support/traced.rs"]
mod traced;

use std::path::PathBuf;

use elf_builder::{EM_X86_64, ET_EXEC, ElfBuilder};
use module::ModuleBuilder;
use object::Architecture::X86_64;
use profgen::{ErrorCode, GenerateOptions, Input, Outcome, Silent};
use proptest::prelude::*;
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};
use traced::generate;

/// Bit of `sample_type` for call chains, flags of events that leave frames out, and the markers in front of frames.
const CALL_CHAIN: u64 = 1 << 5;
const EXCLUDE_KERNEL: u64 = 1 << 21;
const EXCLUDE_USER: u64 = 1 << 22;
const KERNEL_MARKER: u64 = 128_u64.wrapping_neg();
const USER_MARKER: u64 = 512_u64.wrapping_neg();

const LINKED: u64 = 0xffff_ffff_8100_0000;
/// Addresses at which the kernel, the module and the program run.
const KERNEL: u64 = 0xffff_ffff_9e60_0000;
const MODULE: u64 = 0xffff_ffff_c03c_5000;
const PROGRAM: u64 = 0x40_1000;
const BASES: [u64; 3] = [KERNEL, MODULE, PROGRAM];
const NAMES: [&str; 3] = ["vmlinux", "module.ko", "program"];

/// Code of each binary: a function that calls another one in a loop, and a function of six instructions.
const TEXT: [u8; 22] = [
    0xe8, 0x0b, 0, 0, 0, 0x90, 0xeb, 0xf8, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, // the loop and padding
    0x90, 0x90, 0x90, 0x90, 0x90, 0xc3,
];
const CALLED: u64 = 0x10;
const BEHIND_CALL: u64 = 5;
/// The branches of the code: a call, a return and a jump.
const BRANCHES: [(u64, u64); 3] = [(0, CALLED), (0x15, BEHIND_CALL), (6, 0)];

/// What the call chains of an event have: frames of the kernel, and frames of user space.
type Chains = (bool, bool);

/// A sample: its event, the entries of its branch stack, and the frames of its call chain. An entry is a branch of a
/// binary, and the binary that it goes to. A frame is an address of a binary.
#[derive(Debug, Clone)]
struct Taken {
    second_event: bool,
    entries: Vec<(usize, usize, usize)>,
    frames: Vec<(usize, u64)>,
}

fn samples() -> impl Strategy<Value = Vec<Taken>> {
    let binary = 0..3usize;
    let entry = (binary.clone(), 0..3usize, prop::option::weighted(0.1, binary.clone()))
        .prop_map(|(of, branch, to)| (of, branch, to.unwrap_or(of)));
    let address = prop_oneof![3 => Just(BEHIND_CALL), 2 => Just(CALLED + 2), 1 => 0..TEXT.len() as u64];
    let sample = (
        any::<bool>(),
        prop::collection::vec(entry, 1..8),
        prop::collection::vec((binary, address), 0..5),
    );
    let sample = sample.prop_map(|(second_event, entries, frames)| Taken {
        second_event,
        entries,
        frames,
    });
    prop::collection::vec(sample, 1..40)
}

fn recording(events: [Chains; 2], samples: &[Taken]) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let events = [0, 1].map(|index| {
        let mut event = EventSpec {
            config: index as u64,
            ..EventSpec::branch_stacks(["cycles", "instructions"][index])
        };
        let (kernel, user) = events[index];
        event.sample_type |= if kernel || user { CALL_CHAIN } else { 0 };
        event.flags |= if kernel { 0 } else { EXCLUDE_KERNEL };
        event.flags |= if user { 0 } else { EXCLUDE_USER };
        (builder.event(event), (kernel, user))
    });
    builder.mmap(MapSpec::kernel(KERNEL, 0x200_0000, "_text", KERNEL));
    builder.mmap(MapSpec::module(MODULE, 0x5000, "[module]"));
    let offset = linked(PROGRAM).image().text_segment().offset.0;
    builder.mmap(MapSpec::code(1, PROGRAM, 0x1000, offset, "/bin/program").at(1));
    for (time, sample) in (2..).zip(samples) {
        let (event, (kernel, user)) = events[usize::from(sample.second_event)];
        let entry = |&(of, branch, to): &(usize, usize, usize)| {
            let (source, target): (u64, u64) = BRANCHES[branch];
            (source + BASES[of], target + BASES[to])
        };
        let mut callchain = Vec::new();
        // The kernel writes the frames of user space after its own.
        for (is_there, marker, of_user) in [(kernel, KERNEL_MARKER, false), (user, USER_MARKER, true)] {
            let frames = sample.frames.iter().filter(|(of, _)| (*of == 2) == of_user);
            let frames: Vec<u64> = frames.map(|(of, address)| address + BASES[*of]).collect();
            if is_there && !frames.is_empty() {
                callchain.push(marker);
                callchain.extend(frames);
            }
        }
        let entries: Vec<_> = sample.entries.iter().map(entry).collect();
        builder.sample(SampleSpec {
            callchain,
            ..SampleSpec::of(event, 1).at(time).branches(&entries)
        });
    }
    builder
}

/// Makes a kernel or a program that is linked for an address.
fn linked(base: u64) -> ElfBuilder {
    let mut builder = ElfBuilder::new(EM_X86_64)
        .text(".text", base, &TEXT)
        .symbol("_text", base, 1)
        .symbol("called", base + CALLED, 1);
    builder.kind = ET_EXEC;
    builder
}

struct Job {
    options: GenerateOptions,
    _folder: tempfile::TempDir,
}

impl Job {
    fn new(recordings: &[PerfDataBuilder]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, bytes: Vec<u8>| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let mut module = ModuleBuilder::new(X86_64, "module");
        let text = module.text(".text", 16, &TEXT);
        module.symbol("looping", Some(text), 0);
        module.symbol("called", Some(text), CALLED);
        let binaries = [linked(LINKED).build(), module.build(), linked(PROGRAM).build()];
        let binaries = NAMES.into_iter().zip(binaries).map(|(name, bytes)| write(name, bytes));
        let binaries: Vec<_> = binaries.collect();
        let inputs = recordings.iter().enumerate();
        let inputs = inputs.map(|(index, recording)| write(&format!("{index}.data"), recording.build_file()));
        let options = GenerateOptions {
            binaries,
            skip_symbolization: true,
            use_offset: true,
            jobs: 2,
            ..GenerateOptions::new("", Input::PerfData(inputs.collect()))
        };
        Self {
            options,
            _folder: folder,
        }
    }

    fn run(&self) -> Result<Outcome, profgen::Error> {
        generate(&self.options, &Silent)
    }

    /// Returns the counters of each binary in a common job.
    fn together(&self) -> Vec<Option<String>> {
        match self.run() {
            Ok(outcome) => outcome.binaries.into_iter().map(|binary| text(binary.bytes)).collect(),
            Err(_) => vec![None; 3],
        }
    }

    /// Returns the counters of each binary in a job of its own.
    fn alone(&self) -> Vec<Option<String>> {
        let binaries = self.options.binaries.iter();
        let counters = binaries.map(|binary| {
            let options = GenerateOptions {
                binaries: vec![binary.clone()],
                ..self.options.clone()
            };
            generate(&options, &Silent).ok().and_then(|outcome| text(outcome.bytes))
        });
        counters.collect()
    }
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    Some(String::from_utf8(bytes?).expect("text"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// [`generate`] compares traces with recordings, in the common job and in each binary's own.
    #[test]
    fn each_binary_gets_what_it_gets_alone(
        first in any::<Chains>(),
        second in any::<Chains>(),
        samples in samples(),
        ignore in any::<bool>(),
        one_event in any::<bool>(),
    ) {
        let mut job = Job::new(&[recording([first, second], &samples)]);
        job.options.ignore_stack_samples = ignore;
        if one_event {
            job.options.select.events.push("instructions".to_owned());
        }
        prop_assert_eq!(job.together(), job.alone());
    }
}

/// A sample of the program's loop, a sample of the kernel's, and a sample of the module's, without frames of user space.
fn loops() -> Vec<Taken> {
    let sample = |of: usize| Taken {
        second_event: false,
        entries: vec![(of, 0, of), (of, 2, of), (of, 1, of), (of, 0, of)],
        frames: if of == 2 {
            vec![]
        } else {
            vec![(of, CALLED + 2), (of, BEHIND_CALL)]
        },
    };
    (0..3).map(sample).collect()
}

#[test]
fn a_program_without_frames_is_counted_by_its_branches_where_a_kernel_has_contexts() {
    let job = Job::new(&[recording([(true, false); 2], &loops())]);
    let counters = job.together();
    let [kernel, module, program] = [0, 1, 2].map(|of| counters[of].as_deref().expect("counters"));
    assert!(kernel.contains('[') && module.contains('['), "{kernel} {module}");
    assert_eq!(program, "3\n0-0:1\n5-6:1\n10-15:1\n3\n0->10:2\n6->0:1\n15->5:1\n");
}

#[test]
fn recordings_mix_where_they_are_alike_for_every_binary() {
    let (kernel, both, none) = ((true, false), (true, true), (false, false));
    let of = |chains| recording([chains; 2], &loops());
    // The program has flat counts in both.
    let mut job = Job::new(&[of(kernel), of(kernel)]);
    job.run().expect("counters");
    for (first, second) in [(kernel, both), (none, kernel)] {
        job = Job::new(&[of(first), of(second)]);
        assert_eq!(job.run().expect_err("mixed").code, ErrorCode::InvalidOptions);
        job.options.ignore_stack_samples = true;
        assert!(job.run().is_ok());
    }
    // Only the kernel's part is mixed.
    job = Job::new(&[of(none), of(kernel)]);
    job.options.binaries.remove(0);
    job.options.binaries.remove(0);
    assert!(job.run().is_ok());
}
