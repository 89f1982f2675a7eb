//! Tests the requests to a provider of debug files, their order, and the use of its answers.

mod support;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use elf::Image;
use symbolize::{
    DebugFileProvider, DebugFileSource, DebugInfo, DebugOptions, Diagnostic, FileRequest, FollowLinks, FunctionTable,
    LocalFiles, OpenedFile, Rejection, add_symbols,
};
use testkit::Fixture;

/// A provider whose files are in memory. It does not use the file system.
#[derive(Default)]
struct Memory {
    files: HashMap<PathBuf, Vec<u8>>,
    by_build_id: HashMap<String, Vec<u8>>,
    /// Paths of files that exist and cannot be opened.
    forbidden: Vec<PathBuf>,
    asked: Mutex<Vec<String>>,
}

impl Memory {
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl DebugFileProvider for Memory {
    fn open(&self, asked: FileRequest<'_>) -> io::Result<OpenedFile> {
        let (name, found) = match asked {
            FileRequest::Path(path) => (path.display().to_string(), self.files.get(path)),
            FileRequest::BuildId(id) => (format!("build id {}", hex(id)), self.by_build_id.get(&hex(id))),
        };
        let path = PathBuf::from(&name);
        self.asked.lock().unwrap().push(name);
        if self.forbidden.contains(&path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let data = Arc::new(found.cloned().ok_or(io::ErrorKind::NotFound)?);
        Ok(OpenedFile { path, data })
    }
}

const ID: &str = "0645410aaf57b3646abef104f5623a0eff19246f";

/// Builds a stripped program with a build id and a debug link, whose path is /opt/app/calc.
fn stripped() -> Image {
    let mut bytes = Fixture::named("calc-debuglink").read("calc");
    let number = |at: usize, len: usize| {
        let bytes = &bytes[at..at + len];
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let (headers, count) = (number(0x28, 8), number(0x3c, 2));
    let types = (0..count).map(|index| headers + index * 64 + 4);
    let symbols = types.filter(|at| number(*at, 4) == 2).collect::<Vec<_>>();
    assert_eq!(symbols.len(), 1, "the program has a SHT_SYMTAB");
    bytes[symbols[0]] = 1;
    Image::from_bytes(bytes, Path::new("/opt/app/calc")).expect("a program")
}

fn debug_file() -> Vec<u8> {
    Fixture::named("calc-debuglink").read("calc.debug")
}

fn load(image: &Image, options: &DebugOptions, files: &dyn DebugFileProvider) -> (DebugInfo, usize) {
    let debug = DebugInfo::of_image(image, options, files).expect("loaded");
    let functions = FunctionTable::build(&debug, image.preferred_base(), &|| true).expect("not cancelled");
    (debug, functions.len())
}

#[test]
fn candidates_are_asked_for_in_the_order_of_gdb_and_the_build_id_last() {
    let tree = "/usr/lib/debug";
    let expected = [
        format!("{tree}/.build-id/06/{}.debug", &ID[2..]),
        "/opt/app/calc.debug".to_owned(),
        "/opt/app/.debug/calc.debug".to_owned(),
        format!("{tree}/opt/app/calc.debug"),
        format!("{tree}/opt/app/calc"),
        format!("{tree}/opt/app/calc.debug"),
        format!("build id {ID}"),
    ];
    let files = Memory::default();
    let (debug, functions) = load(&stripped(), &DebugOptions::default(), &files);
    assert_eq!(files.asked(), expected);
    assert_eq!((functions, debug.diagnostics()), (0, &[][..]));
    let links = |follow_links| DebugOptions {
        follow_links,
        ..DebugOptions::default()
    };
    load(&stripped(), &links(FollowLinks::LLVM), &files);
    let without_same_paths = [&expected[..4], &expected[6..]].concat();
    assert_eq!(files.asked(), without_same_paths);
}

#[test]
fn each_candidate_is_used_where_it_is_there() {
    let options = DebugOptions::default();
    let files = Memory::default();
    load(&stripped(), &options, &files);
    for place in files.asked() {
        let mut files = Memory::default();
        let source = match place.strip_prefix("build id ") {
            Some(id) => {
                files.by_build_id.insert(id.to_owned(), debug_file());
                DebugFileSource::Debuginfod
            }
            None => {
                files.files.insert(PathBuf::from(&place), debug_file());
                match place.as_str() {
                    place if place.contains(".build-id") => DebugFileSource::BuildId,
                    place if place.ends_with("calc.debug") => DebugFileSource::DebugLink,
                    _ => DebugFileSource::Path,
                }
            }
        };
        let mut image = stripped();
        assert!(add_symbols(&mut image, &options, &files).expect("read").is_empty());
        assert!(
            image.code_symbols().next().is_some() && image.symbol_file() == Some(Path::new(&place)),
            "{place}"
        );
        let (debug, functions) = load(&image, &options, &files);
        assert!(functions > 3, "{place}");
        let path = PathBuf::from(&place);
        assert_eq!(debug.diagnostics(), [Diagnostic::DebugFile { path, source }]);
    }
}

#[test]
fn a_file_that_does_not_fit_or_cannot_be_opened_is_named_and_the_next_one_is_asked_for() {
    let mut files = Memory::default();
    let by_id = PathBuf::from(format!("/usr/lib/debug/.build-id/06/{}.debug", &ID[2..]));
    let beside = PathBuf::from("/opt/app/calc.debug");
    files.forbidden.push(by_id.clone());
    files
        .files
        .insert(beside.clone(), Fixture::named("calc-x86_64").read("calc"));
    files.by_build_id.insert(ID.to_owned(), debug_file());
    let (debug, functions) = load(&stripped(), &DebugOptions::default(), &files);
    assert!(functions > 3);
    let rejected: Vec<_> = debug
        .diagnostics()
        .iter()
        .filter_map(|found| match found {
            Diagnostic::CandidateRejected { path, reason } => Some((path, reason)),
            _ => None,
        })
        .collect();
    let [(first, Rejection::Unreadable(reason)), (second, Rejection::Crc { .. })] = rejected.as_slice() else {
        panic!("{rejected:?}");
    };
    assert_eq!((*first, *second), (&by_id, &beside));
    assert_eq!(reason, "permission denied");
}

#[test]
fn the_file_of_dwz_is_asked_for_where_the_link_says_and_where_packages_put_it() {
    let id = [7; 20];
    let link = [b"../dwz/common.debug\0".as_slice(), &id].concat();
    let program = support::elf(&[(".gnu_debugaltlink", link), (".debug_info", Vec::new())]);
    let load = |files: &Memory, options: &DebugOptions| {
        let path = Path::new("/opt/app/calc");
        let debug = DebugInfo::load(Arc::new(program.clone()), path, None, options, files).expect("loaded");
        debug.diagnostics().to_vec()
    };
    let rest = "07".repeat(19);
    let expected = [
        "/opt/app/../dwz/common.debug".to_owned(),
        format!("/usr/lib/debug/.build-id/07/{rest}.debug"),
        "/usr/lib/debug/.dwz/common.debug".to_owned(),
        format!("build id 07{rest}"),
    ];
    let files = Memory::default();
    let missing = load(&files, &DebugOptions::default());
    let asked = files.asked();
    assert_eq!(asked[asked.len() - expected.len()..], expected);
    assert!(matches!(&missing[..], [Diagnostic::SupplementaryMissing { name, .. }] if name == "../dwz/common.debug"));
    // A file with that name but of another build does not count.
    let mut files = Memory::default();
    files.files.insert(PathBuf::from(&expected[2]), debug_file());
    let wrong = load(&files, &DebugOptions::default());
    let reason = |found: &_| {
        matches!(
            found,
            Diagnostic::CandidateRejected {
                reason: Rejection::BuildId { .. },
                ..
            }
        )
    };
    assert!(wrong.iter().any(reason), "{wrong:?}");
    let missing = |found: &_| matches!(found, Diagnostic::SupplementaryMissing { .. });
    assert!(wrong.iter().any(missing), "{wrong:?}");
    let options = DebugOptions {
        follow_links: FollowLinks::LLVM,
        ..DebugOptions::default()
    };
    assert_eq!(load(&Memory::default(), &options), []);
}

#[test]
fn split_units_and_packages_come_from_the_provider() {
    let program = |fixture: &str| {
        Image::from_bytes(Fixture::named(fixture).read("calc"), Path::new("/opt/app/calc")).expect("a program")
    };
    for (fixture, file) in [("calc-split-dwo", "calc.dwo"), ("calc-split-dwp", "calc.dwp")] {
        let options = DebugOptions::default();
        let mut files = Memory::default();
        let (debug, functions) = load(&program(fixture), &options, &files);
        assert_eq!(functions, 0, "{fixture}");
        assert!(
            matches!(
                debug.diagnostics(),
                [Diagnostic::DwoMissing {
                    package: None,
                    reason: None,
                    ..
                }]
            ),
            "{:?}",
            debug.diagnostics()
        );
        let path = Path::new("/opt/app").join(file);
        assert!(files.asked().contains(&path.display().to_string()));
        files.files.insert(path, Fixture::named(fixture).read(file));
        let (debug, functions) = load(&program(fixture), &options, &files);
        assert!(
            functions > 3 && debug.diagnostics().is_empty(),
            "{:?}",
            debug.diagnostics()
        );
    }
}

#[test]
fn a_named_package_that_is_damaged_or_absent_is_what_is_named() {
    let image = Image::from_bytes(
        Fixture::named("calc-split-dwp").read("calc"),
        Path::new("/opt/app/calc"),
    )
    .expect("a program");
    let path = PathBuf::from("/opt/calc.dwp");
    let options = DebugOptions {
        dwp: Some(path.clone()),
        ..DebugOptions::default()
    };
    let whole = Fixture::named("calc-split-dwp").read("calc.dwp");
    let half = whole[..whole.len() / 2].to_vec();
    for content in [None, Some(half), Some(b"no ELF file".to_vec())] {
        let mut files = Memory::default();
        files.files.extend(content.map(|content| (path.clone(), content)));
        let (debug, functions) = load(&image, &options, &files);
        assert_eq!(functions, 0);
        let [
            Diagnostic::UnreadablePackage { path: named, .. },
            missing @ Diagnostic::DwoMissing { .. },
        ] = debug.diagnostics()
        else {
            panic!("{:?}", debug.diagnostics());
        };
        assert_eq!(named, &path);
        let said = missing.to_string();
        assert!(said.contains("the package /opt/calc.dwp cannot be read: "), "{said}");
    }
    let mut files = Memory::default();
    files.files.insert(path, whole);
    assert!(load(&image, &options, &files).1 > 3);
}

#[test]
fn the_debuginfod_cache_notes_what_it_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DebugOptions {
        debug_directories: Vec::new(),
        ..DebugOptions::default()
    };
    let image = stripped();
    let cache = LocalFiles::new(Some(folder.path().to_owned()));
    assert_eq!(load(&image, &options, &cache).1, 0);
    assert_eq!(cache.missing().iter().map(|id| hex(id)).collect::<Vec<_>>(), [ID]);
    // An empty file says that no server has the file.
    let entry = folder.path().join(ID);
    std::fs::create_dir(&entry).expect("a folder");
    std::fs::write(entry.join("debuginfo"), b"").expect("written");
    let cache = LocalFiles::new(Some(folder.path().to_owned()));
    let (debug, functions) = load(&image, &options, &cache);
    assert_eq!((functions, debug.diagnostics()), (0, &[][..]));
    assert_eq!(cache.missing().len(), 1);
    std::fs::write(entry.join("debuginfo"), debug_file()).expect("written");
    let cache = LocalFiles::new(Some(folder.path().to_owned()));
    assert!(load(&image, &options, &cache).1 > 3);
    assert!(cache.missing().is_empty());
}
