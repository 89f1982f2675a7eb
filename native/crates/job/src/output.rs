//! Writes results so that a file has either the whole result or nothing of it.

use std::io::Write;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;
use tempfile::NamedTempFile;

use crate::error::{Error, ErrorCode};
use crate::input_files::InputFiles;
use crate::system::system_reason;

/// Destination of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The result replaces the file at this path once it is complete. If the job can have several results, the path
    /// names a folder: each binary gets a file with its name, and all files are complete before the first one is
    /// put into place.
    File(PathBuf),
    /// The caller gets the bytes of the result.
    Memory,
    /// The caller gets the bytes of the result and prints them.
    Stdout,
}

impl Output {
    /// Refuses a destination that is a file which the job reads. Results in a folder are checked later, when their
    /// names are known.
    ///
    /// # Errors
    /// See [`InputFiles::check`].
    pub fn check(&self, inputs: &InputFiles) -> Result<(), Error> {
        match self {
            Self::File(path) => inputs.check(path),
            Self::Stdout => inputs.check_stdout(),
            Self::Memory => Ok(()),
        }
    }
}

/// Writes `bytes` to a temporary file beside `path` and renames that file to `path`.
///
/// # Errors
/// `OutputUnwritable`, or `InvalidOptions` if `path` leads to a file that must not be replaced (see
/// [`InputFiles::check`]). After an error, the file that stood at `path` before is untouched.
pub fn write_atomically(path: &Path, bytes: &[u8], inputs: &InputFiles) -> Result<(), Error> {
    Prepared::new(path, bytes, inputs)?.commit(inputs)
}

/// Writes files into `folder`, and makes the folder if it does not exist. All files are written before the first
/// one is put into place.
///
/// # Errors
/// `OutputUnwritable` or `InvalidOptions`, as for one file. After an error, no file was written or replaced, unless
/// the system refused to rename one of several files.
pub fn write_folder(folder: &Path, files: &[(String, Vec<u8>)], inputs: &InputFiles) -> Result<(), Error> {
    let made = make_folder(folder)?;
    let prepared = files
        .iter()
        .map(|(name, bytes)| Prepared::new(&folder.join(name), bytes, inputs))
        .collect::<Result<Vec<_>, Error>>()
        .and_then(check_distinct);
    match prepared {
        Ok(prepared) => prepared.into_iter().try_for_each(|file| file.commit(inputs)),
        Err(error) => {
            // Errors of this clean-up are ignored: the first error is the one to report, and a folder that is not
            // empty stays.
            for folder in made {
                let _ = std::fs::remove_dir(folder);
            }
            Err(error)
        }
    }
}

/// Refuses results that would replace each other: links in the folder can lead to one file.
fn check_distinct(files: Vec<Prepared<'_>>) -> Result<Vec<Prepared<'_>>, Error> {
    let mut seen = FxHashSet::default();
    for file in &files {
        if let Prepared::Written { path, .. } = file
            && !seen.insert(path)
        {
            return Err(Error::new(
                ErrorCode::InvalidOptions,
                format!(
                    "two results would be written to {}, because of links to it",
                    path.display()
                ),
            )
            .path(path)
            .hint("Remove the links from the output folder, or name another folder with {--output}."));
        }
    }
    Ok(files)
}

/// Makes `folder` and the folders that it lies in. Returns the folders that were made, innermost first.
fn make_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let missing = folder
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists());
    let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("cannot make the folder {}: {}", folder.display(), system_reason(&error));
        Error::new(ErrorCode::OutputUnwritable, message)
            .caused_by(error)
            .path(folder)
            .hint("Name another folder with {--output}.")
    })?;
    Ok(missing)
}

fn write_failure(path: &Path, error: std::io::Error) -> Error {
    let message = format!("cannot write {}: {}", path.display(), system_reason(&error));
    Error::new(ErrorCode::OutputUnwritable, message)
        .caused_by(error)
        .path(path)
        .hint("Check that the folder exists, is writable and has space, or name another file with {--output}.")
}

/// A result that has not been put into place yet.
enum Prepared<'a> {
    /// The result is complete, in a temporary file beside its place.
    Written { file: NamedTempFile, path: PathBuf },
    /// The result goes to a device or FIFO (`/dev/stdout`), which has no folder for a temporary file beside it.
    Direct { path: PathBuf, bytes: &'a [u8] },
}

impl<'a> Prepared<'a> {
    fn new(path: &Path, bytes: &'a [u8], inputs: &InputFiles) -> Result<Self, Error> {
        inputs.check(path)?;
        let fail = |error: std::io::Error| write_failure(path, error);
        if path
            .metadata()
            .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
        {
            let path = path.to_owned();
            return Ok(Self::Direct { path, bytes });
        }
        if path.is_dir() {
            return Err(fail(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        // A link stays a link: the file that the link points to is replaced, or made.
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => resolve_links(path),
            Err(error) => return Err(fail(error)),
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut file = create_temporary_file(folder, &path).map_err(fail)?;
        file.write_all(bytes).map_err(fail)?;
        Ok(Self::Written { file, path })
    }

    fn commit(self, inputs: &InputFiles) -> Result<(), Error> {
        match self {
            Self::Written { file, path } => {
                // Another process can have put an input at this place while the job ran.
                inputs.check(&path)?;
                let persisted = file.persist(&path).map(drop);
                persisted.map_err(|error| write_failure(&path, error.error))
            }
            Self::Direct { path, bytes } => std::fs::write(&path, bytes).map_err(|error| write_failure(&path, error)),
        }
    }
}

/// A file that is written piece by piece. It appears at its path when it is complete. Before that, nothing is
/// there, even if the process is killed.
#[derive(Debug)]
pub struct GrowingFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl GrowingFile {
    /// Begins the file that will appear at `path`.
    ///
    /// # Errors
    /// As for [`write_atomically`], and also if `path` is a device or FIFO.
    pub fn new(path: &Path, inputs: &InputFiles) -> Result<Self, Error> {
        match Prepared::new(path, &[], inputs)? {
            Prepared::Written { file, path } => Ok(Self { file, path }),
            Prepared::Direct { path, .. } => Err(write_failure(
                &path,
                std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file"),
            )),
        }
    }

    /// Puts the file into its place, after the disk has all bytes.
    ///
    /// # Errors
    /// `OutputUnwritable`, or `InvalidOptions` if an input is at that place now.
    pub fn commit(self, inputs: &InputFiles) -> Result<(), Error> {
        let synced = self.file.as_file().sync_all();
        synced.map_err(|error| write_failure(&self.path, error))?;
        let Self { file, path } = self;
        Prepared::Written { file, path }.commit(inputs)
    }

    /// Makes the error for a file that could not be written.
    #[must_use]
    pub fn failure(&self, error: std::io::Error) -> Error {
        write_failure(&self.path, error)
    }

    /// Returns a handle to write to.
    ///
    /// # Errors
    /// `OutputUnwritable` if the system gives no second handle.
    pub fn writer(&self) -> Result<std::fs::File, Error> {
        self.file
            .as_file()
            .try_clone()
            .map_err(|error| write_failure(&self.path, error))
    }
}

/// Makes a folder for results, and the folders that it lies in.
///
/// # Errors
/// `OutputUnwritable` if the system refuses.
pub fn make_output_folder(folder: &Path) -> Result<(), Error> {
    make_folder(folder).map(drop)
}

/// Follows links to the path at their end, where no file exists yet.
fn resolve_links(path: &Path) -> PathBuf {
    /// Largest number of links in a row, as in Linux.
    const MAX_LINKS: usize = 40;
    let mut place = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&place) {
            // A relative link counts from the folder that has the link.
            Ok(target) => {
                place = place
                    .parent()
                    .map_or_else(|| target.clone(), |folder| folder.join(&target))
            }
            Err(_) => break,
        }
    }
    place
}

/// Makes a temporary file. By default only its owner can read such a file, so it gets the permissions of the file
/// that it will replace, or those of any new file.
fn create_temporary_file(folder: &Path, target: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".autofdo-gen-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder)?;
    if let Ok(replaced) = target.metadata() {
        file.as_file().set_permissions(replaced.permissions())?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_file_and_leaves_nothing_else() {
        let (folder, none) = (tempfile::tempdir().expect("folder"), InputFiles::default());
        let path = folder.path().join("out.afdo");
        write_atomically(&path, b"old", &none).expect("written");
        write_atomically(&path, b"new", &none).expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 1);
    }

    #[test]
    fn an_error_names_the_file_and_touches_nothing() {
        let (folder, none) = (tempfile::tempdir().expect("folder"), InputFiles::default());
        let path = folder.path().join("missing").join("out.afdo");
        let error = write_atomically(&path, b"x", &none).expect_err("no such folder");
        assert_eq!(error.code, ErrorCode::OutputUnwritable);
        assert!(error.message.contains("out.afdo"));
        assert_eq!(
            write_atomically(folder.path(), b"x", &none).expect_err("a folder").code,
            ErrorCode::OutputUnwritable
        );
    }

    #[test]
    fn no_file_is_written_if_one_of_several_cannot_be() {
        let (folder, none) = (tempfile::tempdir().expect("folder"), InputFiles::default());
        let inner = folder.path().join("a").join("b");
        let file = |name: &str| (name.to_owned(), b"new".to_vec());
        let error = write_folder(&inner, &[file("x"), file("no/such")], &none).expect_err("no such folder");
        assert_eq!(error.code, ErrorCode::OutputUnwritable);
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 0);

        write_folder(&inner, &[file("x"), file("y")], &none).expect("written");
        std::fs::write(inner.join("x"), b"old").expect("written");
        assert!(write_folder(&inner, &[file("x"), file("no/such")], &none).is_err());
        assert_eq!(std::fs::read(inner.join("x")).expect("read"), b"old");
        assert_eq!(std::fs::read_dir(&inner).expect("list").count(), 2);
        assert!(
            write_folder(&inner.join("x"), &[file("z")], &none).is_err(),
            "a file is no folder"
        );
    }

    #[test]
    fn an_input_that_comes_to_the_place_of_the_result_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let [input, output] = ["input", "output"].map(|name| folder.path().join(name));
        std::fs::write(&input, b"data").expect("written");
        let mut inputs = InputFiles::default();
        inputs.add(&input);
        let prepared = Prepared::new(&output, b"result", &inputs).expect("free");
        std::fs::hard_link(&input, &output).expect("linked");
        assert_eq!(
            prepared.commit(&inputs).expect_err("an input").code,
            ErrorCode::InvalidOptions
        );
        assert_eq!(std::fs::read(&output).expect("read"), b"data");
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_that_is_not_there_yet_stays_a_link() {
        let (folder, none) = (tempfile::tempdir().expect("folder"), InputFiles::default());
        std::fs::create_dir(folder.path().join("results")).expect("made");
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink("results/new", &second).expect("linked");
        std::os::unix::fs::symlink("second", &first).expect("linked");
        write_atomically(&first, b"result", &none).expect("written");
        assert_eq!(
            std::fs::read(folder.path().join("results/new")).expect("read"),
            b"result"
        );
        assert!(first.is_symlink() && second.is_symlink());
        // These two links point to each other, so they lead to no file.
        let circle = folder.path().join("circle");
        std::os::unix::fs::symlink("circle", &circle).expect("linked");
        assert!(write_atomically(&circle, b"result", &none).is_err());
        assert!(circle.is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn results_that_links_lead_to_one_file_are_refused() {
        let (folder, none) = (tempfile::tempdir().expect("folder"), InputFiles::default());
        std::fs::write(folder.path().join("old"), b"old").expect("written");
        for name in ["x", "y"] {
            std::os::unix::fs::symlink("old", folder.path().join(name)).expect("linked");
        }
        let files = ["x", "y"].map(|name| (name.to_owned(), b"new".to_vec()));
        let error = write_folder(folder.path(), &files, &none).expect_err("one file");
        assert_eq!(error.code, ErrorCode::InvalidOptions);
        assert_eq!(std::fs::read(folder.path().join("old")).expect("read"), b"old");
        write_folder(folder.path(), &files[..1], &none).expect("one result");
    }
}
