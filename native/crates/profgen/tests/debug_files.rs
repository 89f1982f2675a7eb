//! Debug information in other files, in other formats, or nowhere: which of it is found, and what is reported
//! if it is not found.

use std::path::{Path, PathBuf};

use profgen::{Error, ErrorCode, Format, GenerateOptions, Input, Outcome, Policy, Silent, generate};
use testkit::Fixture;

/// A folder with copies of files of a fixture.
struct Folder {
    fixture: Fixture,
    folder: tempfile::TempDir,
}

impl Folder {
    fn with(fixture: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self {
            fixture: Fixture::named(fixture),
            folder: tempfile::tempdir().expect("a folder"),
        };
        for (from, to) in files {
            std::fs::write(folder.path(to), folder.fixture.read(from)).expect("written");
        }
        folder
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn generate(&self, binary: &str, change: impl FnOnce(&mut GenerateOptions)) -> Result<Outcome, Error> {
        let input = Input::PerfData(vec![self.fixture.perf_data()]);
        let mut options = GenerateOptions::new(self.path(binary), input);
        options.format = Format::Text;
        options.jobs = 2;
        change(&mut options);
        generate(&options, &Silent)
    }

    #[track_caller]
    fn assert_expected(&self, outcome: Result<Outcome, Error>) {
        let bytes = outcome.expect("a profile").bytes.expect("in memory");
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            String::from_utf8_lossy(&self.fixture.read("expected.prof"))
        );
    }
}

#[track_caller]
fn assert_refused(outcome: Result<Outcome, Error>, message: &str, hint: &str) {
    let error = outcome.expect_err("no debug information");
    assert_eq!(error.code, ErrorCode::NoDebugInfo);
    assert!(error.message.ends_with(message), "{}", error.message);
    let found = error.hint.expect("a hint");
    assert!(found.contains(hint), "{found}");
}

/// Returns `bytes` with another, shorter name of a section.
fn renamed(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let old = format!("\0{from}\0");
    let at = memchr::memmem::find(&bytes, old.as_bytes()).expect("the section's name") + 1;
    bytes[at..at + from.len()].fill(0);
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn a_package_lies_beside_the_program_or_beside_its_debug_file() {
    let without_debug_info = |folder: &Folder| {
        let program = renamed(folder.fixture.read("calc"), ".debug_info", ".gone");
        std::fs::write(folder.path("calc"), program).expect("written");
    };
    for package in ["calc.dwp", "calc.debug.dwp"] {
        let folder = Folder::with("calc-split-dwp", &[("calc", "calc.debug"), ("calc.dwp", package)]);
        without_debug_info(&folder);
        let debug_binary = Some(folder.path("calc.debug"));
        folder.assert_expected(folder.generate("calc", |options| options.debug_binary = debug_binary));
    }
}

#[test]
fn split_units_that_are_gone_are_named() {
    let folder = Folder::with("calc-split-dwo", &[("calc", "calc")]);
    let said = "calc: the split debug information calc.dwo was not found";
    assert_refused(folder.generate("calc", |_| {}), said, "--dwp");
    let folder = Folder::with("calc-split-dwo", &[("calc", "calc"), ("calc.dwo", "calc.dwo")]);
    folder.assert_expected(folder.generate("calc", |_| {}));
    let compatible = folder.generate("calc", |options| options.policy = Policy::LLVM_PROFGEN);
    let bytes = compatible.expect("an empty profile").bytes;
    assert_eq!(
        bytes.as_deref(),
        Some(&b""[..]),
        "LLVM looks in the folder of the compilation only"
    );
}

#[test]
fn a_package_without_the_units_is_named() {
    let folder = Folder::with("calc-split-dwo", &[("calc", "calc")]);
    let other = Fixture::named("shapes-cpp").program();
    let said = format!(
        "calc: {} does not have the split debug information calc.dwo of this build",
        other.display()
    );
    assert_refused(
        folder.generate("calc", |options| options.dwp = Some(other)),
        &said,
        "of this build",
    );
}

#[test]
fn a_package_that_was_asked_for_and_cannot_be_read_is_named() {
    let folder = Folder::with("calc-split-dwo", &[("calc", "calc"), ("calc.dwo", "calc.dwo")]);
    let outcome = folder.generate("calc", |options| options.dwp = Some(folder.path("missing.dwp")));
    let told = outcome.expect("the .dwo file is used").diagnostics;
    assert!(
        told.iter().any(|told| told.code == "debug-info"
            && told
                .message
                .contains("missing.dwp cannot be read: there is no such file")),
        "{told:?}"
    );
    let folder = Folder::with("calc-split-dwo", &[("calc", "calc")]);
    let package = folder.path("missing.dwp");
    let said = format!(
        "calc: the split debug information calc.dwo was not found, and the package {} cannot be read: there is no such file",
        package.display()
    );
    assert_refused(
        folder.generate("calc", |options| options.dwp = Some(package)),
        &said,
        "--dwp",
    );
}

#[test]
fn other_formats_of_debug_information_are_named() {
    let formats = [
        (".stab", "STABS", "-gdwarf"),
        (".debug", "DWARF 1", "-gdwarf"),
        (".ctf", "CTF", "-g (clang"),
        (".BTF", "BTF", "-g (clang"),
    ];
    for (section, format, hint) in formats {
        let folder = Folder::with("calc-dwarf4", &[]);
        let program = renamed(folder.fixture.read("calc"), ".debug_info", section);
        std::fs::write(folder.path("calc"), program).expect("written");
        let said = format!("calc is {format}; only DWARF is read");
        assert_refused(folder.generate("calc", |_| {}), &said, hint);
        let compatible = folder.generate("calc", |options| options.policy = Policy::LLVM_PROFGEN);
        assert!(compatible.is_ok(), "llvm-profgen writes an empty profile");
    }
}
