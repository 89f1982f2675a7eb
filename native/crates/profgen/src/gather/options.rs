//! The options of a collection.

use std::path::PathBuf;
use std::time::Duration;

use crate::request::options::{GenerateOptions, Input, SampleUse, Selection};

/// The options of `collect`.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// perf.data files, directories or streams; `-` is standard input.
    pub perf_data: Vec<PathBuf>,
    /// A file whose name ends in `.parquet`, or a folder, in which files with generated names are written.
    pub output: PathBuf,
    /// When a file is finished and another file is begun. Only possible if `output` is a folder.
    pub rotate: Option<Rotation>,
    /// True if the name of the host is written.
    pub host: bool,
    /// Which samples count.
    pub select: Selection,
    /// Which part of the samples counts.
    pub samples: SampleUse,
    /// True if the call chains of samples with branch stacks are left out. Shards are much smaller without them, and
    /// give profiles without calling contexts.
    pub ignore_stack_samples: bool,
    /// True if damage in an input is an error instead of a diagnostic.
    pub strict: bool,
    /// Number of worker threads; 0 stands for one thread for each processor.
    pub jobs: usize,
    /// Number of rows in memory above which the rows are written. `None` stands for 2^19 if the input is a
    /// stream, which may take days and must leave room for others, and for 2^21 if it is a file.
    pub most_rows: Option<usize>,
    /// Number of changes of address spaces (mappings, and processes that begin or end) after which a stream forgets
    /// the changes before. `None` stands for 2^18.
    pub most_changes: Option<usize>,
    /// Number of row groups above which a file is finished, or is an error if it is the only one. `None` stands for
    /// [`traceshard::MAX_GROUPS`].
    pub most_groups: Option<usize>,
}

/// When a file is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// This long after the file was begun.
    Every(Duration),
    /// When the file has about this number of bytes.
    Bytes(u64),
}

impl Rotation {
    /// Reads a number with a unit: `30s`, `10m`, `2h` and `1d` are times, `512KiB`, `64MiB` and `1GiB` are
    /// sizes, and so are `KB`, `MB` and `GB` with powers of 1000. Returns `None` for any other text, and for
    /// zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
        let times = |factor: u64| number.checked_mul(factor);
        let time = |factor: u64| Some(Self::Every(Duration::from_secs(times(factor)?)));
        let size = |factor: u64| Some(Self::Bytes(times(factor)?));
        match unit {
            "s" => time(1),
            "m" => time(60),
            "h" => time(3600),
            "d" => time(86400),
            "KB" => size(1000),
            "MB" => size(1_000_000),
            "GB" => size(1_000_000_000),
            "KiB" => size(1 << 10),
            "MiB" => size(1 << 20),
            "GiB" => size(1 << 30),
            _ => None,
        }
    }
}

impl CollectOptions {
    /// Returns options that collect `perf_data` into `output`. All other options have their defaults.
    #[must_use]
    pub fn new(perf_data: Vec<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self {
            perf_data,
            output: output.into(),
            rotate: None,
            host: false,
            select: Selection::default(),
            samples: SampleUse::Any,
            ignore_stack_samples: false,
            strict: false,
            jobs: 0,
            most_rows: None,
            most_changes: None,
            most_groups: None,
        }
    }

    /// Returns true if `output` is a file, and not a folder.
    pub(crate) fn is_one_file(&self) -> bool {
        let names_folder = self.output.as_os_str().as_encoded_bytes().ends_with(b"/");
        self.output.extension().is_some_and(|extension| extension == "parquet")
            && !names_folder
            && !self.output.is_dir()
    }

    /// Returns the options of a job that makes profiles of the same samples.
    pub(crate) fn as_generate(&self) -> GenerateOptions {
        GenerateOptions {
            select: self.select.clone(),
            samples: self.samples,
            ignore_stack_samples: self.ignore_stack_samples,
            ..GenerateOptions::new(PathBuf::new(), Input::PerfData(self.perf_data.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        assert_eq!(Rotation::parse("10m"), Some(Rotation::Every(Duration::from_secs(600))));
        assert_eq!(Rotation::parse("64MiB"), Some(Rotation::Bytes(64 << 20)));
        for text in [
            "",
            "m",
            "0s",
            "10",
            "10 m",
            "10M",
            "-1s",
            "1.5h",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(Rotation::parse(text), None, "{text:?}");
        }
    }
}
