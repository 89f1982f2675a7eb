//! Differences from llvm-profgen that show in certain binaries, each taken back alone. The binaries are
//! fixtures with some bytes changed.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/replay.rs"]
mod replay;
mod support;
#[path = "support/traced.rs"]
mod traced;

use std::path::PathBuf;

use profgen::{Error, Format, GenerateOptions, Input, Outcome, Policy, Silent, generate};
use testkit::{EventSpec, Fixture, PerfDataBuilder, SampleSpec};

use replay::{PID, Replay, text};

/// This project's result, and the result with one difference taken back. The latter must equal the result
/// with all differences taken back.
struct Compared {
    own: Outcome,
    own_text: String,
    without: String,
}

#[track_caller]
fn compare(options: &GenerateOptions, difference: fn(&mut Policy) -> &mut bool) -> Compared {
    compare_changed(options, |policy| *difference(policy) = false)
}

#[track_caller]
fn compare_changed(options: &GenerateOptions, take_back: impl Fn(&mut Policy)) -> Compared {
    let mut changed = Policy::OWN;
    take_back(&mut changed);
    let own = run(options, Policy::OWN).expect("a result");
    let alone = text(&run(options, changed).expect("a result"));
    assert_eq!(alone, text(&run(options, Policy::LLVM_PROFGEN).expect("a result")));
    let compared = Compared {
        own_text: text(&own),
        own,
        without: alone,
    };
    assert_ne!(compared.own_text, compared.without, "the difference shows");
    compared
}

/// Runs the job of `options` with another policy.
fn run(options: &GenerateOptions, policy: Policy) -> Result<Outcome, Error> {
    let options = GenerateOptions {
        policy,
        ..options.clone()
    };
    generate(&options, &Silent)
}

fn options(binary: PathBuf, input: Input) -> GenerateOptions {
    let mut options = GenerateOptions::new(binary, input);
    options.format = Format::Text;
    options.jobs = 1;
    options
}

/// Writes a binary under the name that recordings of `calc` have.
fn written(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("calc");
    std::fs::write(&path, bytes).expect("written");
    path
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// Returns the file offset of a symbol in the symbol table of a 64-bit program, and the symbol's address.
fn symbol(bytes: &[u8], name: &str) -> (usize, u64) {
    const HEADER: usize = 64;
    const SYMBOL: usize = 24;
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let single = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let headers = (0..usize::from(half(60))).map(|index| word(bytes, 40) as usize + HEADER * index);
    let place = |header: usize| (word(bytes, header + 24) as usize, word(bytes, header + 32) as usize);
    let table = headers
        .clone()
        .find(|header| single(header + 4) == 2)
        .expect("a symbol table");
    let names = headers.clone().nth(single(table + 40)).map(place).expect("its names").0;
    let (start, size) = place(table);
    let is_named = |at: &usize| bytes[names + single(*at)..].starts_with(format!("{name}\0").as_bytes());
    let at = (start..start + size)
        .step_by(SYMBOL)
        .find(is_named)
        .expect("the symbol");
    (at, word(bytes, at + 8))
}

/// Replaces all occurrences of a word. Returns their number.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    assert_eq!(from.len(), to.len());
    let mut places = 0;
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            places += 1;
        }
    }
    places
}

/// Makes the recording of `calc` with other branch stacks.
fn recording(replay: &Replay, change: impl Fn(&[(u64, u64)]) -> Vec<(u64, u64)>) -> PathBuf {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    for (time, stack) in (10..).zip(&replay.recorded.stacks) {
        builder.sample(SampleSpec::of(event, PID).at(time).branches(&change(stack)));
    }
    replay.write("perf.data", &builder)
}

#[test]
fn an_empty_profile_is_no_error_without_9() {
    let replay = Replay::new();
    let nowhere = recording(&replay, |_| vec![(0x10, 0x20), (0x30, 0x40)]);
    let options = replay.options(&[nowhere]);
    run(&options, Policy::OWN).expect_err("nothing is in the program");
    let without = Policy {
        empty_is_error: false,
        ..Policy::OWN
    };
    for policy in [without, Policy::LLVM_PROFGEN] {
        assert_eq!(text(&run(&options, policy).expect("an empty profile")), "");
    }
}

#[test]
fn probes_of_a_function_without_a_symbol_are_elsewhere_without_10() {
    let fixture = Fixture::named("calc-probe");
    let mut binary = std::fs::read(fixture.program()).expect("readable");
    let (at, _) = symbol(&binary, "_ZL6assignPKc.__uniq.314891802899455926695305303001363405612");
    binary[at..at + 24].fill(0);
    let folder = tempfile::tempdir().expect("a folder");
    let options = options(written(&folder, &binary), Input::PerfData(vec![fixture.perf_data()]));
    let found = compare(&options, |policy| &mut policy.probes_without_symbol);
    let expected = String::from_utf8(fixture.read("expected.prof")).expect("text");
    assert_eq!(counts(&found.own_text, "_ZL6assign"), counts(&expected, "_ZL6assign"));
    assert_ne!(counts(&found.without, "_ZL6assign"), counts(&expected, "_ZL6assign"));
}

/// Returns the lines of a profile that state the counts of a function.
fn counts(profile: &str, name: &str) -> Vec<String> {
    let behind = profile.lines().skip_while(|line| !line.starts_with(name)).skip(1);
    behind
        .take_while(|line| line.starts_with(' '))
        .map(str::to_owned)
        .collect()
}

#[test]
fn of_a_text_only_the_newest_mapping_counts_without_11() {
    const SLIDE: u64 = 0x1234_5000;
    let replay = Replay::new();
    let (start, len, pgoff) = replay.recorded.code;
    let mut lines = Vec::new();
    for slide in [0, SLIDE] {
        let start = start + slide;
        lines.push(format!(
            "PERF_RECORD_MMAP2 9/9: [{start:#x}({len:#x}) @ {pgoff:#x} 08:01 7 0]: r-xp /somewhere/calc"
        ));
    }
    for (index, stack) in replay.recorded.stacks.iter().enumerate() {
        let slide = if index % 2 == 0 { 0 } else { SLIDE };
        let entries = stack
            .iter()
            .map(|(from, to)| format!(" {:#x}/{:#x}/P/-/-/0", from + slide, to + slide));
        lines.push(format!(" {:x}{}", stack[0].1 + slide, entries.collect::<String>()));
    }
    let path = replay.folder.path().join("script");
    std::fs::write(&path, lines.join("\n") + "\n").expect("written");
    let options = options(replay.recorded.fixture.program(), Input::PerfScript(vec![path]));
    let found = compare(&options, |policy| &mut policy.any_text);
    let expected = String::from_utf8(replay.recorded.fixture.read("expected.prof")).expect("text");
    assert_eq!(found.own_text, expected);
}

#[test]
fn debug_information_that_was_moved_with_its_program_is_not_found_without_12() {
    let fixture = Fixture::named("calc-split-dwo");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("calc.dwo"), fixture.read("calc.dwo")).expect("written");
    let binary = written(&folder, &std::fs::read(fixture.program()).expect("readable"));
    let options = options(binary, Input::PerfData(vec![fixture.perf_data()]));
    // Without debug information the profile is empty, which differences 9 and 13 refuse.
    let found = compare_changed(&options, |policy| {
        policy.more_debug_information = false;
        policy.empty_is_error = false;
        policy.refuses_implausible = false;
    });
    let expected = String::from_utf8(fixture.read("expected.prof")).expect("text");
    assert_eq!(found.own_text, expected);
    assert_eq!(found.without, "");
    let only_12: Result<Outcome, Error> = generate(
        &GenerateOptions {
            policy: Policy {
                more_debug_information: false,
                ..Policy::OWN
            },
            ..options
        },
        &Silent,
    );
    assert!(only_12.is_err_and(|error| error.message.contains("calc.dwo")));
}

#[test]
fn calls_through_a_jump_table_have_no_targets_without_14() {
    let replay = Replay::new();
    let mut binary = std::fs::read(replay.recorded.fixture.program()).expect("readable");
    let (_, target) = symbol(&binary, "by_value");
    // `frame_dummy`, which has no debug information, becomes an entry of a jump table. The address of code is
    // its offset in the file.
    let (_, entry) = symbol(&binary, "frame_dummy");
    let mut jump = vec![0xe9];
    jump.extend((target.wrapping_sub(entry + 5) as u32).to_le_bytes());
    binary[entry as usize..entry as usize + 5].copy_from_slice(&jump);
    assert_eq!(replace(&mut binary, b"\0frame_dummy\0", b"\0dumm.cfi_jt\0"), 1);
    let (start, _, pgoff) = replay.recorded.code;
    let loaded = |svma: u64| start - pgoff + svma;
    let through_table = recording(&replay, |stack| {
        let through = |&(from, to): &(u64, u64)| {
            if to == loaded(target) {
                vec![(loaded(entry), to), (from, loaded(entry))]
            } else {
                vec![(from, to)]
            }
        };
        stack.iter().flat_map(through).collect()
    });
    let path = written(&replay.folder, &binary);
    let found = compare(&options(path, Input::PerfData(vec![through_table])), |policy| {
        &mut policy.decoding.jump_tables
    });
    let expected = String::from_utf8(replay.recorded.fixture.read("expected.prof")).expect("text");
    assert_eq!(found.own_text, expected);
    let plain = generate(&replay.options(&[recording(&replay, <[_]>::to_vec)]), &Silent).expect("a profile");
    let without_function = |outcome: &Outcome| outcome.statistics.ledger[profgen::EntryClass::NoFunction];
    assert_eq!(
        without_function(&found.own),
        without_function(&plain),
        "the table is no loss"
    );
    assert!(expected.contains(" by_value:") && !found.without.contains(" by_value:"));
    let heads = |profile: &str| {
        profile
            .lines()
            .filter(|line| !line.starts_with(' '))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(heads(&found.without), heads(&expected));
}

#[test]
fn runs_pass_jmpabs_without_15() {
    let replay = Replay::new();
    let mut binary = std::fs::read(replay.recorded.fixture.program()).expect("readable");
    let (_, function) = symbol(&binary, "find");
    let expected = String::from_utf8(replay.recorded.fixture.read("expected.counters")).expect("text");
    // This is the shortest run that begins with the function. Counters have offsets from the first code.
    let (_, _, pgoff) = replay.recorded.code;
    let from_function = expected
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("{:x}-", function - pgoff)));
    let ends = from_function.filter_map(|rest| u64::from_str_radix(rest.split_once(':')?.0, 16).ok());
    let first_branch = ends.min().expect("a run") + pgoff;
    let straight = &mut binary[function as usize..first_branch as usize];
    assert!(straight.len() >= 11);
    straight.fill(0x90);
    straight[..11].copy_from_slice(&[0xd5, 0x00, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let path = written(&replay.folder, &binary);
    let input = Input::PerfData(vec![replay.recorded.fixture.perf_data()]);
    let options = GenerateOptions {
        skip_symbolization: true,
        ..options(path, input)
    };
    let found = compare(&options, |policy| &mut policy.decoding.jmpabs);
    assert_eq!(found.without, expected, "to LLVM it is no branch");
    let passing = format!("{:x}-{:x}:", function - pgoff, first_branch - pgoff);
    assert!(expected.contains(&passing) && !found.own_text.contains(&passing));
    assert!(found.own.statistics.ledger[profgen::EntryClass::CrossesBarrier] > 0);
}

#[test]
fn parts_of_a_coroutine_are_functions_without_16() {
    let replay = Replay::new();
    let mut binary = std::fs::read(replay.recorded.fixture.program()).expect("readable");
    let places = replace(&mut binary, b"expression\0", b"exp.resume\0");
    assert!(places >= 2, "the symbol and the debug information");
    let path = written(&replay.folder, &binary);
    let input = Input::PerfData(vec![replay.recorded.fixture.perf_data()]);
    let found = compare(&options(path, input), |policy| &mut policy.whole_coroutines);
    let names = |profile: &str| {
        profile
            .lines()
            .filter_map(|line| line.split(':').next().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(names(&found.own_text).contains(&"exp".to_owned()));
    assert!(names(&found.without).contains(&"exp.resume".to_owned()));
}

#[test]
fn folded_functions_have_the_last_name_without_18() {
    let fixture = Fixture::named("calc-dwarf4");
    let mut binary = std::fs::read(fixture.program()).expect("readable");
    let ((_, folded), (_, kept)) = (symbol(&binary, "by_reads"), symbol(&binary, "by_value"));
    // A linker leaves the debug information of two functions with the same code in this way.
    let size = |bytes: &[u8], name| word(bytes, symbol(bytes, name).0 + 16) as u32;
    let entry = |start: u64, size: u32| [&start.to_le_bytes()[..], &size.to_le_bytes()].concat();
    let (from, to) = (
        entry(folded, size(&binary, "by_reads")),
        entry(kept, size(&binary, "by_value")),
    );
    assert_eq!(
        replace(&mut binary, &from, &to),
        2,
        "in the debug information and in the symbol"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let options = options(written(&folder, &binary), Input::PerfData(vec![fixture.perf_data()]));
    let found = compare(&options, |policy| &mut policy.folded_by_lines);
    let expected = String::from_utf8(fixture.read("expected.prof")).expect("text");
    let kept_counts = counts(&expected, "by_value:");
    assert!(!kept_counts.is_empty());
    assert_eq!(counts(&found.own_text, "by_value:"), kept_counts);
    assert!(counts(&found.without, "by_value:").is_empty());
    // The profile has lines before the declaration of the function that it names.
    assert!(
        counts(&found.without, "by_reads:")
            .iter()
            .any(|line| line.trim().starts_with("655"))
    );
}

#[test]
fn counters_from_the_first_segment_begin_behind_address_0_without_19() {
    let fixture = Fixture::named("calc-x86_64");
    let options = GenerateOptions {
        skip_symbolization: true,
        use_first_loadable_segment_as_base: true,
        ..options(fixture.program(), Input::PerfData(vec![fixture.perf_data()]))
    };
    let found = compare(&options, |policy| &mut policy.zero_is_a_base);
    let first = |counters: &str| {
        let (address, _) = counters.lines().nth(1)?.split_once('-')?;
        u64::from_str_radix(address, 16).ok()
    };
    // The first segment is at 0, and the next segment, which has the code, is at 0x1000.
    let (own, without) = (first(&found.own_text), first(&found.without));
    assert_eq!(own.expect("a range"), without.expect("a range") + 0x1000);
}
