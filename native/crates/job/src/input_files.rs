//! The files that a job reads. No result of the job may replace one of these files.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::error::{Error, ErrorCode};
use crate::failure::unreadable;

/// Depth of folders in which files are listed. A recording can be a folder (`perf record -o DIR`), and `kcore_dir`
/// inside of it is a folder, too.
const FOLDER_DEPTH: usize = 2;

/// Identifies a file independently of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns `None` unless the file is a regular file. Only regular files lose their content when they are opened
    /// for writing.
    fn of(metadata: &Metadata) -> Option<Self> {
        metadata.is_file().then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

/// The files that a job reads, by device and inode. So links and other paths to a file lead to the same entry.
#[derive(Debug, Default)]
pub struct InputFiles {
    paths: FxHashMap<FileId, PathBuf>,
}

impl InputFiles {
    /// Adds a file, or the files in a folder. A path that does not exist adds nothing, because the reader of the
    /// path reports the error.
    pub fn add(&mut self, path: &Path) {
        self.add_below(path, FOLDER_DEPTH);
    }

    /// Adds a file. The path `-` stands for standard input.
    pub fn add_stream(&mut self, path: &Path) {
        if path == Path::new("-") {
            self.insert(metadata_of(std::io::stdin().as_fd()).as_ref(), path);
        } else {
            self.add(path);
        }
    }

    fn add_below(&mut self, path: &Path, depth: usize) {
        let metadata = path.metadata().ok();
        self.insert(metadata.as_ref(), path);
        if depth > 0
            && metadata.is_some_and(|metadata| metadata.is_dir())
            && let Ok(entries) = path.read_dir()
        {
            entries
                .flatten()
                .for_each(|entry| self.add_below(&entry.path(), depth - 1));
        }
    }

    fn insert(&mut self, metadata: Option<&Metadata>, path: &Path) {
        if let Some(id) = metadata.and_then(FileId::of) {
            self.paths.entry(id).or_insert_with(|| path.to_owned());
        }
    }

    /// Checks that a result may be written to `output`: either nothing is there, or a file that may be replaced.
    ///
    /// # Errors
    /// `InvalidOptions` if `output` is a file that the job reads, or if it is any program, debug file or recording.
    /// The last check is needed because debug files are found only while the job runs.
    pub fn check(&self, output: &Path) -> Result<(), Error> {
        let Some(id) = output.metadata().ok().as_ref().and_then(FileId::of) else {
            return Ok(());
        };
        if let Some(input) = self.paths.get(&id) {
            return Err(input_as_output_error(output, input));
        }
        match kind_of(output) {
            None => Ok(()),
            Some(kind) => Err(Error::new(
                ErrorCode::InvalidOptions,
                format!("{} is {kind}; a result does not replace it", output.display()),
            )
            .path(output)
            .hint("Name another output file, or remove this one first.")),
        }
    }

    /// Checks that a result may be written to standard output.
    ///
    /// # Errors
    /// `InvalidOptions` if standard output was redirected into a file that the job reads.
    pub fn check_stdout(&self) -> Result<(), Error> {
        let metadata = metadata_of(std::io::stdout().as_fd());
        match metadata
            .as_ref()
            .and_then(FileId::of)
            .and_then(|id| self.paths.get(&id))
        {
            None => Ok(()),
            Some(input) => Err(input_as_output_error(Path::new("standard output"), input)),
        }
    }
}

/// Checks that named files exist. Meant for files that a job opens only if it has a use for them: the reader of such
/// a file would not report that it is missing.
///
/// # Errors
/// `InputUnreadable`, about the first file that does not exist or is in a folder that may not be searched.
pub fn check_exist<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), Error> {
    let check = |path: &PathBuf| path.metadata().map(drop).map_err(|error| unreadable(error, path));
    paths.into_iter().try_for_each(check)
}

fn input_as_output_error(output: &Path, input: &Path) -> Error {
    let output_name = output.display();
    let message = if input == Path::new("-") {
        format!("{output_name} is the file that standard input comes from; the result would overwrite it")
    } else if input == output {
        format!("{output_name} is an input; the result would overwrite it")
    } else {
        format!(
            "{output_name} is the same file as the input {}; the result would overwrite it",
            input.display()
        )
    };
    Error::new(ErrorCode::InvalidOptions, message).hint("Name another output file.")
}

/// Returns the kind of a file that takes long to make again, detected by its first bytes. Returns `None` for other
/// files.
fn kind_of(path: &Path) -> Option<&'static str> {
    let mut magic = [0; 8];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).ok()?;
    match &magic {
        [0x7f, b'E', b'L', b'F', ..] => Some("an ELF file (a program, library or debug file)"),
        b"PERFILE2" | b"2ELIFREP" => Some("a recording of perf"),
        _ => None,
    }
}

fn metadata_of(descriptor: BorrowedFd<'_>) -> Option<Metadata> {
    File::from(descriptor.try_clone_to_owned().ok()?).metadata().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn refusal(files: &InputFiles, output: &Path) -> String {
        let error = files.check(output).expect_err("refused");
        assert_eq!(error.code, ErrorCode::InvalidOptions);
        assert!(error.hint.is_some());
        error.message
    }

    #[test]
    fn an_input_is_recognised_by_any_of_its_names() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("input"), b"text").expect("written");
        std::fs::write(at("other"), b"text").expect("written");
        std::fs::create_dir(at("sub")).expect("made");
        std::fs::hard_link(at("input"), at("hard")).expect("linked");
        symlink(at("input"), at("soft")).expect("linked");
        symlink(at("soft"), at("softer")).expect("linked");
        symlink(folder.path(), at("sub/loop")).expect("linked");
        let mut files = InputFiles::default();
        files.add(&at("soft"));
        for name in ["input", "hard", "soft", "softer", "sub/../input", "sub/loop/hard"] {
            assert!(refusal(&files, &at(name)).contains("would overwrite it"), "{name}");
        }
        for name in ["other", "new", "missing/new", "sub"] {
            files.check(&at(name)).expect("no input");
        }
    }

    #[test]
    fn the_files_of_a_folder_are_inputs() {
        let folder = tempfile::tempdir().expect("folder");
        let recording = folder.path().join("perf.data");
        std::fs::create_dir_all(recording.join("kcore_dir")).expect("made");
        let parts = ["data", "data.0", "kcore_dir/kallsyms"].map(|name| recording.join(name));
        for part in &parts {
            std::fs::write(part, b"text").expect("written");
        }
        let mut files = InputFiles::default();
        files.add_stream(&recording);
        for part in &parts {
            assert!(refusal(&files, part).contains("is an input"), "{}", part.display());
        }
    }

    #[test]
    fn programs_and_recordings_are_not_replaced() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("found.debug");
        let files = InputFiles::default();
        for (content, word) in [(b"\x7fELF\x02\x01\x01\0".as_slice(), "ELF"), (b"PERFILE2", "recording")] {
            std::fs::write(&path, content).expect("written");
            assert!(refusal(&files, &path).contains(word));
        }
        std::fs::write(&path, b"PERFIL").expect("written");
        files.check(&path).expect("a text");
    }

    #[test]
    fn devices_and_missing_files_are_no_inputs() {
        let mut files = InputFiles::default();
        for path in ["/dev/null", "/no/such/file"] {
            files.add(Path::new(path));
            files.check(Path::new(path)).expect("nothing to lose");
        }
    }
}
