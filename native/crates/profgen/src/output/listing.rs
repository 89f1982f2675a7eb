//! The job that lists the code of a binary. It opens the binary as a job that makes a profile does, and
//! `disasm` prints the code.

use std::io::{self, Write};
use std::sync::Arc;

use disasm::{ListedProbes, Listing, ListingOptions};
use elf::{Arch, Code, DecodePolicy, Image, Svma};
use job::failure::{image_error, probe_error, symbolize_error};
use job::{Diagnostic, Error, ErrorCode, Observer, keep_going, system_reason};
use symbolize::FrameTable;

use crate::attribution::entry_points::EntryPoints;
use crate::attribution::profile::Binary;
use crate::binaries::debug::{add_symbols, check_named, load_debug, profiles_by_probes};
use crate::report::debug_report;
use crate::request::options::GenerateOptions;

/// Writes the code of the one binary of `options` as text. Returns diagnostics about the binary.
///
/// # Errors
/// See [`ErrorCode`]. `OutputUnwritable` if `out` cannot be written to.
pub fn list_code(
    options: &GenerateOptions,
    listing: &ListingOptions,
    observer: &dyn Observer,
    out: &mut dyn Write,
) -> Result<Vec<Diagnostic>, Error> {
    let [path] = options.binaries.as_slice() else {
        return Err(Error::new(ErrorCode::InvalidOptions, "one binary is listed at a time"));
    };
    check_named(options)?;
    let mut image = Image::open(path).map_err(|error| image_error(error, path))?;
    add_symbols(&mut image, options)?;
    let image = Arc::new(image);
    check_arch(&image)?;
    let (debug, functions) = load_debug(&image, options, observer)?;
    let code = Code::new(&image, DecodePolicy::LLVM_PROFGEN).map_err(|error| image_error(error, path))?;
    let everywhere = [(Svma(0), Svma(u64::MAX))];
    let frames = listing
        .source_locations
        .then(|| FrameTable::build(&debug, &everywhere, &keep_going(observer)).map_err(symbolize_error))
        .transpose()?;
    let probes = profiles_by_probes(&image, options)
        .then(|| ListedProbes::read(&image, &functions, listing).map_err(|error| probe_error(error, path)))
        .transpose()?;
    let all = Listing {
        image: &image,
        options: listing,
        frames: frames.as_ref(),
        probes: probes.as_ref(),
    };
    if let Err(error) = all.write(out).and_then(|()| out.flush()) {
        let reason = if error.kind() == io::ErrorKind::BrokenPipe {
            "its reader has closed it before all was written".to_owned()
        } else {
            system_reason(&error)
        };
        let message = format!("standard output cannot be written: {reason}");
        return Err(Error::new(ErrorCode::OutputUnwritable, message).caused_by(error));
    }
    let binary = Binary {
        image: &image,
        code: &code,
        debug: &debug,
        functions: &functions,
        entries: EntryPoints::new(&image, &functions),
    };
    Ok(debug_report::diagnostics(&binary, options))
}

/// Refuses code of other architectures than x86-64, which cannot be printed.
fn check_arch(image: &Image) -> Result<(), Error> {
    match image.arch() {
        Arch::X86_64 | Arch::X86 => Ok(()),
        Arch::AArch64 => Err(Error::new(
            ErrorCode::Unsupported,
            format!(
                "{} has AArch64 code, and only x86-64 code can be listed",
                image.path().display()
            ),
        )
        .path(image.path())
        .hint("Use llvm-objdump -d.")),
    }
}
