//! The probes that count: the probes of functions with samples.

use elf::{Image, PSEUDO_PROBE, PSEUDO_PROBE_DESC, Svma};
use job::{Diagnostic, DiagnosticCode, count_of};
use pseudoprobe::{DecodeError, Descriptor, Descriptors, Guid, ProbeTable, Selection, UnknownStart};
use rustc_hash::{FxHashMap, FxHashSet};
use symbolize::{FunctionId, FunctionTable, NameOrigin};

use crate::attribution::entry_points::EntryPoints;
use crate::counting::counters::Counters;
use crate::request::options::GenerateOptions;

/// Most suffixes of a symbol that are tried. Compilers append a few at most.
const MAX_SUFFIXES: usize = 16;

/// The probes of the functions that have samples, and the names of these functions.
pub(crate) struct Probes<'i> {
    pub table: ProbeTable,
    descriptors: Descriptors<'i>,
    /// For each part of a function without a descriptor, the function that the compiler split it off from.
    whole_of_part: FxHashMap<Guid, Guid>,
    /// Names in the source of functions whose name in the debug information differs from that of a symbol.
    source_names: FxHashMap<FunctionId, &'i [u8]>,
    /// Number of probes that are left out because the symbol of their function or part is missing.
    unplaced: u64,
}

impl<'i> Probes<'i> {
    /// Decodes the sections of `image`, as far as `counters` need them.
    ///
    /// # Errors
    /// A section is damaged.
    pub(crate) fn read(
        image: &'i Image,
        functions: &FunctionTable,
        entries: &EntryPoints<'_>,
        counters: &Counters,
        options: &GenerateOptions,
    ) -> Result<Self, DecodeError> {
        let policy = options.policy;
        let sampled = sampled_functions(functions, counters);
        let wanted = guids_of(functions, &sampled);
        let selection = Selection {
            starts: &starts(image, functions, &sampled, policy.probes_without_symbol),
            // llvm-profgen takes an empty selection for no selection.
            functions: (policy.probes_without_symbol || !wanted.is_empty()).then_some(&wanted),
            unknown_start: if policy.probes_without_symbol {
                UnknownStart::Skip
            } else {
                UnknownStart::FollowPrevious
            },
        };
        let content = |name| image.pseudo_probe_sections(name).map(|section| section.data);
        let table = ProbeTable::decode(content(PSEUDO_PROBE), &selection)?;
        let mut probes = Self {
            unplaced: without_symbol(&table, image),
            table,
            descriptors: Descriptors::parse(content(PSEUDO_PROBE_DESC))?,
            whole_of_part: FxHashMap::default(),
            source_names: FxHashMap::default(),
        };
        probes.find_wholes(image);
        if options.load_function_from_symbol {
            probes.find_source_names(functions, entries, &sampled);
        }
        Ok(probes)
    }

    /// Returns the descriptor of a function.
    pub(crate) fn descriptor(&self, guid: Guid) -> Option<&Descriptor<'i>> {
        let whole = self.whole_of_part.get(&guid).copied();
        self.descriptors.get(whole.unwrap_or(guid))
    }

    /// Finds the functions that parts were split off from. Functions that the compiler made of others, such
    /// as `f.cold.1` from the cold code of `f`, have no descriptor. The name of their symbol tells the
    /// function they come from.
    fn find_wholes(&mut self, image: &Image) {
        let guids = self.table.nodes().map(|node| node.guid);
        let parts: FxHashSet<Guid> = guids.filter(|&guid| self.descriptors.get(guid).is_none()).collect();
        if parts.is_empty() {
            return;
        }
        for symbol in image.symbol_table() {
            let guid = Guid::of(symbol.name);
            if !parts.contains(&guid) {
                continue;
            }
            let ends = memchr::memrchr_iter(b'.', symbol.name).take(MAX_SUFFIXES);
            let mut wholes = ends.map(|end| Guid::of(&symbol.name[..end]));
            if let Some(whole) = wholes.find(|&whole| self.descriptors.get(whole).is_some()) {
                self.whole_of_part.insert(guid, whole);
            }
        }
    }

    /// Returns the name in the source, where the name in the debug information is in doubt.
    pub(crate) fn source_name(&self, function: FunctionId) -> Option<&'i [u8]> {
        self.source_names.get(&function).copied()
    }

    /// Returns diagnostics about functions with samples on which object files disagree. With `all`, each
    /// function is named.
    fn ambiguous(&self, all: bool) -> Vec<Diagnostic> {
        let sampled: FxHashSet<Guid> = self.table.nodes().map(|node| node.guid).collect();
        let found = self.descriptors.ambiguous();
        let found: Vec<_> = found.filter(|descriptor| sampled.contains(&descriptor.guid)).collect();
        let warning = |message: String| Diagnostic::warning(DiagnosticCode::ProbesAmbiguous, message);
        let each = found.iter().filter(|_| all).map(|descriptor| {
            let name = String::from_utf8_lossy(descriptor.name);
            warning(format!(
                "object files have different code for {name}; the profile has its checksum {:#x}",
                descriptor.checksum
            ))
        });
        let sum = (!found.is_empty()).then(|| {
            warning(format!(
                "object files have different code for {} with samples, such as inline functions under different macros. Each has \
                 one entry, which a compiler uses only where its checksum is that of the first object file. {{--show-detailed-warning}} gives the \
                 names",
                count_of(found.len() as u64, "function")
            ))
        });
        each.chain(sum).collect()
    }

    /// Returns diagnostics about lost counts. `unnamed` is the number of passed probes whose function has no
    /// descriptor.
    pub(crate) fn diagnostics(&self, unnamed: u64, options: &GenerateOptions) -> impl Iterator<Item = Diagnostic> {
        let lost = [
            (
                self.unplaced,
                DiagnosticCode::ProbesUnplaced,
                "have no address, because the symbol of their function is missing",
            ),
            (
                unnamed,
                DiagnosticCode::ProbesUnnamed,
                "belong to functions that .pseudo_probe_desc does not name",
            ),
        ];
        let lost = lost.into_iter().filter(|(count, ..)| *count > 0);
        let lost = lost.map(|(count, code, why)| {
            Diagnostic::warning(
                code,
                format!("{why} {}; the profile leaves them out", count_of(count, "pseudo probe")),
            )
        });
        lost.chain(self.ambiguous(options.show_detailed_warning))
    }

    /// Finds the names of functions in the source: the first probe after a function's entry says which
    /// function the code belongs to.
    fn find_source_names(&mut self, functions: &FunctionTable, entries: &EntryPoints<'_>, sampled: &[FunctionId]) {
        let disputed = sampled.iter().copied();
        for function in disputed.filter(|&function| functions.origin(function) == NameOrigin::Disputed) {
            let mut entered = functions.ranges_of(function).iter();
            let owner = entered.find_map(|&(start, end)| {
                entries.entry_at(start)?;
                let first = self.table.within(start..end).first()?;
                self.descriptor(self.table.top_level(first.node))
            });
            if let Some(owner) = owner {
                self.source_names.insert(function, owner.name);
            }
        }
    }
}

/// Returns the functions that ranges start in, and that branches leave and reach, in ascending order.
pub(crate) fn sampled_functions(functions: &FunctionTable, counters: &Counters) -> Vec<FunctionId> {
    let ranges = counters.ranges.rows().iter().map(|range| range.first);
    let branches = counters.branches.rows().iter();
    let ends = branches.flat_map(|branch| [branch.first, branch.second]);
    let mut sampled: Vec<FunctionId> = ranges
        .chain(ends)
        .filter_map(|svma| functions.find(svma))
        .map(|found| found.function)
        .collect();
    sampled.sort_unstable();
    sampled.dedup();
    sampled
}

/// Returns the GUIDs that these functions may have in `.pseudo_probe`.
fn guids_of(functions: &FunctionTable, sampled: &[FunctionId]) -> FxHashSet<Guid> {
    let names = sampled
        .iter()
        .flat_map(|&function| std::iter::once(functions.name(function)).chain(functions.other_names(function)));
    names.map(Guid::of).collect()
}

/// Returns the number of probes without an address whose function or part has no symbol to count from. Parts
/// without samples have a symbol: their probes have no address because none is needed.
fn without_symbol(table: &ProbeTable, image: &Image) -> u64 {
    let mut unplaced = table.unplaced().clone();
    if !unplaced.is_empty() {
        for symbol in image.symbol_table() {
            unplaced.remove(&Guid::of(symbol.name));
        }
    }
    unplaced.values().sum()
}

/// Returns the starts of these functions and of their parts, by the GUID of the symbol there. With
/// `without_symbol`, a start without a symbol has the GUID of the function's own name.
fn starts(
    image: &Image,
    functions: &FunctionTable,
    sampled: &[FunctionId],
    without_symbol: bool,
) -> FxHashMap<Guid, Svma> {
    let ranges = || sampled.iter().flat_map(|&function| functions.ranges_of(function));
    let mut symbols: FxHashMap<Svma, Vec<Guid>> = ranges().map(|&(start, _)| (start, Vec::new())).collect();
    for symbol in image.symbol_table() {
        if let Some(guids) = symbols.get_mut(&symbol.svma) {
            guids.push(Guid::of(symbol.name));
        }
    }
    // Of symbols with the same name, the symbol of the last range counts, as in llvm-profgen.
    let starts = ranges().flat_map(|&(start, _)| symbols[&start].iter().map(move |&guid| (guid, start)));
    let mut starts: FxHashMap<Guid, Svma> = starts.collect();
    if without_symbol {
        // Symbols may be stripped or renamed, but the debug information has the start, too.
        for &function in sampled {
            if let Some(&(start, _)) = functions.ranges_of(function).first() {
                starts.entry(Guid::of(functions.name(function))).or_insert(start);
            }
        }
    }
    starts
}
