//! Checks that every recorded program of `fixtures/` gives llvm-profgen 22's result, byte for byte.

use profgen::{EntryClass, ErrorCode, Format, GenerateOptions, Input, Outcome, Policy, Silent, generate};
use testkit::Fixture;

/// Returns the options that a fixture's profile is made with.
fn options(fixture: &Fixture) -> GenerateOptions {
    let mut options = GenerateOptions::new(fixture.program(), Input::PerfData(vec![fixture.perf_data()]));
    options.jobs = 2;
    options
}

fn run(options: &GenerateOptions, fixture: &Fixture) -> Outcome {
    generate(options, &Silent).unwrap_or_else(|error| panic!("{}: {error:?}", fixture.name()))
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8_lossy(outcome.bytes.as_deref().expect("in memory")).into_owned()
}

/// Checks that the text profile, or the counters, equal one of the fixture's files.
#[track_caller]
fn assert_text(mut options: GenerateOptions, fixture: &Fixture, file: &str) {
    options.format = Format::Text;
    let expected = fixture.read(file);
    assert_eq!(
        text(&run(&options, fixture)),
        String::from_utf8_lossy(&expected),
        "{}",
        fixture.name()
    );
}

/// Returns the fixtures whose default profile equals llvm-profgen's. The others have a test of their own
/// below.
fn plain() -> impl Iterator<Item = Fixture> {
    Fixture::all()
        .into_iter()
        .filter(|fixture| fixture.name() != "calc-debuglink")
}

#[test]
fn text_profiles_are_equal() {
    for fixture in plain() {
        assert_text(options(&fixture), &fixture, "expected.prof");
    }
}

#[test]
fn extbinary_profiles_are_equal() {
    for fixture in plain() {
        let bytes = run(&options(&fixture), &fixture).bytes.expect("in memory");
        let expected = fixture.read("expected.afdo");
        if fixture.name() == "calc-probe" {
            assert_equal_but_for_order(&bytes, &expected);
        } else {
            assert!(bytes == expected, "{}", fixture.name());
        }
    }
}

/// Checks that both profiles are equal except for the order of checksums. llvm-profgen writes checksums, the
/// last section of the file, in the order of a hash table.
#[track_caller]
fn assert_equal_but_for_order(found: &[u8], expected: &[u8]) {
    const METADATA_OFFSET: usize = 18 + 6 * 32 + 16;
    let offset = &expected[METADATA_OFFSET..METADATA_OFFSET + 8];
    let metadata = usize::from_le_bytes(offset.try_into().expect("eight bytes"));
    assert!(found[..metadata] == expected[..metadata], "the other sections");
    assert_eq!(found.len(), expected.len());
    let texts = [found, expected].map(|bytes| {
        let profile = sampleprof::read(bytes, "profile").expect("readable");
        let options = sampleprof::WriteOptions {
            format: sampleprof::Format::Text,
            ..sampleprof::WriteOptions::default()
        };
        sampleprof::write(&profile, &options).expect("written")
    });
    assert!(texts[0] == texts[1], "checksums");
}

#[test]
fn counters_are_equal() {
    for fixture in Fixture::all() {
        let options = GenerateOptions {
            skip_symbolization: true,
            ..options(&fixture)
        };
        assert_text(options, &fixture, "expected.counters");
    }
}

#[test]
fn counters_read_back_give_the_same_profile() {
    let folder = tempfile::tempdir().expect("folder");
    for fixture in plain() {
        let counters = folder.path().join(fixture.name());
        std::fs::write(&counters, fixture.read("expected.counters")).expect("written");
        let options = GenerateOptions {
            input: Input::UnsymbolizedProfile(counters),
            ..options(&fixture)
        };
        assert_text(options, &fixture, "expected.prof");
    }
}

#[test]
fn a_debuglink_gives_heads_and_zero_counts_unless_compatible() {
    let fixture = Fixture::named("calc-debuglink");
    // Difference 9 refuses a binary whose functions are all in another file.
    let without_8_and_9 = Policy {
        symbols_of_debug_file: false,
        empty_is_error: false,
        ..Policy::OWN
    };
    for policy in [without_8_and_9, Policy::LLVM_PROFGEN] {
        let compatible = GenerateOptions {
            policy,
            ..options(&fixture)
        };
        assert_text(compatible, &fixture, "expected.prof");
    }

    let unstripped = GenerateOptions {
        debug_binary: Some(fixture.path("calc.debug")),
        format: Format::Text,
        ..options(&fixture)
    };
    let ours = text(&run(
        &GenerateOptions {
            format: Format::Text,
            ..options(&fixture)
        },
        &fixture,
    ));
    assert_eq!(ours, text(&run(&unstripped, &fixture)));
    assert!(ours.lines().any(|line| line.ends_with(": 0")), "zero counts are there");
}

#[test]
fn probes_do_not_fit_into_the_raw_binary_form() {
    let fixture = Fixture::named("calc-probe");
    let options = GenerateOptions {
        format: Format::Binary,
        ..options(&fixture)
    };
    let error = generate(&options, &Silent).expect_err("no place for checksums");
    assert_eq!(error.code, ErrorCode::Unsupported);
}

#[test]
fn probes_can_be_ignored_for_dwarf() {
    let fixture = Fixture::named("calc-probe");
    let options = GenerateOptions {
        use_dwarf_correlation: true,
        ..options(&fixture)
    };
    assert_text(options, &fixture, "expected.dwarf.prof");
}

#[test]
fn code_newer_than_armv8_0_is_lost_in_compat_mode_only() {
    let fixture = Fixture::named("calc-aarch64-v8.3");
    let mut without_6 = Policy::OWN;
    without_6.decoding.aarch64_extensions = false;
    for policy in [without_6, Policy::LLVM_PROFGEN] {
        let options = GenerateOptions {
            policy,
            ..options(&fixture)
        };
        assert_text(options, &fixture, "llvm-profgen.prof");
    }
}

#[test]
fn the_ledger_accounts_for_every_entry_and_threads_change_nothing() {
    for fixture in Fixture::all() {
        let mut options = options(&fixture);
        let outcomes = [1, 2, 7].map(|jobs| {
            options.jobs = jobs;
            run(&options, &fixture)
        });
        for outcome in &outcomes {
            let ledger = &outcome.statistics.ledger;
            assert_eq!(ledger.accounted(), ledger.entries(), "{}", fixture.name());
            assert!(ledger[EntryClass::Used] > 0, "{}", fixture.name());
            assert!(outcome.bytes == outcomes[0].bytes, "{}", fixture.name());
        }
    }
}
