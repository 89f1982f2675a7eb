//! The symbols of an image, from the image or from its debug file.

use object::elf::STT_FUNC;

use super::Image;
use crate::Svma;
use crate::headers::{self, SectionHeader};
use crate::strings::{string_at, string_is};
use crate::symbol::{RawSymbol, Symbol, SymbolKind, TableSymbol};

/// Name of the variable by which clang marks flow-sensitive discriminators (LLVM: FSAFDODiscriminator.h).
const FS_DISCRIMINATOR: &[u8] = b"__llvm_fs_discriminator__";

/// Number of times that symbol names may use each byte of the string table, on average. Linkers let one name share
/// the end of another. But a table in which each of a million symbols names a megabyte is an attack on its readers.
const NAMES_PER_STRING_BYTE: usize = 64;

/// Number of bytes of their names by which symbols at one address are ordered. A file can have many symbols with
/// long names at one address.
const ORDERING_BYTES: usize = 4096;

impl Image {
    /// Returns the symbols of `.symtab` that lie in a section, ordered by section, address and name.
    ///
    /// Symbols of every type are included, section symbols and mapping symbols too, because disassembly starts anew
    /// at each. `.dynsym` is never read. The first call reads and sorts the symbols.
    pub fn symbols(&self) -> &[Symbol] {
        self.symbols.get_or_init(|| read(self))
    }

    /// Returns the symbols of the sections that are disassembled (see [`Code`](crate::Code)), in the order of
    /// [`symbols`](Self::symbols).
    pub fn code_symbols(&self) -> impl Iterator<Item = &Symbol> {
        let chunks = self.symbols().chunk_by(|a, b| a.section == b.section);
        chunks.filter(|chunk| self.has_code(chunk[0].section)).flatten()
    }

    /// Returns true if there are [`code_symbols`](Self::code_symbols). Without them nobody knows where instructions
    /// start. Reads the table no further than the first of them.
    pub fn has_code_symbols(&self) -> bool {
        has_symbol_in(self, |section| self.has_code(section))
    }

    /// Returns all symbols of `.symtab`, undefined and absolute symbols too, in the order of the table.
    pub fn symbol_table(&self) -> impl Iterator<Item = TableSymbol<'_>> {
        table(self)
    }

    /// Returns the name of a symbol of this image.
    pub fn symbol_name(&self, symbol: &Symbol) -> &[u8] {
        name(self, symbol)
    }

    /// Returns the address of the symbol named `name`, such as `_text`.
    pub fn symbol_named(&self, name: &[u8]) -> Option<Svma> {
        find_named(self, name)
    }

    /// Returns the addresses of the symbols named `names`, in that order. All these names start with `prefix`.
    pub(crate) fn symbols_named(&self, prefix: &[u8], names: &[&[u8]]) -> Vec<Option<Svma>> {
        find_all_named(self, prefix, names)
    }

    /// Returns true if the discriminators in this image are flow-sensitive (FS-AFDO). The compiler then adds a
    /// variable that marks the image.
    pub fn has_fs_discriminators(&self) -> bool {
        is_defined_in(self, FS_DISCRIMINATOR, |section| {
            section.allocated && !section.executable && section.progbits && !section.data.is_empty()
        })
    }

    /// Returns the symbols as `.symtab` has them.
    fn raw_symbols(&self) -> impl Iterator<Item = RawSymbol> {
        headers::symbols(self.symbol_image().data())
    }

    /// Returns the string table of the symbols.
    fn symbol_strings(&self) -> &[u8] {
        let image = self.symbol_image();
        image.bytes_at(&image.headers.symbol_strings)
    }

    /// Returns the index of the image's own section for the section index that a symbol states. The two differ if
    /// the symbols come from a debug file.
    fn section_of_symbols(&self, index: usize) -> Option<u32> {
        match &self.symbol_file {
            Some(file) => file.sections.get(index).copied().flatten(),
            None => (index < self.sections().len()).then(|| u32::try_from(index).ok())?,
        }
    }
}

/// Reads and sorts the symbols that lie in a section.
fn read(image: &Image) -> Box<[Symbol]> {
    let mut symbols: Vec<Symbol> = symbols_in_sections(image).collect();
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

/// Returns all symbols in the order of the table, up to the symbol that exceeds [`NAMES_PER_STRING_BYTE`].
fn table(image: &Image) -> impl Iterator<Item = TableSymbol<'_>> {
    let strings = image.symbol_strings();
    let mut budget = strings.len().saturating_mul(NAMES_PER_STRING_BYTE);
    image.raw_symbols().map_while(move |raw| {
        let name = string_at(strings, raw.name);
        budget = budget.checked_sub(name.len())?;
        Some(TableSymbol {
            svma: Svma(raw.value),
            size: raw.size,
            is_function: raw.kind == STT_FUNC,
            kind: SymbolKind::of(raw.kind),
            is_local: raw.is_local,
            section: raw.section.and_then(|section| image.section_of_symbols(section)),
            is_absolute: raw.is_absolute,
            name,
        })
    })
}

/// Returns the name of `symbol`. A section symbol without a name has the name of its section.
fn name<'i>(image: &'i Image, symbol: &Symbol) -> &'i [u8] {
    let own = string_at(image.symbol_strings(), symbol.name);
    if own.is_empty() && symbol.is_section_symbol {
        image.section_name(symbol.section)
    } else {
        own
    }
}

/// Returns the address of the first symbol named `wanted`.
fn find_named(image: &Image, wanted: &[u8]) -> Option<Svma> {
    let strings = image.symbol_strings();
    symbols_in_sections(image)
        .find(|symbol| string_is(strings, symbol.name, wanted))
        .map(|symbol| symbol.svma)
}

/// Returns the address of the first symbol of each name in `wanted`, in one pass. All these names start with
/// `prefix`.
fn find_all_named(image: &Image, prefix: &[u8], wanted: &[&[u8]]) -> Vec<Option<Svma>> {
    let strings = image.symbol_strings();
    let has_prefix = |symbol: &Symbol| {
        strings
            .get(symbol.name as usize..)
            .is_some_and(|s| s.starts_with(prefix))
    };
    let mut found = vec![None; wanted.len()];
    for symbol in symbols_in_sections(image).filter(has_prefix) {
        let is_named = |name: &&[u8]| string_is(strings, symbol.name, name);
        if let Some(index) = wanted.iter().position(is_named) {
            found[index].get_or_insert(symbol.svma);
        }
    }
    found
}

/// Returns true if a symbol named `wanted` lies in a section that `accepts` accepts.
fn is_defined_in(image: &Image, wanted: &[u8], accepts: impl Fn(&SectionHeader) -> bool) -> bool {
    let strings = image.symbol_strings();
    let accepted: Vec<bool> = image.sections().iter().map(accepts).collect();
    symbols_in_sections(image)
        .any(|symbol| accepted[symbol.section as usize] && string_is(strings, symbol.name, wanted))
}

/// Returns true if a symbol lies in a section whose index `accepts` accepts.
fn has_symbol_in(image: &Image, accepts: impl Fn(u32) -> bool) -> bool {
    symbols_in_sections(image).any(|symbol| accepts(symbol.section))
}

/// Returns the symbols that lie in a section. Undefined, absolute, common and file symbols lie in none.
fn symbols_in_sections(image: &Image) -> impl Iterator<Item = Symbol> {
    image
        .raw_symbols()
        .filter_map(move |raw| Some(Symbol::new(raw, image.section_of_symbols(raw.section?)?)))
}
