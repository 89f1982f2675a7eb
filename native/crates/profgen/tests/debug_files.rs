//! Debug information in other files, in other formats, or nowhere: which of it is found, and what is reported
//! if it is not found.

use std::path::{Path, PathBuf};

use profgen::{
    BoltFormat, Error, ErrorCode, Format, GenerateOptions, Input, Outcome, Policy, Severity, Silent, generate,
};
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
    let files = [
        ("calc", "calc"),
        ("calc.dwo", "calc.dwo"),
        ("manifest.json", "text.dwp"),
    ];
    let folder = Folder::with("calc-split-dwo", &files);
    let outcome = folder.generate("calc", |options| options.dwp = Some(folder.path("text.dwp")));
    let told = outcome.expect("the .dwo file is used").diagnostics;
    let said = "text.dwp cannot be read: ";
    assert!(
        told.iter()
            .any(|told| told.code == "debug-info" && told.message.contains(said)),
        "{told:?}"
    );
    let folder = Folder::with("calc-split-dwo", &[("calc", "calc"), ("manifest.json", "text.dwp")]);
    let package = folder.path("text.dwp");
    let said = format!(
        "calc: the split debug information calc.dwo was not found, and the package {0} cannot be read: {0}: not a readable ELF object: Unknown file magic",
        package.display()
    );
    assert_refused(
        folder.generate("calc", |options| options.dwp = Some(package)),
        &said,
        "--dwp",
    );
}

#[test]
fn a_named_debug_file_that_does_not_exist_is_an_error() {
    for fixture in ["calc-x86_64", "calc-split-dwp"] {
        let folder = Folder::with(fixture, &[("calc", "calc")]);
        let missing = folder.path("missing");
        let by_option: [fn(&mut GenerateOptions, PathBuf); 2] = [
            |options, path| options.dwp = Some(path),
            |options, path| options.debug_binary = Some(path),
        ];
        for set in by_option {
            let error = folder.generate("calc", |options| set(options, missing.clone()));
            let error = error.expect_err("a file is missing");
            assert_eq!(error.code, ErrorCode::InputUnreadable);
            let said = format!("{}: no such file or directory", missing.display());
            assert_eq!(error.message, said);
            assert_eq!(error.path.as_deref(), Some(missing.as_path()));
        }
    }
    // llvm-profgen takes no notice.
    let folder = Folder::with("calc-x86_64", &[("calc", "calc")]);
    let told = folder.generate("calc", |options| {
        options.dwp = Some(folder.path("missing"));
        options.policy = Policy::LLVM_PROFGEN;
    });
    let told = told.expect("a profile").diagnostics;
    assert!(
        told.iter()
            .all(|told| !told.message.contains("missing") || told.severity == Severity::Note),
        "{told:?}"
    );
}

#[test]
fn a_named_debug_file_that_is_not_used_is_named() {
    let folder = Folder::with("calc-x86_64", &[("calc", "calc"), ("expected.afdo", "calc.afdo")]);
    let package = Fixture::named("calc-split-dwp").path("calc.dwp");
    let warnings = |change: &dyn Fn(&mut GenerateOptions)| -> Vec<String> {
        let outcome = folder.generate("calc", |options| {
            options.dwp = Some(package.clone());
            options.debug_binary = Some(options.binaries[0].clone());
            change(options);
        });
        let told = outcome.expect("a result").diagnostics.into_iter();
        let of_files = told.filter(|told| told.severity == Severity::Warning && told.code == "debug-info");
        of_files.map(|told| told.message).collect()
    };
    let package_name = package.display();
    let program = folder.path("calc");
    let program = program.display();
    assert_eq!(
        warnings(&|_| ()),
        [format!(
            "the package {package_name} is not used: the debug information of the program is not split"
        )]
    );
    let unused = |result: &str| {
        [
            format!("{program} is not used: {result} needs no debug information"),
            format!("{package_name} is not used: {result} needs no debug information"),
        ]
    };
    assert_eq!(
        warnings(&|options| options.for_bolt = Some(BoltFormat::PreAggregated)),
        unused("a text for BOLT")
    );
    let finished = |options: &mut GenerateOptions| options.input = Input::SampleProfile(folder.path("calc.afdo"));
    assert_eq!(warnings(&finished), unused("a finished profile"));
    assert!(warnings(&|options| options.policy = Policy::LLVM_PROFGEN).is_empty());
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
