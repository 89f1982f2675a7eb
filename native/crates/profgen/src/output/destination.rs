//! Writes the results of a job: to memory for the caller, into one file, or each into a file of its own.

use std::path::Path;

use job::{Error, InputFiles, Output, write_atomically, write_folder};

use crate::binaries::id::ByBinary;
use crate::binaries::open::{self, Subject};
use crate::report::outcome::BinaryOutcome;
use crate::request::options::GenerateOptions;

/// Refuses a job whose result would replace an input. Binaries that were found are inputs, too.
pub(crate) fn check(
    subjects: &ByBinary<Subject>,
    options: &GenerateOptions,
    inputs: &mut InputFiles,
) -> Result<(), Error> {
    subjects.values().for_each(|subject| inputs.add(subject.path()));
    match &options.output {
        Output::File(folder) if options.has_several_results() => names(subjects, options)?
            .values()
            .try_for_each(|name| inputs.check(&folder.join(name))),
        output => output.check(inputs),
    }
}

/// Writes `single`, the only result, or else the results of the binaries. Returns the result if the caller
/// gets it in memory.
pub(crate) fn write(
    single: Option<Vec<u8>>,
    binaries: &mut ByBinary<BinaryOutcome>,
    subjects: &ByBinary<Subject>,
    options: &GenerateOptions,
    inputs: &InputFiles,
) -> Result<Option<Vec<u8>>, Error> {
    match (&options.output, single) {
        (Output::Memory | Output::Stdout, single) => Ok(single),
        (Output::File(path), Some(bytes)) => {
            write_atomically(path, &bytes, inputs)?;
            if let (false, Some(mut only)) = (options.has_several_binaries(), binaries.first_entry()) {
                only.get_mut().output = Some(path.clone());
            }
            Ok(None)
        }
        (Output::File(folder), None) => {
            write_each(folder, binaries, subjects, options, inputs)?;
            Ok(None)
        }
    }
}

/// Writes a file for each binary that has a result.
fn write_each(
    folder: &Path,
    binaries: &mut ByBinary<BinaryOutcome>,
    subjects: &ByBinary<Subject>,
    options: &GenerateOptions,
    inputs: &InputFiles,
) -> Result<(), Error> {
    let mut files = Vec::new();
    for (id, name) in names(subjects, options)? {
        if let Some(binary) = binaries.get_mut(&id)
            && let Some(bytes) = binary.bytes.take()
        {
            binary.output = Some(folder.join(&name));
            files.push((name, bytes));
        }
    }
    write_folder(folder, &files, inputs)
}

/// Returns the file names of the results in a folder.
fn names(subjects: &ByBinary<Subject>, options: &GenerateOptions) -> Result<ByBinary<String>, Error> {
    let ending = if let Some(format) = options.for_bolt {
        format.ending()
    } else if options.skip_symbolization {
        "counters"
    } else {
        "afdo"
    };
    open::result_names(subjects, ending)
}
