//! The debug information of a binary.

use std::sync::Arc;

use elf::{Image, Svma, function_of_symbol};
use job::failure::symbolize_error;
use job::{Error, Observer, keep_going};
use symbolize::{DebugInfo, DebugOptions, FollowLinks, FunctionSymbol, FunctionTable};

use crate::request::options::GenerateOptions;

/// The debug information of a binary.
pub(crate) type Debug = Result<(DebugInfo, FunctionTable), Error>;

fn debug_options(options: &GenerateOptions) -> DebugOptions {
    let policy = options.policy();
    DebugOptions {
        debug_binary: options.debug_binary.clone(),
        debuginfod_cache: options
            .debuginfod_cache
            .clone()
            .filter(|_| policy.more_debug_information),
        dwp: options.dwp.clone(),
        function_table_follows_links: policy.symbols_of_debug_file,
        follow_links: if policy.more_debug_information {
            FollowLinks::ALL
        } else {
            FollowLinks::LLVM
        },
        zdebug_sections: policy.more_debug_information,
        ..DebugOptions::default()
    }
}

/// Gives a stripped `image` the symbols of its debug file, which llvm-profgen does not. Returns which files were not used, and why.
pub(crate) fn add_symbols(image: &mut Image, options: &GenerateOptions) -> Result<Vec<symbolize::Diagnostic>, Error> {
    if !options.policy().symbols_of_debug_file {
        return Ok(Vec::new());
    }
    symbolize::add_symbols(image, &debug_options(options)).map_err(symbolize_error)
}

/// The debug information of `image`, and its functions.
pub(crate) fn load_debug(image: &Arc<Image>, options: &GenerateOptions, observer: &dyn Observer) -> Debug {
    let sources = debug_options(options);
    let bytes = Arc::new(SharedBytes(Arc::clone(image)));
    let debug = DebugInfo::load(bytes, image.path(), image.build_id(), &sources).map_err(symbolize_error)?;
    let mut functions =
        FunctionTable::build(&debug, image.preferred_base(), &keep_going(observer)).map_err(symbolize_error)?;
    if options.load_function_from_symbol && profiles_by_probes(image, options) {
        functions.add_symbols(function_symbols(image));
    }
    Ok((debug, functions))
}

/// The bytes of an image, which its debug information is read from.
struct SharedBytes(Arc<Image>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}

/// Whether the binary's pseudo probes are what counts are given to.
pub(crate) fn profiles_by_probes(image: &Image, options: &GenerateOptions) -> bool {
    image.has_pseudo_probes() && !options.use_dwarf_correlation
}

/// The functions of the symbol table.
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
