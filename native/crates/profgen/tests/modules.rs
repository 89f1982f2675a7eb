//! Kernel modules in recordings are found by build id and by each name that perf gives them, wherever they
//! were loaded.

#[path = "support/counter_job.rs"]
mod counter_job;
#[path = "../../elf/tests/support/mod.rs"]
mod elf_builder;
#[path = "../../elf/tests/support/module.rs"]
mod module;
#[path = "support/traced.rs"]
mod traced;

use counter_job::CounterJob;
use module::ModuleBuilder;
use object::Architecture::X86_64;
use profgen::{ErrorCode, Policy};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

const LOADED: u64 = 0xffff_ffff_c03c_5000;
const BUILD_ID: [u8; 20] = [7; 20];
/// Code of a loop: `nop`, and a jump back to it.
const LOOP: [u8; 3] = [0x90, 0xeb, 0xfd];
const COLD: u64 = 0x10;
/// Branches, newest first, of a loop in `.text` that went through `.text.unlikely` once.
const STACK: [(u64, u64); 3] = [(1, 0), (COLD + 1, 0), (1, COLD)];
const COUNTERS: &str = "2\n0-1:1\n10-11:1\n3\n1->0:1\n1->10:1\n11->0:1\n";

/// Makes the module `ext_4`. Its file has another name and, as modules have, code for initialization before
/// the rest.
fn ext_4() -> Vec<u8> {
    let mut module = ModuleBuilder::new(X86_64, "ext_4");
    module.build_id(&elf_builder::gnu_note(3, &BUILD_ID));
    let text = module.text(".text", 16, &LOOP);
    let init = module.text(".init.text", 16, &[0x90; 64]);
    let cold = module.text(".text.unlikely", 16, &LOOP);
    module.symbol("hot", Some(text), 0);
    module.symbol("cold", Some(cold), 0);
    module.symbol("init", Some(init), 0);
    module.build()
}

fn recording(map: MapSpec, loaded: u64) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(MapSpec::kernel(
        0xffff_ffff_8100_0000,
        0x200_0000,
        "_text",
        0xffff_ffff_8100_0000,
    ));
    builder.mmap(map);
    let branches = STACK.map(|(from, to)| (from + loaded, to + loaded));
    builder.sample(SampleSpec::of(event, 100).at(10).branches(&branches));
    builder
}

fn named(name: &str) -> PerfDataBuilder {
    recording(MapSpec::module(LOADED, 0x5000, name), LOADED)
}

fn job_of(module: &[u8], recordings: &[PerfDataBuilder]) -> CounterJob {
    CounterJob::new("renamed.ko", module, recordings)
}

#[track_caller]
fn assert_refused(job: &CounterJob, code: ErrorCode, message: &str) {
    let error = job.run().expect_err("refused");
    assert_eq!(error.code, code, "{error}");
    assert!(error.to_string().contains(message) && error.hint.is_some(), "{error}");
}

#[test]
fn any_of_its_names_will_do() {
    for name in [
        "[ext_4]",
        "[ext-4]",
        "/lib/modules/6.1.0/kernel/fs/ext-4.ko",
        "/lib/modules/6.1.0/kernel/fs/ext_4.ko.xz",
        "/lib/modules/6.1.0/extra/ext-4.ko.zst",
    ] {
        assert_eq!(job_of(&ext_4(), &[named(name)]).counters(), COUNTERS, "{name}");
    }
    for name in [
        "[ext4]",
        "[ext_4_helper]",
        "ext_4",
        "/lib/modules/6.1.0/kernel/fs/jbd2.ko",
        "[kernel.kallsyms]_stext",
    ] {
        let job = job_of(&ext_4(), &[named(name)]);
        if name == "ext_4" {
            assert_eq!(job.counters(), COUNTERS);
        } else {
            assert_refused(&job, ErrorCode::NoMapping, "the recording has no mapping of renamed.ko");
        }
    }
}

#[test]
fn a_program_of_the_modules_name_is_not_the_module() {
    let map = MapSpec::code(100, LOADED, 0x5000, 0, "/usr/bin/ext_4");
    let job = job_of(&ext_4(), &[recording(map, LOADED)]);
    assert_refused(&job, ErrorCode::NoMapping, "the recording has no mapping of");
}

#[test]
fn build_ids_decide_first() {
    let mapped = |name: &str, id: &[u8]| {
        let map = MapSpec::module(LOADED, 0x5000, name).with_build_id(id);
        job_of(&ext_4(), &[recording(map, LOADED)])
    };
    assert_eq!(mapped("[other]", &BUILD_ID).counters(), COUNTERS);
    let mut other = mapped("[ext_4]", &[8; 20]);
    assert_refused(
        &other,
        ErrorCode::BuildIdMismatch,
        "the recording is of another build: [ext_4] had build id 0808",
    );
    other.options.ignore_build_id = true;
    assert_eq!(other.counters(), COUNTERS);
}

#[test]
fn the_load_address_of_a_module_does_not_matter() {
    let bases = [LOADED, 0xffff_ffff_a000_0000, 0xffff_8000_7a00_0000];
    let loaded = |base: &u64| recording(MapSpec::module(*base, 0x5000, "[ext_4]"), *base);
    for base in &bases {
        assert_eq!(job_of(&ext_4(), &[loaded(base)]).counters(), COUNTERS, "{base:#x}");
    }
    let all = job_of(&ext_4(), &bases.each_ref().map(loaded)).counters();
    assert_eq!(all, COUNTERS.replace(":1", ":3"));
}

/// Old perf versions let the last module reach to the end of memory. Addresses after a module's code do not
/// belong to the module.
#[test]
fn the_length_of_the_mapping_of_a_module_does_not_matter() {
    let endless = MapSpec::module(LOADED, u64::MAX - LOADED, "[ext_4]");
    let mut recording = recording(endless, LOADED);
    recording.mmap(MapSpec::module(LOADED + 0x20_0000, 0x1000, "[behind]"));
    let outside = [LOADED + 0x13, LOADED + 0x2000, LOADED + 0x20_0000].map(|address| (address, address));
    recording.sample(SampleSpec::of(0, 100).at(11).branches(&outside));
    let job = job_of(&ext_4(), &[recording]);
    assert_eq!(job.counters(), COUNTERS);
    let outcome = job.run().expect("counters");
    assert_eq!(outcome.statistics.ledger[profgen::EntryClass::Used], 3);
}

#[test]
fn a_module_without_debug_information_has_counters_but_no_profile() {
    let mut job = job_of(&ext_4(), &[named("[ext_4]")]);
    job.options.skip_symbolization = false;
    assert_refused(&job, ErrorCode::NoDebugInfo, "no debug information found for");
}

#[test]
fn llvm_profgen_takes_no_modules() {
    let mut job = job_of(&ext_4(), &[named("[ext_4]")]);
    job.options.policy = Policy::LLVM_PROFGEN;
    assert_refused(&job, ErrorCode::BinaryUnsupported, "no executable segment found");
}
