//! The static symbol table, `.symtab`.

use object::LittleEndian;
use object::elf::{STT_FUNC, STT_SECTION, Sym64};
use object::read::SymbolIndex;

use crate::headers::{ENDIAN, SectionHeader};
use crate::strings::{string_at, string_is};
use crate::{Image, Svma};

/// The variable by which clang marks flow-sensitive discriminators (LLVM: FSAFDODiscriminator.h).
pub(crate) const FS_DISCRIMINATOR: &[u8] = b"__llvm_fs_discriminator__";

/// A symbol that lies in a section. [`Image::symbol_name`] has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// `st_value`.
    pub svma: Svma,
    /// Index of the section header that `st_shndx` names.
    pub section: u32,
    /// `st_name`.
    name: u32,
    is_section_symbol: bool,
}

impl Symbol {
    fn new(raw: &Sym64<LittleEndian>, section: u32) -> Self {
        Self {
            svma: Svma(raw.st_value.get(ENDIAN)),
            section,
            name: raw.st_name.get(ENDIAN),
            is_section_symbol: raw.st_type() == STT_SECTION,
        }
    }
}

/// A symbol as `.symtab` has it, in a section or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSymbol<'i> {
    /// `st_value`.
    pub svma: Svma,
    /// `st_size`.
    pub size: u64,
    /// Whether its type is `STT_FUNC`.
    pub is_function: bool,
    /// Its name; empty for section symbols.
    pub name: &'i [u8],
}

/// How often the bytes of the string table may be named. Linkers let a name share the end of another, but a table in which
/// each of a million symbols names a megabyte is an attack on whoever reads them all.
const NAMES_PER_STRING_BYTE: usize = 64;

/// How much of their names orders symbols at one address. A file can have many symbols there, with long names.
const ORDERING_BYTES: usize = 4096;

/// Reads and sorts the symbols that lie in a section.
pub(crate) fn read(image: &Image) -> Box<[Symbol]> {
    let mut symbols: Vec<Symbol> = in_sections(image).collect();
    let ordering = |symbol: &Symbol| {
        let name = name(image, symbol);
        &name[..name.len().min(ORDERING_BYTES)]
    };
    symbols.sort_by(|a, b| {
        let places = (a.section, a.svma).cmp(&(b.section, b.svma));
        places.then_with(|| ordering(a).cmp(ordering(b)))
    });
    symbols.into_boxed_slice()
}

/// All symbols in the order of the table, up to the one that exceeds [`NAMES_PER_STRING_BYTE`].
pub(crate) fn table(image: &Image) -> impl Iterator<Item = TableSymbol<'_>> {
    let strings = image.symbol_strings();
    let symbols = image.raw_symbols().symbols();
    let mut budget = strings.len().saturating_mul(NAMES_PER_STRING_BYTE);
    symbols.iter().map_while(move |raw| {
        let name = string_at(strings, raw.st_name.get(ENDIAN));
        budget = budget.checked_sub(name.len())?;
        Some(TableSymbol {
            svma: Svma(raw.st_value.get(ENDIAN)),
            size: raw.st_size.get(ENDIAN),
            is_function: raw.st_type() == STT_FUNC,
            name,
        })
    })
}

/// The name of `symbol`. A section symbol without one has its section's.
pub(crate) fn name<'i>(image: &'i Image, symbol: &Symbol) -> &'i [u8] {
    let own = string_at(image.symbol_strings(), symbol.name);
    if own.is_empty() && symbol.is_section_symbol {
        image.section_name(symbol.section)
    } else {
        own
    }
}

/// The address of the first symbol named `wanted`.
pub(crate) fn find_named(image: &Image, wanted: &[u8]) -> Option<Svma> {
    let strings = image.symbol_strings();
    in_sections(image)
        .find(|symbol| string_is(strings, symbol.name, wanted))
        .map(|symbol| symbol.svma)
}

/// The address of the first symbol of each name in `wanted`, in one pass. All these names start with `prefix`.
pub(crate) fn find_all_named(image: &Image, prefix: &[u8], wanted: &[&[u8]]) -> Vec<Option<Svma>> {
    let strings = image.symbol_strings();
    let has_prefix = |symbol: &Symbol| {
        strings
            .get(symbol.name as usize..)
            .is_some_and(|s| s.starts_with(prefix))
    };
    let mut found = vec![None; wanted.len()];
    for symbol in in_sections(image).filter(has_prefix) {
        let is_named = |name: &&[u8]| string_is(strings, symbol.name, name);
        if let Some(index) = wanted.iter().position(is_named) {
            found[index].get_or_insert(symbol.svma);
        }
    }
    found
}

/// Whether a symbol named `wanted` lies in a section that `accepts` takes.
pub(crate) fn is_defined_in(image: &Image, wanted: &[u8], accepts: impl Fn(&SectionHeader) -> bool) -> bool {
    let strings = image.symbol_strings();
    let accepted: Vec<bool> = image.sections().iter().map(accepts).collect();
    in_sections(image).any(|symbol| accepted[symbol.section as usize] && string_is(strings, symbol.name, wanted))
}

/// Whether a symbol lies in a section whose index `accepts` takes.
pub(crate) fn any_in(image: &Image, accepts: impl Fn(u32) -> bool) -> bool {
    in_sections(image).any(|symbol| accepts(symbol.section))
}

/// The symbols with a section, which leaves out undefined, absolute, common and file symbols.
fn in_sections(image: &Image) -> impl Iterator<Item = Symbol> {
    let table = image.raw_symbols();
    table.symbols().iter().enumerate().filter_map(move |(index, raw)| {
        let section = table.symbol_section(ENDIAN, raw, SymbolIndex(index)).ok()??.0;
        Some(Symbol::new(raw, image.section_of_symbols(section)?))
    })
}
