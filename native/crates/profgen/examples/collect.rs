//! Collects traces without Node, for use under a profiler: `collect PERFDATA OUTPUT [jobs=N]`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use profgen::{CollectOptions, Silent, collect};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [perf_data, output, rest @ ..] = arguments.as_slice() else {
        let _ = writeln!(std::io::stderr(), "usage: collect PERFDATA OUTPUT [jobs=N]");
        return ExitCode::from(2);
    };
    let mut options = CollectOptions::new(vec![PathBuf::from(perf_data)], output);
    for word in rest {
        if let Some(number) = word.strip_prefix("jobs=") {
            options.jobs = number.parse().unwrap_or(0);
        }
    }
    match collect(&options, &Silent) {
        Ok(outcome) => {
            let _ = writeln!(std::io::stderr(), "{:?} {:?}", outcome.shards, outcome.timings);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
