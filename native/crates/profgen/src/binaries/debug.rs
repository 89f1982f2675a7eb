//! Loads the debug information of a binary.

use elf::{Image, Svma, function_of_symbol};
use job::failure::symbolize_error;
use job::{Error, Observer, check_exist, keep_going};
use symbolize::{DebugInfo, DebugOptions, FollowLinks, FunctionSymbol, FunctionTable, LocalFiles};

use crate::request::options::GenerateOptions;

/// The debug information of a binary and its functions, or the reason why they cannot be read.
pub(crate) type Debug = Result<(DebugInfo, FunctionTable), Error>;

fn debug_options(options: &GenerateOptions) -> DebugOptions {
    let policy = options.policy;
    DebugOptions {
        debug_binary: options.debug_binary.clone(),
        dwp: options.dwp.clone(),
        function_table_follows_links: policy.symbols_of_debug_file,
        follow_links: if policy.more_debug_information {
            FollowLinks::ALL
        } else {
            FollowLinks::LLVM
        },
        folded_functions_by_lines: policy.folded_by_lines,
        zdebug_sections: policy.more_debug_information,
        ..DebugOptions::default()
    }
}

/// Returns the opener of debug files. In llvm-profgen's mode, the opener has no cache of fetched files.
fn debug_files(options: &GenerateOptions) -> LocalFiles {
    let cache = options.debuginfod_cache.clone();
    LocalFiles::new(cache.filter(|_| options.policy.more_debug_information))
}

/// Checks that the debug files exist that the caller named. llvm-profgen takes no notice of a missing package.
pub(crate) fn check_named(options: &GenerateOptions) -> Result<(), Error> {
    if !options.policy.more_debug_information {
        return Ok(());
    }
    check_exist(options.debug_binary.iter().chain(&options.dwp))
}

/// Adds the symbols of its debug file to a stripped `image`, which llvm-profgen does not do. Returns the
/// files that were not used, and why.
pub(crate) fn add_symbols(image: &mut Image, options: &GenerateOptions) -> Result<Vec<symbolize::Diagnostic>, Error> {
    if !options.policy.symbols_of_debug_file {
        return Ok(Vec::new());
    }
    symbolize::add_symbols(image, &debug_options(options), &debug_files(options)).map_err(symbolize_error)
}

/// Loads the debug information of `image`, and its functions.
pub(crate) fn load_debug(image: &Image, options: &GenerateOptions, observer: &dyn Observer) -> Debug {
    let debug = DebugInfo::of_image(image, &debug_options(options), &debug_files(options)).map_err(symbolize_error)?;
    let mut functions =
        FunctionTable::build(&debug, image.preferred_base(), &keep_going(observer)).map_err(symbolize_error)?;
    if options.load_function_from_symbol && profiles_by_probes(image, options) {
        functions.add_symbols(function_symbols(image));
    }
    Ok((debug, functions))
}

/// Returns true if counts are given to the binary's pseudo probes.
pub(crate) fn profiles_by_probes(image: &Image, options: &GenerateOptions) -> bool {
    image.has_pseudo_probes() && !options.use_dwarf_correlation
}

/// Returns the functions of the symbol table.
pub(crate) fn function_symbols(image: &Image) -> impl Iterator<Item = FunctionSymbol<'_>> {
    image.symbol_table().filter_map(|symbol| {
        let end = symbol.svma.0.checked_add(symbol.size)?;
        (symbol.is_function && symbol.size > 0).then(|| FunctionSymbol {
            start: symbol.svma,
            end: Svma(end),
            symbol: symbol.name,
            function: function_of_symbol(symbol.name),
        })
    })
}
