//! Finds inputs that are named more than once.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::diagnostic_code::DiagnosticCode;

/// Returns a warning for each input that is the same file or folder as an input before it. The content of such an
/// input counts once for each time it is named.
pub fn repeated_inputs<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Vec<Diagnostic> {
    let mut seen: HashMap<Identity, (&Path, u64)> = HashMap::new();
    for path in paths {
        if let Some(identity) = identity(path) {
            seen.entry(identity).or_insert((path, 0)).1 += 1;
        }
    }
    let mut repeated: Vec<_> = seen.into_values().filter(|(_, times)| *times > 1).collect();
    repeated.sort_unstable();
    repeated
        .into_iter()
        .map(|(path, times)| {
            Diagnostic::warning(
                DiagnosticCode::InputRepeated,
                format!(
                    "{} was named {times} times, so its content counts {times} times; name it once",
                    path.display()
                ),
            )
        })
        .collect()
}

type Identity = (u64, u64);

/// Returns device and inode of a file or a folder; `None` for a stream, which may be named twice.
fn identity(path: &Path) -> Option<Identity> {
    let metadata = path.metadata().ok()?;
    (metadata.is_file() || metadata.is_dir()).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn names_a_file_that_has_several_names() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| -> PathBuf { folder.path().join(name) };
        std::fs::write(path("a"), b"x").expect("written");
        std::fs::write(path("b"), b"x").expect("written");
        std::fs::hard_link(path("a"), path("hard")).expect("linked");
        let paths = [
            path("a"),
            path("b"),
            path("hard"),
            path("."),
            path("missing"),
            path("missing"),
        ];
        let diagnostics = repeated_inputs(paths.iter().map(PathBuf::as_path));
        let messages: Vec<&str> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.message.as_str())
            .collect();
        let name = path("a");
        let expected = format!(
            "{} was named 2 times, so its content counts 2 times; name it once",
            name.display()
        );
        assert_eq!(messages, [expected]);
    }
}
