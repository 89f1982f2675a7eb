//! Runs the pipeline without Node, for use under a profiler: `generate BINARY PERFDATA [FORMAT [FLAG...]]`.
//!
//! FORMAT is `text`, `binary`, `extbinary`, `counters`, `preaggregated` or `fdata`. FLAGs are `compat`,
//! `script` if PERFDATA is text of `perf script`, `traces` if PERFDATA is a trace shard or a folder of shards, `addresses` if only sampled addresses count, `jobs=N`,
//! `times=N` to read PERFDATA N times, and `binary=FILE` for one more binary. The result goes to standard
//! output unless there are several results; everything else goes to standard error.

use std::io::Write;
use std::process::ExitCode;

use profgen::{BoltFormat, Format, GenerateOptions, Input, Policy, SampleUse, Silent, generate};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, perf_data, rest @ ..] = arguments.as_slice() else {
        let _ = writeln!(
            std::io::stderr(),
            "usage: generate BINARY PERFDATA [text|binary|extbinary|counters|preaggregated|fdata [compat] [script] [traces] [addresses] [jobs=N] [times=N] [binary=FILE]...]"
        );
        return ExitCode::from(2);
    };
    let mut options = GenerateOptions::new(binary, Input::PerfData(vec![perf_data.into()]));
    for word in rest {
        match word.split_once('=').unwrap_or((word, "")) {
            ("text", _) => options.format = Format::Text,
            ("binary", "") => options.format = Format::Binary,
            ("counters", _) => options.skip_symbolization = true,
            ("script", _) => options.input = Input::PerfScript(vec![perf_data.into()]),
            ("traces", _) => options.input = Input::Traces(vec![perf_data.into()]),
            ("addresses", _) => options.samples = SampleUse::Addresses,
            ("preaggregated", _) => options.for_bolt = Some(BoltFormat::PreAggregated),
            ("fdata", _) => options.for_bolt = Some(BoltFormat::Fdata),
            ("binary", path) => options.binaries.push(path.into()),
            ("compat", _) => options.policy = Policy::LLVM_PROFGEN,
            ("times", number) => {
                let times = number.parse().unwrap_or(1);
                options.input = Input::PerfData(vec![perf_data.into(); times]);
            }
            ("jobs", number) => options.jobs = number.parse().unwrap_or(0),
            _ => {}
        }
    }
    match generate(&options, &Silent) {
        Ok(outcome) => {
            for diagnostic in &outcome.diagnostics {
                let _ = writeln!(std::io::stderr(), "warning: {}", diagnostic.message);
            }
            let _ = writeln!(std::io::stderr(), "{:#?}\n{:?}", outcome.statistics, outcome.timings);
            let _ = std::io::stdout().write_all(&outcome.bytes.unwrap_or_default());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let hint = error.hint.as_deref().unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "error: {} {error}\n  {hint}", error.code.as_str());
            ExitCode::FAILURE
        }
    }
}
