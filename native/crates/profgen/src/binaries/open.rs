//! Finds the binaries that a job profiles: the binaries that the caller names, and those that are found in
//! folders or on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use elf::{Image, ImageKind};
use job::failure::{debug_file_as_binary, image_error};
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, Observer, Output, count_of, form};
use rayon::prelude::*;

use crate::account::names::list;
use crate::binaries::debug::add_symbols;
use crate::binaries::discover::{self, Found};
use crate::binaries::id::{ByBinary, number};
use crate::binaries::kernel_module;
use crate::binaries::mapped::Mapped;
use crate::binaries::target::file_name;
use crate::request::options::{GenerateOptions, Input};

/// A binary of a job.
pub(crate) struct Subject {
    pub image: Arc<Image>,
    /// The name that the name of its result begins with.
    pub name: String,
    /// True if the caller named the binary. Then it is a warning if the binary has no result.
    pub named: bool,
    /// Reasons why debug files were not used, if the binary is stripped.
    pub unused_debug_files: Vec<symbolize::Diagnostic>,
}

impl Subject {
    fn new(mut image: Image, name: String, named: bool, options: &GenerateOptions) -> Result<Self, Error> {
        let unused_debug_files = add_symbols(&mut image, options)?;
        Ok(Self {
            image: Arc::new(image),
            name,
            named,
            unused_debug_files,
        })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        self.image.path()
    }
}

/// Opens all binaries of a job. Binaries that the caller did not name are looked for among `mapped`.
pub(crate) fn open(
    options: &GenerateOptions,
    mapped: &Mapped,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<ByBinary<Subject>, Error> {
    let mut binaries = named(options)?;
    leave_out_duplicates(&mut binaries, diagnostics);
    if options.looks_for_binaries() {
        add_found(options, mapped, &mut binaries, observer, diagnostics)?;
    }
    let count = binaries.len();
    number(binaries).ok_or_else(|| {
        let message = format!("there are {count} binaries, more than one run can profile");
        Error::new(ErrorCode::Unsupported, message).hint("Profile them in several runs.")
    })
}

/// Refuses options that contradict each other.
pub(crate) fn check_options(options: &GenerateOptions) -> Result<(), Error> {
    let invalid = |message: &str, hint: &str| Err(Error::new(ErrorCode::InvalidOptions, message).hint(hint));
    if options.binaries.is_empty() && !options.looks_for_binaries() {
        return invalid("no binary was given", "Name one with {--binary}.");
    }
    if options.for_bolt.is_some() {
        check_bolt(options)?;
    }
    if !options.has_several_binaries() {
        return Ok(());
    }
    if !options.is_sampled() {
        return invalid(
            "only recordings can have several binaries: counters and finished profiles have one",
            "Name recordings with {--perfdata}, or one binary.",
        );
    }
    if options.looks_for_binaries() && !matches!(options.input, Input::PerfData(_) | Input::Traces(_)) {
        return invalid(
            "texts do not say which builds they map, so no binaries can be looked for",
            "Name the recording itself with {--perfdata}, or each binary with {--binary}.",
        );
    }
    if let (true, Output::File(path)) = (options.has_several_results(), &options.output)
        && path.exists()
        && !path.is_dir()
    {
        let message = format!(
            "{} is a file; with several binaries {{--output}} names a folder",
            path.display()
        );
        return invalid(&message, "Name a folder, or use {--merge-binaries}.");
    }
    if options.debug_binary.is_some() || options.dwp.is_some() {
        return invalid(
            "{--debug-binary} and {--dwp} name files of one binary, and this job can have several binaries",
            "Put the debug files where a debugger finds them: beside the binary, or by build id below /usr/lib/debug.",
        );
    }
    if options.merge_binaries && options.skip_symbolization {
        return invalid(
            "counters of several binaries cannot be merged: their addresses mean different things",
            "Leave out {--merge-binaries} or {--skip-symbolization}.",
        );
    }
    Ok(())
}

/// Refuses options that do not go together with traces for BOLT.
fn check_bolt(options: &GenerateOptions) -> Result<(), Error> {
    let invalid = |message: &str, hint: &str| Err(Error::new(ErrorCode::InvalidOptions, message).hint(hint));
    if !matches!(options.input, Input::PerfData(_) | Input::Traces(_)) {
        return invalid(
            "traces for BOLT are made of recordings and of trace shards only",
            "Name the recording itself with {--perfdata}.",
        );
    }
    if options.skip_symbolization || options.leading_ip_only {
        return invalid(
            "traces for BOLT are neither counters nor sampled addresses",
            "Leave out {--skip-symbolization} and {--leading-ip-only}.",
        );
    }
    if options.merge_binaries {
        return invalid(
            "traces of several binaries cannot be merged: their addresses mean different things",
            "Leave out {--merge-binaries}.",
        );
    }
    Ok(())
}

fn named(options: &GenerateOptions) -> Result<Vec<Subject>, Error> {
    let open = |path: &PathBuf| {
        let image = Image::open(path).map_err(|error| image_error(error, path))?;
        if !options.policy.kernel_modules && image.kind() == ImageKind::Module {
            return Err(module_in_compat_mode(path));
        }
        if options.policy.empty_is_error && image.is_debug_file() {
            return Err(debug_file_as_binary(path));
        }
        Subject::new(image, file_name(&path.to_string_lossy()).to_owned(), true, options)
    };
    options.binaries.par_iter().map(open).collect()
}

/// Returns the error that llvm-profgen reads no relocatable files.
fn module_in_compat_mode(path: &Path) -> Error {
    let message = format!("{}: no executable segment found", path.display());
    Error::new(ErrorCode::BinaryUnsupported, message)
        .path(path)
        .hint("llvm-profgen does not take kernel modules; leave out {--compat}.")
}

/// Leaves out further copies of a build, which would share its samples. The first copy is kept.
fn leave_out_duplicates(binaries: &mut Vec<Subject>, diagnostics: &mut Vec<Diagnostic>) {
    let mut kept: Vec<Subject> = Vec::with_capacity(binaries.len());
    for binary in binaries.drain(..) {
        match kept.iter().find(|known| are_same(known, &binary)) {
            Some(known) if binary.named => {
                let (path, known) = (binary.image.path().display(), known.image.path().display());
                let message = format!("{path} is the same build as {known}; it is left out");
                diagnostics.push(Diagnostic::warning(DiagnosticCode::BinaryDuplicate, message));
            }
            Some(_) => {}
            None => kept.push(binary),
        }
    }
    *binaries = kept;
}

fn are_same(a: &Subject, b: &Subject) -> bool {
    match (a.image.build_id(), b.image.build_id()) {
        (Some(a), Some(b)) => a == b,
        _ => {
            let [a, b] = [a, b].map(|binary| binary.image.path().canonicalize());
            matches!((a, b), (Ok(a), Ok(b)) if a == b)
        }
    }
}

fn add_found(
    options: &GenerateOptions,
    mapped: &Mapped,
    binaries: &mut Vec<Subject>,
    observer: &dyn Observer,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), Error> {
    let by_name = options.ignore_build_id;
    let mut found = discover::in_folders(&options.binary_dirs, mapped, by_name, observer, diagnostics)?;
    if options.all_binaries {
        found.extend(discover::on_this_machine(mapped, by_name, observer, diagnostics)?);
    }
    if !options.policy.kernel_modules {
        found.retain(|found| found.image.kind() != ImageKind::Module);
    }
    let found = found
        .into_par_iter()
        .map(|Found { image, name }| Subject::new(image, name, false, options));
    binaries.extend(found.collect::<Result<Vec<_>, _>>()?);
    let first_found = binaries.iter().take_while(|binary| binary.named).count();
    leave_out_duplicates(binaries, diagnostics);
    binaries[first_found..].sort_by(|a, b| (&a.name, a.image.path()).cmp(&(&b.name, b.image.path())));
    let missing = missing(mapped, binaries);
    if binaries.is_empty() {
        return Err(Error::new(
            ErrorCode::NoMapping,
            format!(
                "none of the files that the recording maps was found: {}",
                list(&missing)
            ),
        )
        .hint("Name the folder that holds them, by build id or by name, with {--binary-dir}."));
    }
    if !missing.is_empty() {
        let files = count_of(missing.len() as u64, "mapped file");
        let message = format!(
            "{files} {} not found: {}",
            form(missing.len() as u64, "was", "were"),
            list(&missing)
        );
        diagnostics.push(Diagnostic::note(DiagnosticCode::BinariesNotFound, message));
    }
    Ok(())
}

/// Returns the names of mapped files that no binary stands for.
fn missing<'m>(mapped: &'m Mapped, binaries: &[Subject]) -> Vec<&'m str> {
    let names: BTreeSet<&str> = binaries.iter().map(|binary| binary.name.as_str()).collect();
    let paths = mapped.files.keys().map(String::as_str);
    let mut missing: Vec<_> = paths.filter(|path| !names.contains(file_name(path))).collect();
    let is_module = |binary: &&Subject| binary.image.kind() == ImageKind::Module;
    let modules: BTreeSet<_> = binaries
        .iter()
        .filter(is_module)
        .map(|binary| kernel_module::key(&binary.name))
        .collect();
    missing.extend(
        mapped
            .modules
            .keys()
            .filter(|name| !modules.contains(*name))
            .map(String::as_str),
    );
    let has_kernel = binaries.iter().any(|binary| binary.image.kind() == ImageKind::Kernel);
    missing.extend((!mapped.kernel.is_empty() && !has_kernel).then_some("the kernel"));
    missing
}

/// Returns a name with this ending for the result of each binary. If several binaries have the same name, the
/// beginning of the build id is added to each.
pub(crate) fn result_names(binaries: &ByBinary<Subject>, ending: &str) -> Result<ByBinary<String>, Error> {
    let mut count = BTreeMap::new();
    for binary in binaries.values() {
        *count.entry(binary.name.as_str()).or_insert(0) += 1;
    }
    let stem = |binary: &Subject| match (count[binary.name.as_str()], binary.image.build_id()) {
        (1, _) | (_, None) => binary.name.clone(),
        (_, Some(id)) => {
            let id: String = id.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            format!("{}-{id}", binary.name)
        }
    };
    let mut owners: BTreeMap<String, &Path> = BTreeMap::new();
    let mut names = ByBinary::new();
    for (id, binary) in binaries {
        let name = format!("{}.{ending}", stem(binary));
        if let Some(other) = owners.insert(name.clone(), binary.path()) {
            let (other, path) = (other.display(), binary.path().display());
            return Err(Error::new(
                ErrorCode::InvalidOptions,
                format!("the profiles of {other} and {path} would both be {name}, and no build id tells them apart"),
            )
            .hint("Profile them in two runs, link with `-Wl,--build-id`, or use {--merge-binaries}."));
        }
        names.insert(*id, name);
    }
    Ok(names)
}
