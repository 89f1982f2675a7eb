//! Text of `perf script` in place of the recording. The tests print a fixture's records as perf does, so that
//! they can change mappings, processes and counts. The differential tests compare with llvm-profgen itself.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use profgen::{
    EntryClass, Error, ErrorCode, Format, GenerateOptions, Input, Outcome, Policy, Selection, Silent, generate,
};

use sampleprof::Profile;

use support::Recorded;

/// A recording as lines of text.
struct Script {
    recorded: Recorded,
    folder: tempfile::TempDir,
}

impl Script {
    fn new() -> Self {
        Self {
            recorded: Recorded::read(),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn mapping(&self, pid: i32, slide: u64) -> String {
        let (start, len, offset) = self.recorded.code;
        let start = start + slide;
        format!(
            "PERF_RECORD_MMAP2 {pid}/{pid}: [{start:#x}({len:#x}) @ {offset:#x} 08:01 77 0]: r-xp /somewhere/calc\n"
        )
    }

    /// Returns the branch entries of a sample in a process whose load address is moved by `slide`.
    fn entries(&self, index: usize, slide: u64) -> String {
        self.recorded.stacks[index]
            .iter()
            .fold(String::new(), |mut line, (from, to)| {
                let _ = write!(line, " {:#x}/{:#x}/P/-/-/0 ", from + slide, to + slide);
                line
            })
    }

    /// Returns the index of a sample whose branches all lie in the program.
    fn typical(&self) -> usize {
        let (start, len, _) = self.recorded.code;
        let is_inside =
            |(from, to): &(u64, u64)| (start..start + len).contains(from) && (start..start + len).contains(to);
        let found = self
            .recorded
            .stacks
            .iter()
            .position(|stack| stack.iter().all(is_inside));
        found.expect("the program has loops")
    }

    fn samples(&self) -> String {
        let lines = (0..self.recorded.stacks.len())
            .map(|index| format!("    {:x}{}\n", self.recorded.stacks[index][0].1, self.entries(index, 0)));
        lines.collect()
    }

    fn options(&self, text: &str) -> GenerateOptions {
        let path = self.folder.path().join("script");
        std::fs::write(&path, text).expect("written");
        let mut options = GenerateOptions::new(self.recorded.fixture.program(), Input::PerfScript(vec![path]));
        options.format = Format::Text;
        options.skip_symbolization = true;
        options
    }

    /// Returns the counters of a text.
    fn counters(&self, text: &str) -> String {
        bytes(run(&self.options(text)))
    }

    /// Returns the counters of the recording itself.
    fn recorded(&self) -> String {
        let input = Input::PerfData(vec![self.recorded.fixture.perf_data()]);
        let mut options = GenerateOptions::new(self.recorded.fixture.program(), input);
        options.skip_symbolization = true;
        bytes(run(&options))
    }
}

fn run(options: &GenerateOptions) -> Result<Outcome, Error> {
    generate(options, &Silent)
}

fn bytes(outcome: Result<Outcome, Error>) -> String {
    let outcome = outcome.expect("a result");
    let ledger = outcome.statistics.ledger;
    assert_eq!(ledger.accounted(), ledger.entries(), "every entry has a class");
    String::from_utf8(outcome.bytes.expect("in memory")).expect("text")
}

/// Multiplies all counters by `factor`.
fn times(counters: &str, factor: u64) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((pair, count)) => format!("{pair}:{}\n", count.parse::<u64>().expect("a count") * factor),
        None => format!("{line}\n"),
    };
    counters.lines().map(line).collect()
}

#[test]
fn a_text_counts_like_its_recording() {
    let script = Script::new();
    let text = script.mapping(100, 0) + &script.samples();
    assert_eq!(script.counters(&text), script.recorded());
    // The text fills more than one window, and several blocks for each thread.
    let long = script.mapping(100, 0) + &script.samples().repeat(40);
    assert!(long.len() > 16 << 20);
    let mut options = script.options(&long);
    for jobs in [1, 3] {
        options.jobs = jobs;
        assert_eq!(bytes(run(&options)), times(&script.recorded(), 40));
    }
}

#[test]
fn counted_samples_and_several_texts_add_up() {
    let script = Script::new();
    let counted = script
        .samples()
        .lines()
        .fold(script.mapping(100, 0), |text, line| text + "7\n" + line + "\n");
    let mut options = script.options(&counted);
    let Input::PerfScript(paths) = &mut options.input else {
        unreachable!("the input is text")
    };
    paths.push(paths[0].clone());
    assert_eq!(bytes(run(&options)), times(&script.recorded(), 14));
}

#[test]
fn processes_at_different_addresses() {
    let script = Script::new();
    let slide = 0x1000_0000;
    let mut text = script.mapping(100, 0) + &script.mapping(200, slide);
    for index in 0..script.recorded.stacks.len() {
        for slide in [0, slide] {
            let _ = writeln!(text, "    1{}", script.entries(index, slide));
        }
    }
    assert_eq!(script.counters(&text), times(&script.recorded(), 2));

    // llvm-profgen knows the newer address only.
    let mut options = script.options(&text);
    options.policy = Policy::LLVM_PROFGEN;
    assert_eq!(bytes(run(&options)), script.recorded());
}

#[test]
fn a_program_that_is_mapped_anew_is_followed() {
    let script = Script::new();
    let mut text = String::new();
    for (index, slide) in (0..script.recorded.stacks.len()).zip([0, 0x1000, 0x5000_0000].into_iter().cycle()) {
        text += &script.mapping(index as i32, slide);
        let _ = writeln!(text, "    1{}", script.entries(index, slide));
    }
    assert_eq!(script.counters(&text), script.recorded());
    let mut options = script.options(&text);
    options.policy = Policy::LLVM_PROFGEN;
    assert_eq!(bytes(run(&options)), script.recorded());
}

#[test]
fn data_mappings() {
    let script = Script::new();
    let data = "PERF_RECORD_MMAP2 100/100: [0x7000000000(0x1000) @ 0 08:01 77 0]: r--p /somewhere/calc\n";
    let text = script.mapping(100, 0) + data + &script.samples();
    assert_eq!(script.counters(&text), script.recorded());

    let mut options = script.options(&text);
    options.policy = Policy::LLVM_PROFGEN;
    let error = run(&options).expect_err("llvm-profgen ends, too");
    assert_eq!(error.message, "File offset not found");
}

#[test]
fn other_builds_and_other_programs() {
    let script = Script::new();
    let (start, len, offset) = script.recorded.code;
    let other = format!(
        "PERF_RECORD_MMAP2 1/1: [{start:#x}({len:#x}) @ {offset:#x} <{}>]: r-xp /bin/calc\n",
        "ab".repeat(20)
    );
    let mut options = script.options(&(other + &script.samples()));
    assert_eq!(
        run(&options).expect_err("another build").code,
        ErrorCode::BuildIdMismatch
    );
    options.ignore_build_id = true;
    assert_eq!(bytes(run(&options)), script.recorded());

    // Without any mapping, the program is taken to be at the address that it was linked for.
    let unmapped = script.options(&script.samples());
    let error = run(&unmapped).expect_err("no sample is of the program there");
    assert_eq!(error.code, ErrorCode::NoMapping);
    assert!(error.message.contains("no PERF_RECORD_MMAP lines"), "{error}");
    assert!(error.hint.expect("a hint").contains("--show-mmap-events"));
    let unmapped = script.options(&(script.mapping(100, 0).replace("/calc", "/other") + &script.samples()));
    let error = run(&unmapped).expect_err("the program is not mapped");
    assert_eq!(error.code, ErrorCode::NoMapping);
    assert!(error.message.contains("/somewhere/other"), "{error}");
}

#[test]
fn of_several_texts_one_without_mappings_is_named() {
    let script = Script::new();
    let mut options = script.options(&(script.mapping(100, 0) + &script.samples()));
    let silent = script.folder.path().join("silent");
    std::fs::write(&silent, script.samples()).expect("written");
    let Input::PerfScript(paths) = &mut options.input else {
        unreachable!("the input is text")
    };
    paths.push(silent);
    let outcome = run(&options).expect("one text is good");
    let found = outcome
        .diagnostics
        .iter()
        .find(|found| found.code == "text-without-mappings");
    let message = &found.expect("a warning").message;
    assert!(message.contains("silent has no PERF_RECORD_MMAP lines"), "{message}");
    assert_eq!(bytes(Ok(outcome)), script.recorded());
}

#[test]
fn lines_may_begin_with_long_numbers_and_end_as_on_windows() {
    let script = Script::new();
    let text = script.mapping(1_000_000, 0) + &script.samples();
    for before in ["", "1000000/1000000 ", "1000000 ", "100800.123456: "] {
        let begun: String = text.lines().map(|line| format!("{before}{line}\n")).collect();
        assert_eq!(script.counters(&begun), script.recorded(), "{before}");
        assert_eq!(
            script.counters(&begun.replace('\n', "\r\n")),
            script.recorded(),
            "{before}"
        );
    }
    let counted = script.mapping(1, 0)
        + &script
            .samples()
            .lines()
            .map(|line| format!("3\n{line}\n"))
            .collect::<String>();
    assert_eq!(
        script.counters(&counted.replace('\n', "\r\n")),
        times(&script.recorded(), 3)
    );
}

/// Since perf 6.4 a blank stands before the name of each file. In the differential tests, perf itself prints
/// the older form.
#[test]
fn files_may_stand_behind_addresses() {
    let script = Script::new();
    let samples = script.samples();
    for file in ["(/my (old)/calc)", " (/my (old)/calc)", " (/my (old)/calc+0x1f4)"] {
        let with_files = |token: &str| match token.split('/').collect::<Vec<_>>()[..] {
            [from, to, ..] => format!("{from}{file}/{to}{file}/P/-/-/0"),
            _ => token.to_owned(),
        };
        let lines = samples.lines().map(|line| {
            let tokens: Vec<_> = line.split(' ').map(with_files).collect();
            tokens.join(" ") + "\n"
        });
        let text = script.mapping(100, 0) + &lines.collect::<String>();
        assert!(text.contains(file));
        assert_eq!(script.counters(&text), script.recorded(), "{file}");
    }
}

#[test]
fn call_stacks_are_used_flat_or_not_at_all() {
    let script = Script::new();
    let mut text = script.mapping(100, 0);
    for index in 0..script.recorded.stacks.len() {
        let _ = write!(text, "\t ffffffff\n{}\n\n", script.entries(index, 0));
    }
    let mut options = script.options(&text);
    options.sample_period = Some(3);
    let error = run(&options).expect_err("there are call stacks");
    options.sample_period = None;
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.hint.expect("a hint").contains("--ignore-stack-samples"));
    options.ignore_stack_samples = true;
    assert_eq!(bytes(run(&options)), script.recorded());
}

#[test]
fn contexts_have_every_call_of_the_branches() {
    let script = Script::new();
    let mut text = script.mapping(100, 0);
    for index in 0..script.recorded.stacks.len() {
        let _ = write!(text, "\t ffffffff\n{}\n\n", script.entries(index, 0));
    }
    let mut options = script.options(&text);
    options.skip_symbolization = false;
    options.ignore_stack_samples = true;
    let read =
        |options: &GenerateOptions| sampleprof::read(bytes(run(options)).as_bytes(), "profile").expect("a profile");
    let flat = read(&options);

    options.ignore_stack_samples = false;
    options.csspgo_preinliner = false;
    options.gen_cs_nested_profile = false;
    options.csprof_merge_cold_context = Some(false);
    let mut contexts = read(&options);
    assert!(contexts.flags.context_sensitive);
    let known = contexts
        .functions
        .iter()
        .filter(|function| contexts.full_name(function).to_string().contains(" @ "));
    assert!(known.count() > 1, "calls that the branch stacks show");
    contexts.flatten();

    let heads = |profile: &Profile| -> BTreeMap<String, u64> {
        let functions = profile.functions.iter().filter(|function| function.head > 0);
        functions
            .map(|function| (profile.full_name(function).to_string(), function.head))
            .collect()
    };
    assert_eq!(heads(&contexts), heads(&flat));
    options.jobs = 1;
    let alone = bytes(run(&options));
    options.jobs = 7;
    assert_eq!(bytes(run(&options)), alone);
}

#[test]
fn a_call_stack_a_hundred_thousand_frames_deep_is_cut() {
    let script = Script::new();
    let text = |address: u64, times: usize| {
        let frames = format!("\t{address:x}\n").repeat(times);
        let entries = script.entries(script.typical(), 0);
        format!("{}\t ffffffff\n{frames}{entries}\n\n", script.mapping(100, 0))
    };
    let run_contexts = |text: &str| {
        let mut options = script.options(text);
        options.csspgo_preinliner = false;
        options.skip_symbolization = false;
        run(&options).expect("a profile")
    };
    let says = |outcome: &Outcome, words: &str| {
        let mut diagnostics = outcome.diagnostics.iter();
        diagnostics.any(|diagnostic| diagnostic.message.contains(words))
    };
    const CUT: &str = "1 sample has more than 1024 frames";
    let targets: BTreeSet<u64> = script.recorded.stacks.iter().flatten().map(|&(_, to)| to).collect();
    // If a branch went to a place after a call, it was a return. Any other return address breaks the stack,
    // or is in another file.
    let mut returns = targets
        .into_iter()
        .filter(|&to| says(&run_contexts(&text(to, 1024)), CUT));
    let behind_call = returns.next().expect("the program returns");
    assert!(!says(&run_contexts(&text(behind_call, 1023)), CUT));
    assert!(says(&run_contexts(&text(behind_call, 100_000)), CUT));
}

#[test]
fn the_pre_inliner_chooses_among_the_contexts_of_a_finished_profile() {
    let script = Script::new();
    let path = script.folder.path().join("cs.prof");
    std::fs::write(&path, "[main:1 @ f]:5:1\n 1: 5\n[main]:1:0\n 1: 1 f:1\n").expect("written");
    let mut options = GenerateOptions::new(script.recorded.fixture.program(), Input::SampleProfile(path));
    options.format = Format::Text;
    // This is llvm-profgen 22's result.
    options.csspgo_preinliner = false;
    assert_eq!(bytes(run(&options)), "main:5:0\n 1: f:5\n  1: 5\n");
    options.csspgo_preinliner = true;
    assert_eq!(bytes(run(&options)), "f:5:1\n 1: 5\nmain:1:0\n 1: 1 f:1\n");
    // The call is cold.
    options.pre_inlining.cold_threshold = 1_000_000;
    assert_eq!(bytes(run(&options)), "main:5:0\n 1: f:5\n  1: 5\n  !Attributes: 2\n");
}

#[test]
fn texts_with_and_without_call_stacks_are_not_mixed() {
    let script = Script::new();
    let flat = script.mapping(100, 0) + &script.entries(0, 0) + "\n";
    let stacks = format!("{}\t ffffffff\n{}\n\n", script.mapping(100, 0), script.entries(0, 0));
    let mut options = script.options(&flat);
    options.csspgo_preinliner = false;
    options.skip_symbolization = false;
    let with_stacks = script.folder.path().join("stacks");
    std::fs::write(&with_stacks, stacks).expect("written");
    if let Input::PerfScript(paths) = &mut options.input {
        paths.push(with_stacks);
    }
    let error = run(&options).expect_err("one has call stacks");
    assert!(
        error
            .message
            .contains("some texts have call stacks and others have not"),
        "{}",
        error.message
    );
}

#[test]
fn a_text_that_ends_within_a_sample() {
    let script = Script::new();
    let text = format!(
        "{}\t ffffffff\n{}\n\t ffffffff\n",
        script.mapping(100, 0),
        script.entries(script.typical(), 0)
    );
    let mut options = script.options(&text);
    options.ignore_stack_samples = true;
    let outcome = run(&options).expect("what comes before is used");
    assert!(outcome.diagnostics.iter().any(|found| found.code == "input-damaged"));
    options.strict = true;
    assert_eq!(run(&options).expect_err("strict").code, ErrorCode::InputDamaged);
    (options.strict, options.policy) = (false, Policy::LLVM_PROFGEN);
    assert!(
        run(&options)
            .expect_err("llvm-profgen ends, too")
            .message
            .contains("No LBR sample line")
    );
}

#[test]
fn samples_cannot_be_selected_by_fields_that_text_lacks() {
    let script = Script::new();
    let mut options = script.options(&(script.mapping(100, 0) + &script.samples()));
    options.select = Selection {
        tids: vec![1],
        ..Selection::default()
    };
    assert_eq!(run(&options).expect_err("no threads").code, ErrorCode::InvalidOptions);
    options.select = Selection {
        events: vec!["other".to_owned()],
        ..Selection::default()
    };
    let outcome = run(&options).expect("lines without an event count");
    assert!(outcome.diagnostics.iter().any(|found| found.code == "event-missing"));
}

#[test]
fn events_are_selected_by_name() {
    let script = Script::new();
    let mut text = script.mapping(100, 0);
    for index in 0..script.recorded.stacks.len() {
        for name in ["cycles:u", "branch-misses:upp"] {
            let _ = writeln!(
                text,
                " {name}:  {:x}{}",
                script.recorded.stacks[index][0].1,
                script.entries(index, 0)
            );
        }
    }
    let mut options = script.options(&text);
    assert_eq!(bytes(run(&options)), times(&script.recorded(), 2));
    options.select.events = vec!["cycles:u".to_owned()];
    let outcome = run(&options).expect("a result");
    let ledger = outcome.statistics.ledger;
    assert_eq!(ledger[EntryClass::Deselected] * 2, ledger.entries());
    assert_eq!(bytes(Ok(outcome)), script.recorded());
}

#[test]
fn absurd_counts_wrap_around_in_compat_mode() {
    let script = Script::new();
    let entries = script.entries(script.typical(), 0);
    let text = |times: &str, lines: usize| script.mapping(100, 0) + &format!("{times}\n    1{entries}\n").repeat(lines);
    let counters = |text: &str| {
        let mut options = script.options(text);
        options.policy = Policy::LLVM_PROFGEN;
        bytes(run(&options))
    };
    let once = counters(&text("1", 1));
    let wrapped = counters(&text("18446744073709551615", 3));
    let counts = |text: &str| -> Vec<u64> {
        let count = |line: &str| Some(line.split_once(':')?.1.parse().expect("a count"));
        text.lines().filter_map(count).collect()
    };
    let want: Vec<_> = counts(&once)
        .into_iter()
        .map(|count| count.wrapping_mul(3).wrapping_neg())
        .collect();
    assert!(want.len() > 3);
    assert_eq!(counts(&wrapped), want);
}

#[test]
fn texts_of_other_forms_are_named() {
    let script = Script::new();
    let mut options = script.options("no branches here\n");
    let message = run(&options).expect_err("nothing to count").message;
    assert!(message.starts_with("no line of"), "{message}");
    options.input = Input::PerfScript(vec![script.recorded.fixture.perf_data()]);
    assert!(
        run(&options)
            .expect_err("a recording")
            .hint
            .expect("a hint")
            .contains("--perfdata")
    );
    options.input = Input::PerfScript(vec![PathBuf::from("missing")]);
    let error = run(&options).expect_err("not there");
    assert_eq!(
        (error.code, error.path),
        (ErrorCode::InputUnreadable, Some(PathBuf::from("missing")))
    );
}

#[test]
fn records_of_other_kinds_are_passed_over() {
    let script = Script::new();
    let entries = script.entries(script.typical(), 0);
    let plain = script.mapping(100, 0) + &format!("    1{entries}\n");
    let records = "calc 100 PERF_RECORD_COMM exec: calc:100/100\n  calc 100 PERF_RECORD_EXIT(100:100):(99:99)\n";
    let both = script.mapping(100, 0) + records + &format!("    1{entries}\n{records}");
    let told = |text: &str| run(&script.options(text)).expect("a profile").diagnostics;
    assert_eq!(told(&plain), told(&both));
    assert_eq!(script.counters(&plain), script.counters(&both));
}

#[test]
fn counts_that_64_bits_do_not_hold_are_refused() {
    let script = Script::new();
    let line = format!("{}\n", script.entries(script.typical(), 0));
    let counted = |times: &str| format!("{}{times}\n{line}{times}\n{line}", script.mapping(100, 0));
    let run_with = |text: &str, period: Option<u64>, compat: Policy| {
        let mut options = script.options(text);
        (options.sample_period, options.policy) = (period, compat);
        run(&options)
    };
    let refused = |result: Result<Outcome, Error>| {
        let error = result.expect_err("refused");
        assert_eq!(error.code, ErrorCode::InputInvalid);
        assert!(error.message.contains("more than 18446744073709551615"), "{error}");
        error.hint.expect("a hint")
    };
    // These are the sum of two samples, the sum of a stack's entries, and the sum of a range's bytes.
    for times in ["9223372036854775808", "18446744073709551615", "72057594037927936"] {
        assert!(refused(run_with(&counted(times), None, Policy::OWN)).contains("Divide"));
    }
    assert!(refused(run_with(&counted("2"), Some(1 << 63), Policy::OWN)).contains("--sample-period"));
    assert!(run_with(&counted("2"), Some(1 << 40), Policy::OWN).is_ok());
    // llvm-profgen's counts wrap around at 0.
    assert!(run_with(&counted("9223372036854775808"), None, Policy::LLVM_PROFGEN).is_ok());
}

#[test]
fn counters_that_64_bits_do_not_hold_are_refused() {
    let script = Script::new();
    let counters = script.counters(&(script.mapping(100, 0) + &script.samples()));
    let (pair, _) = counters
        .lines()
        .nth(1)
        .and_then(|row| row.split_once(':'))
        .expect("a range");
    let read = |rows: &[u64]| {
        let path = script.folder.path().join("counters");
        let rows: Vec<_> = rows.iter().map(|count| format!("{pair}:{count}\n")).collect();
        std::fs::write(&path, format!("{}\n{}0\n", rows.len(), rows.concat())).expect("written");
        let input = Input::UnsymbolizedProfile(path);
        run(&GenerateOptions::new(script.recorded.fixture.program(), input))
    };
    for rows in [&[u64::MAX, 2][..], &[1 << 63, 1 << 63], &[u64::MAX]] {
        let error = read(rows).expect_err("refused");
        assert!(error.message.contains("more than 18446744073709551615"), "{error}");
    }
    assert!(read(&[1 << 40, 1 << 40]).is_ok());
}

#[test]
fn a_sample_whose_call_stack_is_not_sure_is_in_the_account() {
    let script = Script::new();
    let entries = script.entries(script.typical(), 0);
    let mut options = script.options(&format!(
        "{mapping}\tffffffff\n{entries}\n\n5\n{entries}\n\nnoise\n{entries}\n\n",
        mapping = script.mapping(100, 0)
    ));
    options.ignore_stack_samples = true;
    let outcome = run(&options).expect("counters");
    let (ledger, stack) = (
        outcome.statistics.ledger,
        script.recorded.stacks[script.typical()].len() as u64,
    );
    assert_eq!(ledger.accounted(), ledger.entries());
    assert_eq!(ledger[EntryClass::Used], stack);
    // The second sample has no frames and was taken five times. The third one is no sample.
    assert_eq!(ledger[EntryClass::UnsureStack], 6 * stack);
}

#[test]
fn offsets_in_files_are_named_as_such() {
    let script = Script::new();
    let (start, _, offset) = script.recorded.code;
    let mut stack = String::new();
    for (from, to) in &script.recorded.stacks[script.typical()] {
        let _ = write!(
            stack,
            " {:#x}/{:#x}/P/-/-/0 ",
            from - start + offset,
            to - start + offset
        );
    }
    let text = |before: &str, entries: &str| format!("{}{before}{entries}\n\n", script.mapping(100, 0));
    // This is the output of `perf script -F brstackoff`.
    let error = run(&script.options(&text("", &stack))).expect_err("no addresses");
    assert!(error.message.contains("brstackoff"), "{error}");
    // This is the output of perf 6.1 with call chains.
    let warns = |frame: u64| {
        let entries = script.entries(script.typical(), 0);
        let outcome = run(&script.options(&text(&format!("\t{frame:x}\n"), &entries))).expect("counters");
        outcome
            .diagnostics
            .iter()
            .any(|found| found.message.contains("perf 5.9 to 6.3"))
    };
    assert!(warns(offset + 0x139));
    // This is the call stack of a sample in a library.
    assert!(!warns(start + 0x7000_0000));
}

#[test]
fn code_that_moved_before_perf_came_is_named() {
    let script = Script::new();
    let (start, len, _) = script.recorded.code;
    let hint = |name: &str| {
        let mapping = format!("PERF_RECORD_MMAP2 9/9: [{start:#x}({len:#x}) @ 0 00:00 0 0]: r-xp {name}\n");
        let error = run(&script.options(&(mapping + &script.samples()))).expect_err("nothing maps the program");
        assert_eq!(error.code, ErrorCode::NoMapping);
        error.hint.expect("a hint")
    };
    for name in ["//anon", "/anon_hugepage (deleted)", "/memfd:text (deleted)"] {
        assert!(hint(name).contains("had moved its code there"), "{name}");
    }
    assert!(hint("/somewhere/other").starts_with("Name one of these"));
}
