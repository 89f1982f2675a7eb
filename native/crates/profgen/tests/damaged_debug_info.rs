//! Damaged debug sections either give the right profile, or a diagnostic reports them. They never give a
//! wrong profile without a diagnostic.

use std::path::{Path, PathBuf};

use profgen::{Error, Format, GenerateOptions, Input, Outcome, Silent, generate};
use testkit::Fixture;

/// The damage to a section.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Damage {
    /// The second half of the section is cut off.
    Cut,
    /// All bytes of the section are zero.
    Zeroed,
    /// The section is missing.
    Absent,
}

const DAMAGES: [Damage; 3] = [Damage::Cut, Damage::Zeroed, Damage::Absent];

fn number(file: &[u8], at: usize, len: usize) -> usize {
    let bytes = &file[at..at + len];
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Returns the offset of the header and the name of each debug section of an ELF file of 64 bits.
fn debug_sections(file: &[u8]) -> Vec<(usize, String)> {
    let (headers, count, names) = (number(file, 0x28, 8), number(file, 0x3c, 2), number(file, 0x3e, 2));
    let names = number(file, headers + names * 64 + 0x18, 8);
    let sections = (0..count).map(|index| headers + index * 64).map(|header| {
        let name = &file[names + number(file, header, 4)..];
        let end = name.iter().position(|byte| *byte == 0).unwrap();
        (header, String::from_utf8_lossy(&name[..end]).into_owned())
    });
    sections.filter(|(_, name)| name.starts_with(".debug_")).collect()
}

fn damaged(file: &[u8], header: usize, damage: Damage) -> Vec<u8> {
    let mut file = file.to_vec();
    let (start, size) = (number(&file, header + 0x18, 8), number(&file, header + 0x20, 8));
    match damage {
        Damage::Cut => file[header + 0x20..header + 0x28].copy_from_slice(&((size / 2) as u64).to_le_bytes()),
        Damage::Zeroed => file[start..start + size].fill(0),
        // The header gets the type SHT_NULL and no name.
        Damage::Absent => file[header..header + 8].fill(0),
    }
    file
}

fn run(fixture: &Fixture, program: &Path, strict: bool) -> Result<Outcome, Error> {
    let mut options = GenerateOptions::new(program.to_owned(), Input::PerfData(vec![fixture.perf_data()]));
    options.format = Format::Text;
    options.jobs = 2;
    options.strict = strict;
    generate(&options, &Silent)
}

/// Returns the warnings of a job about debug information.
fn warnings(outcome: &Outcome) -> Vec<String> {
    let told = outcome
        .diagnostics
        .iter()
        .filter(|told| told.severity == profgen::Severity::Warning);
    told.map(|told| told.message.clone()).collect()
}

/// Damages each section of `file`, which lies beside the program or is the program. Returns the result by
/// section and damage.
fn check(name: &str, file: &str) -> Vec<(String, Damage, &'static str)> {
    let fixture = Fixture::named(name);
    let folder = tempfile::tempdir().expect("a folder");
    let program = fixture.program();
    let copy = |file: &Path| {
        let to: PathBuf = folder.path().join(file.file_name().expect("a name"));
        std::fs::copy(file, &to).expect("copied");
        to
    };
    let copied = copy(&program);
    for beside in ["calc.dwo", "calc.dwp"] {
        if fixture.path(beside).exists() {
            copy(&fixture.path(beside));
        }
    }
    let whole = fixture.read(file);
    let right = run(&fixture, &copied, true).expect("a profile");
    let expected = right.bytes.clone().expect("in memory");
    assert_eq!(expected, fixture.read("expected.prof"), "{name}");
    let usual = warnings(&right);
    let mut results = Vec::new();
    for (header, section) in debug_sections(&whole) {
        for damage in DAMAGES {
            std::fs::write(folder.path().join(file), damaged(&whole, header, damage)).expect("written");
            let case = format!("{name}: {section} {damage:?}");
            let outcome = run(&fixture, &copied, false);
            let result = match &outcome {
                Err(error) => {
                    assert!(error.hint.is_some(), "{case}: {error}");
                    "error"
                }
                Ok(outcome) if outcome.bytes.as_deref() == Some(&expected) => "right",
                Ok(outcome) => {
                    let told = warnings(outcome);
                    let of_damage: Vec<_> = told.iter().filter(|told| !usual.contains(told)).collect();
                    assert!(!of_damage.is_empty(), "{case}: wrong without a word: {told:?}");
                    "warning"
                }
            };
            // A fault that is only a warning is an error in strict mode.
            if result == "warning" {
                assert!(run(&fixture, &copied, true).is_err(), "{case}");
            }
            results.push((section.clone(), damage, result));
        }
    }
    std::fs::write(folder.path().join(file), &whole).expect("written");
    results
}

#[test]
fn every_section_of_every_kind_of_program_can_be_damaged() {
    for (name, file) in [
        ("calc-x86_64", "calc"),
        ("calc-dwarf4", "calc"),
        ("calc-gcc", "calc"),
        ("calc-aarch64", "calc"),
        ("shapes-cpp", "shapes"),
        ("life-rust", "life"),
        ("calc-split-dwo", "calc"),
        ("calc-split-dwo", "calc.dwo"),
        ("calc-split-dwp", "calc"),
        ("calc-split-dwp", "calc.dwp"),
    ] {
        let results = check(name, file);
        assert!(results.len() >= 12, "{name} {file}: {results:?}");
        let harmed = results.iter().filter(|(_, _, result)| *result != "right").count();
        assert!(
            harmed >= 8,
            "{name} {file}: damage that harms nothing is no damage: {results:?}"
        );
    }
}
