//! Lists code.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use job::{Diagnostic, Error, ErrorCode};
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use profgen::{GenerateOptions, Input, ListingOptions, Syntax};

use crate::failure::BindingError;
use crate::job::BindingCancelToken;
use crate::options::parse_compat;
use crate::outcome::BindingDiagnostic;
use crate::task::{JobTask, Success, run_job};

/// The binary to list, and the parts of the listing that are printed.
#[napi(object, object_to_js = false)]
pub struct BindingListingOptions {
    /// Path of the binary.
    pub binary: String,
    /// Path of the ELF file that has the DWARF.
    pub debug_binary: Option<String>,
    /// Path of the DWARF package.
    pub dwp: Option<String>,
    /// Compatibility: with `llvm-profgen`, the diagnostics about the binary are those of llvm-profgen, too.
    #[napi(ts_type = "'llvm-profgen'")]
    pub compat: Option<String>,
    /// True to use DWARF instead of pseudo probes.
    pub use_dwarf_correlation: Option<bool>,
    /// True to read functions from the symbol table, with pseudo probes.
    pub load_function_from_symbol: Option<bool>,
    /// True to list source lines after each instruction.
    pub source_locations: Option<bool>,
    /// True to list names without the suffixes that compilers append.
    pub canonical_names: Option<bool>,
    /// True to list pseudo probes before each instruction.
    pub pseudo_probes: Option<bool>,
    /// Names of the symbols to list; all symbols if the list is empty.
    pub functions: Option<Vec<String>>,
    /// Syntax of the instructions.
    #[napi(ts_type = "'att' | 'intel'")]
    pub syntax: Option<String>,
}

/// The result of a listing that was written.
#[napi(object, object_from_js = false)]
pub struct BindingListingSuccess {
    /// True, which distinguishes a success from a failure.
    #[napi(ts_type = "true")]
    pub ok: bool,
    /// Diagnostics about the binary.
    pub value: Vec<BindingDiagnostic>,
}

/// Writes the code of a binary to standard output.
#[napi(ts_return_type = "Promise<BindingListingSuccess | BindingFailure>")]
pub fn list_code(options: BindingListingOptions, cancel: &BindingCancelToken) -> AsyncTask<JobTask<Vec<Diagnostic>>> {
    run_job(cancel, None, move |job| {
        let default = GenerateOptions::new(options.binary, Input::PerfData(Vec::new()));
        let binary = GenerateOptions {
            debug_binary: options.debug_binary.map(PathBuf::from),
            dwp: options.dwp.map(PathBuf::from),
            policy: options.compat.map_or(Ok(default.policy), |name| parse_compat(&name))?,
            use_dwarf_correlation: options.use_dwarf_correlation.unwrap_or(default.use_dwarf_correlation),
            load_function_from_symbol: options
                .load_function_from_symbol
                .unwrap_or(default.load_function_from_symbol),
            ..default
        };
        let listing = ListingOptions {
            source_locations: options.source_locations.unwrap_or(false),
            canonical_names: options.canonical_names.unwrap_or(false),
            pseudo_probes: options.pseudo_probes.unwrap_or(false),
            functions: options.functions.unwrap_or_default(),
            syntax: options.syntax.map_or(Ok(Syntax::Att), |name| parse_syntax(&name))?,
        };
        binary.input_files().check_stdout()?;
        let mut out = BufWriter::with_capacity(1 << 16, Stdout::open()?);
        Ok(profgen::list_code(&binary, &listing, job, &mut out)?)
    })
}

/// Standard output, which Node may have made non-blocking.
struct Stdout(File);

impl Stdout {
    fn open() -> Result<Self, Error> {
        let descriptor = io::stdout().as_fd().try_clone_to_owned();
        descriptor
            .map(|descriptor| Self(File::from(descriptor)))
            .map_err(|error| {
                Error::new(
                    ErrorCode::OutputUnwritable,
                    format!("standard output is not open: {error}"),
                )
            })
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // The pipe is full, because its reader is slower.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The pause is long enough to cost nothing, and short enough to keep a pipe of 64 KiB busy.
const PAUSE: Duration = Duration::from_micros(200);

fn parse_syntax(name: &str) -> Result<Syntax, BindingError> {
    match name {
        "att" => Ok(Syntax::Att),
        "intel" => Ok(Syntax::Intel),
        _ => Err(BindingError::invalid_options(format!("unknown syntax {name:?}"))),
    }
}

impl Success for Vec<Diagnostic> {
    type Object = BindingListingSuccess;

    fn into_object(self) -> BindingListingSuccess {
        BindingListingSuccess {
            ok: true,
            value: self.into_iter().map(BindingDiagnostic::from).collect(),
        }
    }
}
