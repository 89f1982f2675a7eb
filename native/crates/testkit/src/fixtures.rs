//! Finds the recorded programs of the repository's `fixtures` folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One recorded program, with the profiles that llvm-profgen makes of the recording. `fixtures/README.md` lists the
/// fixtures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    directory: PathBuf,
}

impl Fixture {
    /// Returns the fixture in `fixtures/NAME`.
    ///
    /// # Panics
    /// Panics if there is no such fixture.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let directory = fixtures_directory().join(name);
        assert!(
            directory.join("manifest.json").is_file(),
            "no fixture in {}",
            directory.display()
        );
        Fixture { directory }
    }

    /// Returns every fixture, ordered by name.
    ///
    /// # Panics
    /// Panics if the folder cannot be listed.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let listing = fs::read_dir(fixtures_directory()).expect("the fixtures folder is readable");
        let mut found: Vec<_> = listing
            .map(|entry| entry.expect("the fixtures folder is readable").path())
            .filter(|directory| directory.join("manifest.json").is_file())
            .map(|directory| Fixture { directory })
            .collect();
        found.sort_by(|a, b| a.directory.cmp(&b.directory));
        found
    }

    /// Returns the name of the fixture's folder.
    ///
    /// # Panics
    /// Panics if the name is not UTF-8.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.directory.file_name().and_then(|name| name.to_str());
        name.expect("fixture names are ASCII")
    }

    /// Returns the path of the recorded program, which has the name of its source: `calc`, `shapes` or `life`.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        let source = self.name().split('-').next().unwrap_or_default();
        self.directory.join(source)
    }

    /// Returns the path of the recording.
    #[must_use]
    pub fn perf_data(&self) -> PathBuf {
        self.path("perf.data")
    }

    /// Returns the path of a file of the fixture.
    #[must_use]
    pub fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        self.directory.join(file)
    }

    /// Returns the bytes of a file of the fixture.
    ///
    /// # Panics
    /// Panics if there is no such file.
    #[must_use]
    pub fn read(&self, file: &str) -> Vec<u8> {
        let path = self.path(file);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

fn fixtures_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures")
}

#[cfg(test)]
mod tests {
    use super::Fixture;

    #[test]
    fn every_fixture_has_its_program_and_recording() {
        let fixtures = Fixture::all();
        assert!(fixtures.contains(&Fixture::named("calc-x86_64")));
        for fixture in fixtures {
            assert_eq!(&fixture.read("perf.data")[..8], b"PERFILE2", "{}", fixture.name());
            let program = std::fs::read(fixture.program()).expect("the program is there");
            assert_eq!(&program[..4], b"\x7fELF", "{}", fixture.name());
        }
    }
}
