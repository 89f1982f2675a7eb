//! A stripped program has the same profile as before it was stripped, if its debug file is found.

#[path = "support/traced.rs"]
mod traced;

use std::path::{Path, PathBuf};

use elf::Image;
use object::LittleEndian as LE;
use object::elf::{FileHeader64, SHT_SYMTAB, SectionHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use profgen::{Error, ErrorCode, Format, GenerateOptions, Input, Outcome, Policy, Silent};
use symbolize::{DebugOptions, Diagnostic, FileSystem, Rejection};
use testkit::Fixture;
use traced::generate;

/// A folder with a fixture's program, stripped.
struct Stripped {
    fixture: Fixture,
    folder: tempfile::TempDir,
}

impl Stripped {
    fn new(fixture: Fixture) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stripped = Self { fixture, folder };
        let program = std::fs::read(stripped.fixture.program()).expect("readable");
        std::fs::write(stripped.program(), without_symbols(program)).expect("written");
        stripped
    }

    fn program(&self) -> PathBuf {
        let name = self.fixture.program();
        self.path(name.file_name().expect("a name"))
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self, program: PathBuf) -> GenerateOptions {
        let mut options = GenerateOptions::new(program, Input::PerfData(vec![self.fixture.perf_data()]));
        options.format = Format::Text;
        options.jobs = 2;
        options
    }

    fn generate(&self, debug_binary: Option<PathBuf>) -> Result<Outcome, Error> {
        let options = GenerateOptions {
            debug_binary,
            ..self.options(self.program())
        };
        generate(&options, &Silent)
    }

    #[track_caller]
    fn assert_refused(&self, debug_binary: Option<PathBuf>, reason: &str) {
        let error = self.generate(debug_binary).expect_err("no symbols");
        assert_eq!(error.code, ErrorCode::NoSymbols);
        assert!(error.message.contains(reason), "{}", error.message);
    }
}

/// Returns the file without its `.symtab`.
fn without_symbols(bytes: Vec<u8>) -> Vec<u8> {
    without(bytes, |section, _| section.sh_type(LE) == SHT_SYMTAB)
}

/// Returns the file without the sections for which `gone` returns true.
fn without(mut bytes: Vec<u8>, gone: impl Fn(&SectionHeader64<LE>, &[u8]) -> bool) -> Vec<u8> {
    let header = FileHeader64::<LE>::parse(&*bytes).expect("an ELF file");
    let sections = header.sections(LE, &*bytes).expect("sections");
    let is_gone = |section: &SectionHeader64<LE>| gone(section, sections.section_name(LE, section).expect("a name"));
    let indices: Vec<_> = (0..)
        .zip(sections.iter())
        .filter(|(_, section)| is_gone(section))
        .collect();
    let indices: Vec<usize> = indices.into_iter().map(|(index, _)| index).collect();
    assert!(!indices.is_empty(), "nothing is taken away");
    let table = usize::try_from(header.e_shoff(LE)).expect("in memory");
    for index in indices {
        // The section gets neither a name nor a type.
        bytes[table + index * 64..][..8].fill(0);
    }
    bytes
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8_lossy(outcome.bytes.as_deref().expect("in memory")).into_owned()
}

#[test]
fn symbols_come_from_the_debug_binary() {
    // Split units are looked for beside the program that names them.
    for fixture in Fixture::all()
        .into_iter()
        .filter(|fixture| !fixture.name().contains("split"))
    {
        let stripped = Stripped::new(fixture);
        let program = stripped.fixture.program();
        let expected = generate(&stripped.options(program.clone()), &Silent).expect("a profile");
        let found = stripped.generate(Some(program)).expect("a profile");
        assert_eq!(text(&found), text(&expected), "{}", stripped.fixture.name());
        assert_eq!(found.statistics.ledger, expected.statistics.ledger);
        let is_told = |outcome: &Outcome| {
            outcome.binaries[0]
                .diagnostics
                .iter()
                .any(|told| told.code == "symbol-file")
        };
        assert!(is_told(&found) && !is_told(&expected));
    }
}

#[test]
fn symbols_come_from_the_file_of_the_debug_link() {
    let stripped = Stripped::new(Fixture::named("calc-debuglink"));
    stripped.assert_refused(None, "has no symbol table");
    let debug_file = stripped.fixture.read("calc.debug");
    let place = stripped.path("calc.debug");
    std::fs::write(&place, &debug_file).expect("written");
    let expected = generate(&stripped.options(stripped.fixture.program()), &Silent).expect("a profile");
    assert_eq!(text(&stripped.generate(None).expect("a profile")), text(&expected));

    let compatible = GenerateOptions {
        policy: Policy::LLVM_PROFGEN,
        ..stripped.options(stripped.program())
    };
    // llvm-profgen does not look there, and ends without an error.
    assert_eq!(text(&generate(&compatible, &Silent).expect("an empty profile")), "");

    std::fs::write(&place, [&debug_file[..], b"\n"].concat()).expect("written");
    stripped.assert_refused(None, "CRC-32");
    std::fs::write(&place, without_symbols(debug_file)).expect("written");
    stripped.assert_refused(Some(place), "has no symbol table");
}

#[test]
fn probes_come_from_the_debug_file() {
    let stripped = Stripped::new(Fixture::named("calc-probe"));
    let program = stripped.fixture.program();
    let expected = generate(&stripped.options(program.clone()), &Silent).expect("a profile");
    let bytes = std::fs::read(stripped.program()).expect("readable");
    let bytes = without(bytes, |_, name| name.starts_with(b".pseudo_probe"));
    std::fs::write(stripped.program(), bytes).expect("written");
    let found = text(&stripped.generate(Some(program.clone())).expect("a profile"));
    assert!(found.contains("CFGChecksum"), "{found}");
    assert_eq!(found, text(&expected));

    let compatible = GenerateOptions {
        policy: Policy::LLVM_PROFGEN,
        debug_binary: Some(program),
        ..stripped.options(stripped.program())
    };
    assert_eq!(text(&generate(&compatible, &Silent).expect("an empty profile")), "");
}

#[test]
fn symbols_come_from_the_build_id_directory() {
    let stripped = Stripped::new(Fixture::named("calc-x86_64"));
    let whole = Image::open(&stripped.fixture.program()).expect("an image");
    let id = whole.build_id().expect("a build id").iter();
    let id: String = id.map(|byte| format!("{byte:02x}")).collect();
    let folder = stripped.path(".build-id").join(&id[..2]);
    std::fs::create_dir_all(&folder).expect("a folder");
    let options = DebugOptions {
        debug_directories: vec![stripped.path("")],
        ..DebugOptions::default()
    };
    let add_symbols = |debug_file: &Fixture| {
        let place = folder.join(format!("{}.debug", &id[2..]));
        std::fs::copy(debug_file.program(), place).expect("copied");
        let mut image = Image::open(&stripped.program()).expect("an image");
        let unused = symbolize::add_symbols(&mut image, &options, &FileSystem).expect("readable");
        (image, unused)
    };
    let (image, unused) = add_symbols(&stripped.fixture);
    assert_eq!(unused, []);
    assert_eq!(image.symbols(), whole.symbols());
    let names = |image: &Image| -> Vec<Vec<u8>> {
        let symbols = image.symbols().iter();
        symbols.map(|symbol| image.symbol_name(symbol).to_vec()).collect()
    };
    assert_eq!(names(&image), names(&whole));

    let (image, unused) = add_symbols(&Fixture::named("calc-gcc"));
    assert!(!image.has_code_symbols());
    let [Diagnostic::CandidateRejected { reason, .. }] = unused.as_slice() else {
        panic!("{unused:?}");
    };
    assert!(matches!(reason, Rejection::BuildId { .. }), "{reason}");
}

#[test]
fn a_debug_file_of_another_build_is_refused() {
    let stripped = Stripped::new(Fixture::named("calc-x86_64"));
    for other in ["calc-gcc", "calc-aarch64", "shapes-cpp"] {
        stripped.assert_refused(
            Some(Fixture::named(other).program()),
            "is not used: it is of another build",
        );
    }
}

#[test]
fn a_truncated_debug_file_gives_an_error() {
    let stripped = Stripped::new(Fixture::named("calc-debuglink"));
    let whole = stripped.fixture.read("calc.debug");
    let place = stripped.path("truncated");
    for length in (0..whole.len()).step_by(509) {
        std::fs::write(&place, &whole[..length]).expect("written");
        assert!(stripped.generate(Some(place.clone())).is_err(), "{length}");
    }
}
