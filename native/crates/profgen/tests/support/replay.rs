//! A recording of a fixture that tests put together again under other circumstances.

use std::path::PathBuf;

use profgen::{Error, Format, GenerateOptions, Input, Outcome, Policy, Silent};
use testkit::{MapSpec, PerfDataBuilder, SampleSpec};

use crate::support::Recorded;
use crate::traced::generate;

/// A recording taken apart, and a folder for the files of the test.
pub struct Replay {
    pub recorded: Recorded,
    pub folder: tempfile::TempDir,
}

/// Process of all samples.
pub const PID: i32 = 100;

impl Replay {
    pub fn new() -> Self {
        Self {
            recorded: Recorded::read(),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn code_map(&self, pid: i32, slide: u64) -> MapSpec {
        let (start, len, pgoff) = self.recorded.code;
        MapSpec::code(pid, start + slide, len, pgoff, "/somewhere/else/calc").at(1)
    }

    /// Returns the sample with this index, its addresses moved by `slide`.
    pub fn sample(&self, event: usize, index: usize, pid: i32, slide: u64) -> SampleSpec {
        let moved: Vec<_> = self.recorded.stacks[index]
            .iter()
            .map(|&(from, to)| (from + slide, to + slide))
            .collect();
        SampleSpec::of(event, pid)
            .at(10 + index as u64)
            .ip(moved.first().map_or(0, |(_, to)| *to))
            .branches(&moved)
    }

    pub fn write(&self, name: &str, builder: &PerfDataBuilder) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, builder.build_file()).expect("written");
        path
    }

    pub fn options(&self, perf_data: &[PathBuf]) -> GenerateOptions {
        let mut options = GenerateOptions::new(self.recorded.fixture.program(), Input::PerfData(perf_data.to_vec()));
        options.format = Format::Text;
        options.jobs = 2;
        options
    }

    pub fn generate(&self, builder: &PerfDataBuilder) -> Result<Outcome, Error> {
        generate(&self.options(&[self.write("perf.data", builder)]), &Silent)
    }

    pub fn generate_by(&self, policy: Policy, builder: &PerfDataBuilder) -> Result<Outcome, Error> {
        let options = self.options(&[self.write("perf.data", builder)]);
        generate(&GenerateOptions { policy, ..options }, &Silent)
    }

    #[track_caller]
    pub fn assert_expected(&self, outcome: Result<Outcome, Error>) {
        let outcome = outcome.expect("a profile");
        let ledger = &outcome.statistics.ledger;
        assert_eq!(ledger.accounted(), ledger.entries());
        assert_eq!(
            text(&outcome),
            String::from_utf8_lossy(&self.recorded.fixture.read("expected.prof"))
        );
    }
}

/// Returns the profile as text.
pub fn text(outcome: &Outcome) -> String {
    String::from_utf8_lossy(outcome.bytes.as_deref().expect("in memory")).into_owned()
}
