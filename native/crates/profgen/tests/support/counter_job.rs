//! Runs jobs that write the counters of a small program which a test builds.

use std::path::PathBuf;

use profgen::{Error, GenerateOptions, Input, Outcome};
use testkit::PerfDataBuilder;

use crate::traced::generate;

/// A job in a folder of its own, which goes when the job goes.
pub struct CounterJob {
    _folder: tempfile::TempDir,
    pub options: GenerateOptions,
}

impl CounterJob {
    /// Writes the program `binary` under `name`, and the recordings.
    pub fn new(name: &str, binary: &[u8], recordings: &[PerfDataBuilder]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, bytes: &[u8]| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let binary = write(name, binary);
        let files = recordings.iter().enumerate();
        let inputs = files.map(|(index, recording)| write(&format!("{index}.data"), &recording.build_file()));
        let mut options = GenerateOptions::new(binary, Input::PerfData(inputs.collect()));
        options.skip_symbolization = true;
        options.jobs = 2;
        Self {
            _folder: folder,
            options,
        }
    }

    pub fn run(&self) -> Result<Outcome, Error> {
        generate(&self.options, &profgen::Silent)
    }

    /// Returns the text of the counters.
    ///
    /// # Panics
    /// If the job fails, or if its ledger does not account for all entries.
    #[track_caller]
    pub fn counters(&self) -> String {
        let outcome = self.run().expect("counters");
        let ledger = outcome.statistics.ledger;
        assert_eq!(ledger.accounted(), ledger.entries());
        String::from_utf8(outcome.bytes.expect("in memory")).expect("text")
    }
}
