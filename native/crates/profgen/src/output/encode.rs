//! Encodes a profile as the bytes of a file.

use elf::Image;
use job::failure::{nest_error, write_error};
use job::{DiagnosticCode, Error, SmallerCounts, profile_warnings};
use sampleprof::Profile;

use crate::account::statistics::Statistics;
use crate::attribution::code_sizes::CodeSizes;
use crate::output::merging::{self, write_options};
use crate::output::postprocess::postprocess;
use crate::report::empty;
use crate::report::part::Report;
use crate::request::options::{Format, GenerateOptions};
use crate::request::words::Words;

/// Post-processes a profile and encodes it.
pub(crate) fn encode(
    mut profile: Profile,
    sizes: Option<CodeSizes>,
    image: &Image,
    options: &GenerateOptions,
    statistics: &Statistics,
    report: &mut Report,
) -> Result<Vec<u8>, Error> {
    postprocess(
        &mut profile,
        sizes.as_ref(),
        options,
        statistics.by_addresses,
        &mut report.statistics,
        &mut report.sample_diagnostics,
    )
    .map_err(nest_error)?;
    // If the input is a file of counters, --fill-zero-for-all-funcs asks for a profile of zeros.
    let wants_zeros = options.fill_zero_for_all_funcs && !options.is_sampled();
    if options.policy.empty_is_error && !wants_zeros && !has_counts(&profile) {
        return Err(empty::of_binary(image, options, statistics, report));
    }
    if options.policy.words == Words::Own {
        let warnings = profile_warnings(&profile, write_options(options).format, SmallerCounts::Division);
        report.sample_diagnostics.extend(warnings);
    }
    if options.merge_binaries {
        return merging::encode(&profile);
    }
    if options.use_md5 && options.format != Format::ExtBinary {
        report.sample_diagnostics.push(options.policy.words.warning(
            DiagnosticCode::Md5Ignored,
            || "names stay as they are, because only the extbinary format can hold hashes instead".to_owned(),
            || "-use-md5 is ignored. Specify --format=extbinary to enable it".to_owned(),
        ));
    }
    sampleprof::write(&profile, &write_options(options)).map_err(write_error)
}

/// Returns true if any function has a count.
pub(crate) fn has_counts(profile: &Profile) -> bool {
    let mut functions = profile.functions.iter();
    functions.any(|function| function.total != 0 || function.head != 0)
}
