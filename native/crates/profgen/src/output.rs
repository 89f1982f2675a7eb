//! The result reaches its file as a whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, ErrorCode};

/// Writes `bytes` beside `path` under a temporary name and renames it into place.
///
/// # Errors
/// `OutputUnwritable`; whatever stood at `path` before is untouched then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |error: std::io::Error| {
        Error::new(
            ErrorCode::OutputUnwritable,
            format!("cannot write {}: {error}", path.display()),
        )
        .path(path)
        .hint("Check that the folder exists, is writable and has space, or name another file with --output.")
    };
    // A device or FIFO (`/dev/stdout`) has no place beside it to rename from.
    if path
        .metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    {
        return std::fs::write(path, bytes).map_err(fail);
    }
    if path.is_dir() {
        return Err(fail(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    // A link stays a link: the file it points to is the one to replace.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = temporary(folder, &target).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.persist(&target).map_err(|error| fail(error.error))?;
    Ok(())
}

/// A temporary file is private by default; this one is as readable as the file that it replaces, or as any new file.
fn temporary(folder: &Path, target: &Path) -> std::io::Result<tempfile::NamedTempFile> {
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
}
