//! Merges the profiles of several binaries into one, as `llvm-profdata merge --sample` adds them up.

use std::ops::ControlFlow;

use job::failure::write_error;
use job::{Error, ErrorCode};
use sampleprof::{Content, MergeInput, MergeOptions, Profile, ProfileSummary, SymbolListEncoding, WriteOptions};

use crate::account::statistics::Statistics;
use crate::binaries::id::ByBinary;
use crate::report::outcome::BinaryOutcome;
use crate::request::options::{Format, GenerateOptions};

/// Returns the options for the encoding of a result.
pub(crate) fn write_options(options: &GenerateOptions) -> WriteOptions {
    WriteOptions {
        format: match options.format {
            Format::ExtBinary => sampleprof::Format::ExtBinary,
            Format::Binary => sampleprof::Format::Binary,
            Format::Text => sampleprof::Format::Text,
        },
        use_md5: options.use_md5,
        symbol_list: SymbolListEncoding::Plain,
        ..WriteOptions::default()
    }
}

/// Encodes a profile with all of its data, so that it can be added to the sum.
pub(crate) fn encode(profile: &Profile) -> Result<Vec<u8>, Error> {
    let options = WriteOptions {
        format: sampleprof::Format::ExtBinary,
        symbol_list: SymbolListEncoding::Plain,
        ..WriteOptions::default()
    };
    sampleprof::write(profile, &options).map_err(write_error)
}

/// Adds up the profiles of `binaries`. Afterwards `statistics` has the numbers of the sum.
pub(crate) fn merge(
    binaries: &mut ByBinary<BinaryOutcome>,
    options: &GenerateOptions,
    statistics: &mut Statistics,
) -> Result<Vec<u8>, Error> {
    let inputs: Vec<MergeInput> = binaries
        .values_mut()
        .filter_map(|binary| {
            Some(MergeInput {
                name: binary.path.display().to_string(),
                weight: 1,
                content: Content::Bytes(binary.bytes.take()?),
            })
        })
        .collect();
    let merged = sampleprof::merge(&inputs, MergeOptions::default(), |_| ControlFlow::Continue(()));
    let profile = merged
        .map_err(|error| {
            Error::new(ErrorCode::Unsupported, error.to_string())
                .hint("Leave out {--merge-binaries}: each binary then gets a profile of its own.")
        })?
        .profile;
    let summary = ProfileSummary::compute(&profile);
    statistics.functions = summary.num_functions;
    statistics.total_count = summary.total_count;
    statistics.max_count = summary.max_count;
    statistics.density = sampleprof::density(&profile, options.profile_density_cutoff_hot).density;
    sampleprof::write(&profile, &write_options(options)).map_err(write_error)
}
