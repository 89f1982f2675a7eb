//! Finds the functions of a program as BOLT does: by symbols, stubs and unwind tables.

use elf::{Arch, Image, SectionExtent, Svma, SymbolKind, TableSymbol};
use rustc_hash::FxHashMap;

use crate::frames::Frames;
use crate::stubs::{slots, tables};

/// A function in the view of BOLT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// First address of the function.
    pub start: Svma,
    /// Number of bytes of code.
    pub size: u64,
    /// Number of bytes up to the next symbol or the end of the section, padding included.
    pub reach: u64,
    /// The name that BOLT gives the function. Names of local symbols have a number, names of stubs end in `@PLT`.
    pub name: String,
    /// True if the function is a stub, which BOLT does not optimise.
    pub is_stub: bool,
    /// True if BOLT has no blocks of the function, because it contradicts the symbols around it.
    pub is_opaque: bool,
    /// Addresses inside of the function that symbols name, ascending.
    pub(crate) entries: Vec<Svma>,
    section_end: Svma,
}

impl Function {
    /// Returns true if `svma` lies in the code of the function.
    pub fn contains(&self, svma: Svma) -> bool {
        svma.0
            .checked_sub(self.start.0)
            .is_some_and(|inside| inside < self.size)
    }

    /// Returns true if `svma` lies in the code of the function or in the padding after it.
    pub fn reaches(&self, svma: Svma) -> bool {
        svma.0
            .checked_sub(self.start.0)
            .is_some_and(|inside| inside < self.reach)
    }

    /// Returns true if a symbol may lie inside of this function without being a function itself.
    fn tolerates(&self, symbol: &PlacedSymbol<'_>) -> bool {
        symbol.svma >= self.start
            && symbol.svma < self.section_end
            && (symbol.size == 0 && self.contains(symbol.svma) || symbol.kind == SymbolKind::None && symbol.is_local)
    }
}

/// A symbol in a loaded section.
#[derive(Clone, Copy)]
struct PlacedSymbol<'i> {
    svma: Svma,
    size: u64,
    kind: SymbolKind,
    is_local: bool,
    name: &'i [u8],
    section: Option<SectionExtent<'i>>,
}

/// Returns the functions of `image`, ascending.
pub(crate) fn functions(image: &Image, frames: &Frames) -> Vec<Function> {
    let symbols = loaded_symbols(image);
    let mut builder = Builder {
        frames,
        functions: Vec::new(),
        numbers: FxHashMap::default(),
        globals: FxHashMap::default(),
        anonymous: 0,
        named: Vec::new(),
        previous: None,
    };
    for symbol in &symbols {
        builder.add(symbol);
    }
    let Builder {
        mut functions, named, ..
    } = builder;
    functions.sort_by_key(|function| function.start);
    add_stubs(image, &mut functions);
    add_frames(image, frames, &mut functions);
    bound_functions(&mut functions, &named);
    functions
}

/// Returns the symbols in loaded sections, by address. At one address functions come first and sections last,
/// others in the order of the table. Mapping symbols of AArch64 are left out.
fn loaded_symbols(image: &Image) -> Vec<PlacedSymbol<'_>> {
    let extents: Vec<SectionExtent<'_>> = image.section_extents().collect();
    let is_marker = |symbol: &TableSymbol<'_>| {
        image.arch() == Arch::AArch64
            && symbol.kind == SymbolKind::None
            && matches!(symbol.name, [b'$', b'x' | b'd'] | [b'$', b'x' | b'd', b'.', ..])
    };
    let mut symbols: Vec<PlacedSymbol<'_>> = image
        .symbol_table()
        .filter(|symbol| symbol.kind != SymbolKind::File && symbol.svma != Svma(0) && !is_marker(symbol))
        .filter_map(|symbol| {
            let section = match symbol.section {
                Some(index) => Some(*extents.get(index as usize)?),
                None if symbol.is_absolute => None,
                None => return None,
            };
            let inside = section.is_none_or(|section| {
                let end = symbol.svma.0.checked_add(symbol.size);
                section.is_allocated && symbol.svma >= section.start && end.is_some_and(|end| end <= section.end.0)
            });
            let name = match (symbol.kind, section) {
                (SymbolKind::Section, Some(section)) if symbol.name.is_empty() => section.name,
                _ => symbol.name,
            };
            inside.then_some(PlacedSymbol {
                svma: symbol.svma,
                size: symbol.size,
                kind: symbol.kind,
                is_local: symbol.is_local,
                name,
                section,
            })
        })
        .collect();
    let rank = |kind| match kind {
        SymbolKind::Function => 0,
        SymbolKind::Section => 2,
        _ => 1,
    };
    symbols.sort_by_key(|symbol| (symbol.svma, rank(symbol.kind)));
    symbols
}

struct Builder<'i, 'f> {
    frames: &'f Frames,
    functions: Vec<Function>,
    /// Number of local symbols of each name so far.
    numbers: FxHashMap<&'i [u8], u32>,
    /// Size and address of global symbols, by name.
    globals: FxHashMap<&'i [u8], (u64, Svma)>,
    anonymous: u32,
    /// The symbols at which a function before them ends at the latest.
    named: Vec<PlacedSymbol<'i>>,
    /// Number of the function of the symbol before.
    previous: Option<usize>,
}

impl<'i> Builder<'i, '_> {
    fn add(&mut self, symbol: &PlacedSymbol<'i>) {
        if matches!(symbol.name, b"__hot_start" | b"__hot_end") {
            return;
        }
        self.named.push(*symbol);
        let is_table_of_stubs =
            |section: SectionExtent<'_>| matches!(section.name, b".plt" | b".plt.got" | b".plt.sec" | b".iplt");
        if symbol.kind == SymbolKind::Section && symbol.section.is_some_and(is_table_of_stubs) {
            return;
        }
        let Some(name) = self.unique_name(symbol) else { return };
        let Some(section) = symbol
            .section
            .filter(|section| symbol.svma < section.end && section.is_executable)
        else {
            return;
        };
        if let Some(index) = self.previous {
            let previous = &mut self.functions[index];
            let inside = previous.contains(symbol.svma);
            if symbol.kind != SymbolKind::Function && (inside || previous.size == 0 && previous.tolerates(symbol)) {
                return;
            }
            if inside && previous.start != symbol.svma {
                if !previous.tolerates(symbol) {
                    previous.entries.push(symbol.svma);
                    self.named.pop();
                }
                return;
            }
        }
        let size = self.frames.size_at(symbol.svma).unwrap_or(0).max(symbol.size);
        match self
            .previous
            .filter(|index| self.functions[*index].start == symbol.svma)
        {
            Some(index) => {
                let known = &mut self.functions[index];
                known.size = known.size.max(size);
            }
            None => {
                self.previous = Some(self.functions.len());
                self.functions.push(Function {
                    start: symbol.svma,
                    size,
                    reach: 0,
                    name,
                    is_stub: false,
                    is_opaque: self.frames.has_inside(symbol.svma) && self.frames.size_at(symbol.svma).is_none(),
                    entries: Vec::new(),
                    section_end: section.end,
                });
            }
        }
    }

    /// Returns a name that no other symbol has. Returns `None` for a global symbol that occurs twice with one size
    /// and address.
    fn unique_name(&mut self, symbol: &PlacedSymbol<'i>) -> Option<String> {
        let text = String::from_utf8_lossy(symbol.name);
        let name = if text.starts_with(".L") {
            format!("PG{text}")
        } else {
            text.into_owned()
        };
        if name.is_empty() {
            self.anonymous += 1;
            return Some(format!("ANONYMOUS.{}", self.anonymous - 1));
        }
        if symbol.is_local {
            let number = self.numbers.entry(symbol.name).or_default();
            *number += 1;
            return Some(format!("{name}/{number}"));
        }
        match self.globals.insert(symbol.name, (symbol.size, symbol.svma)) {
            Some(known) if known == (symbol.size, symbol.svma) => {
                self.named.pop();
                None
            }
            _ => Some(name),
        }
    }
}

/// Makes a function that no symbol names.
fn unnamed_function(start: Svma, size: u64, name: String, section_end: Svma) -> Function {
    Function {
        start,
        size,
        reach: 0,
        name,
        is_stub: false,
        is_opaque: false,
        entries: Vec::new(),
        section_end,
    }
}

/// Adds functions. Among functions with one start, the first one stays.
fn add_functions(functions: &mut Vec<Function>, added: Vec<Function>) {
    functions.extend(added);
    functions.sort_by_key(|function| function.start);
    functions.dedup_by_key(|function| function.start);
}

fn add_stubs(image: &Image, functions: &mut Vec<Function>) {
    let slots = slots(image);
    let starting_at = |functions: &[Function], svma| functions.binary_search_by_key(&svma, |known| known.start).ok();
    let mut found = Vec::new();
    for (section, stubs) in tables(image) {
        let end = section.svma.wrapping_add(section.bytes.len() as u64);
        for stub in stubs {
            let Some(slot) = slots.get(&stub.slot) else { continue };
            let target = if slot.name.is_empty() {
                let resolver = starting_at(functions, Svma(slot.addend));
                resolver.map(|index| functions[index].name.clone())
            } else {
                Some(String::from_utf8_lossy(slot.name).into_owned())
            };
            found.extend(target.map(|target| (stub.start, format!("{target}@PLT"), end)));
        }
        let name = format!("__BOLT_PSEUDO_{}", String::from_utf8_lossy(section.name));
        found.push((section.svma, name, end));
    }
    let mut added = Vec::new();
    for (start, name, end) in found {
        match starting_at(functions, start) {
            Some(index) => functions[index].is_stub = true,
            None => added.push(Function {
                is_stub: true,
                ..unnamed_function(start, 0, name, end)
            }),
        }
    }
    add_functions(functions, added);
}

/// Adds the functions that only unwind tables state.
fn add_frames(image: &Image, frames: &Frames, functions: &mut Vec<Function>) {
    let mut sections: Vec<SectionExtent<'_>> = image.section_extents().filter(|section| section.is_allocated).collect();
    sections.sort_by_key(|section| section.start);
    let mut added = Vec::new();
    for &(start, size) in frames.ranges() {
        let following = functions.partition_point(|function| function.start <= start);
        let before = following.checked_sub(1).map(|index| &functions[index]);
        if before.is_some_and(|function| function.start == start || function.contains(start)) {
            continue;
        }
        let following = sections.partition_point(|section| section.start <= start);
        let section = following.checked_sub(1).map(|index| sections[index]);
        let section = section.filter(|section| start < section.end);
        added.extend(
            section
                .map(|section| unnamed_function(start, size, format!("__BOLT_FDE_FUNCat{:x}", start.0), section.end)),
        );
    }
    add_functions(functions, added);
}

/// Determines how far functions reach, and the addresses inside at which they are entered.
fn bound_functions(functions: &mut [Function], named: &[PlacedSymbol<'_>]) {
    for index in 0..functions.len() {
        let next = functions.get(index + 1).map(|function| function.start);
        let function = &mut functions[index];
        let following = named.partition_point(|symbol| symbol.svma <= function.start);
        let mut symbols = named[following..].iter();
        let mut end = function.section_end;
        for symbol in &mut symbols {
            if next.is_some_and(|next| symbol.svma >= next) || !function.tolerates(symbol) {
                end = end.min(symbol.svma);
                break;
            }
            if !symbol.name.starts_with(b".L") {
                function.entries.push(symbol.svma);
            }
        }
        end = next.map_or(end, |next| end.min(next));
        let reach = end.0.saturating_sub(function.start.0);
        function.is_opaque |= reach < function.size;
        function.reach = reach.max(function.size);
        if function.size == 0 && !function.is_opaque {
            function.size = function.reach;
        }
        function.entries.sort_unstable();
        function.entries.dedup();
    }
}
