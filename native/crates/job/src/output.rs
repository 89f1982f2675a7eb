//! Results reach their files as a whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, ErrorCode};

/// Destination of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A file, replaced as a whole once the result is complete. Of a job that can have several results, a folder: it gets a file for each
    /// binary, named like it, and all are complete before one is put into place.
    File(PathBuf),
    /// The caller gets the bytes.
    Memory,
}

/// Writes `bytes` beside `path` under a temporary name and renames it into place.
///
/// # Errors
/// `OutputUnwritable`; whatever stood at `path` before is untouched then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    Prepared::new(path, bytes)?.commit()
}

/// Writes files into `folder`, which is made if need be. No file is put into place before all are written.
///
/// # Errors
/// `OutputUnwritable`; then no file was written or replaced, unless the system refused to rename one of several.
pub fn write_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
    let made = make_folder(folder)?;
    let prepared: Result<Vec<_>, Error> = files
        .iter()
        .map(|(name, bytes)| Prepared::new(&folder.join(name), bytes))
        .collect();
    match prepared {
        Ok(prepared) => prepared.into_iter().try_for_each(Prepared::commit),
        Err(error) => {
            // Best effort: the error that led here is the one to report, and a folder that is not empty stays.
            for folder in made {
                let _ = std::fs::remove_dir(folder);
            }
            Err(error)
        }
    }
}

/// The folders that had to be made, innermost first.
fn make_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let missing = folder
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists());
    let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("cannot make the folder {}: {error}", folder.display());
        Error::new(ErrorCode::OutputUnwritable, message)
            .caused_by(error)
            .path(folder)
            .hint("With several binaries --output names a folder, which gets a profile for each; name another one.")
    })?;
    Ok(missing)
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    let message = format!("cannot write {}: {error}", path.display());
    Error::new(ErrorCode::OutputUnwritable, message)
        .caused_by(error)
        .path(path)
        .hint("Check that the folder exists, is writable and has space, or name another file with --output.")
}

/// A result that is not in its place yet.
enum Prepared<'a> {
    /// Complete, under a temporary name beside the file that it will be.
    Written { file: NamedTempFile, path: PathBuf },
    /// A device or FIFO (`/dev/stdout`) has no place beside it to rename from.
    Direct { path: PathBuf, bytes: &'a [u8] },
}

impl<'a> Prepared<'a> {
    fn new(path: &Path, bytes: &'a [u8]) -> Result<Self, Error> {
        let fail = |error: std::io::Error| unwritable(path, error);
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
        // A link stays a link: the file it points to is the one to replace.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut file = temporary(folder, &path).map_err(fail)?;
        file.write_all(bytes).map_err(fail)?;
        Ok(Self::Written { file, path })
    }

    fn commit(self) -> Result<(), Error> {
        match self {
            Self::Written { file, path } => {
                let persisted = file.persist(&path).map(drop);
                persisted.map_err(|error| unwritable(&path, error.error))
            }
            Self::Direct { path, bytes } => std::fs::write(&path, bytes).map_err(|error| unwritable(&path, error)),
        }
    }
}

/// A temporary file is private by default; this one is as readable as the file that it replaces, or as any new file.
fn temporary(folder: &Path, target: &Path) -> std::io::Result<NamedTempFile> {
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
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("out.afdo");
        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 1);
    }

    #[test]
    fn an_error_names_the_file_and_touches_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("missing").join("out.afdo");
        let error = write_atomically(&path, b"x").expect_err("no such folder");
        assert_eq!(error.code, ErrorCode::OutputUnwritable);
        assert!(error.message.contains("out.afdo"));
        assert_eq!(
            write_atomically(folder.path(), b"x").expect_err("a folder").code,
            ErrorCode::OutputUnwritable
        );
    }

    #[test]
    fn of_several_files_none_is_written_if_one_cannot_be() {
        let folder = tempfile::tempdir().expect("folder");
        let inner = folder.path().join("a").join("b");
        let file = |name: &str| (name.to_owned(), b"new".to_vec());
        let error = write_folder(&inner, &[file("x"), file("no/such")]).expect_err("no such folder");
        assert_eq!(error.code, ErrorCode::OutputUnwritable);
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 0);

        write_folder(&inner, &[file("x"), file("y")]).expect("written");
        std::fs::write(inner.join("x"), b"old").expect("written");
        assert!(write_folder(&inner, &[file("x"), file("no/such")]).is_err());
        assert_eq!(std::fs::read(inner.join("x")).expect("read"), b"old");
        assert_eq!(std::fs::read_dir(&inner).expect("list").count(), 2);
        assert!(
            write_folder(&inner.join("x"), &[file("z")]).is_err(),
            "a file is no folder"
        );
    }
}
