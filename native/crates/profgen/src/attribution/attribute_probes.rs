//! Attributes the counts of ranges and branches to pseudo probes. It is the counterpart of
//! [`crate::attribution::attribute`] for binaries with probes.

use std::num::NonZeroU64;

use elf::{Code, Svma, canonical_name};
use pseudoprobe::{Guid, InlineNode, NodeId};
use rustc_hash::FxHashMap;
use sampleprof::{Combine, FunctionSamples, LineLocation, Name, NameId, NameTable, Profile, WriteError};
use symbolize::FunctionTable;

use crate::attribution::contexts::{ContextId, Contexts};
use crate::attribution::entry_points::EntryPoints;
use crate::attribution::probes::Probes;
use crate::counting::counter::Counter;

/// The binary, as attribution by probes sees it.
pub(crate) struct ProbeSource<'a> {
    /// Code of the binary, which knows where instructions start.
    pub code: &'a Code<'a>,
    /// Probes by address.
    pub probes: &'a Probes<'a>,
    /// The function entries among the targets of branches.
    pub entries: &'a EntryPoints<'a>,
    /// Names of the functions in `entries`.
    pub functions: &'a FunctionTable,
}

/// Returns the profile of `ranges` (disjoint, ascending) and `branches` (ascending), and the number of probes
/// that are missing in it because no descriptor names their function.
///
/// # Errors
/// [`WriteError::TooDeep`].
pub(crate) fn attribute_probes(
    source: &ProbeSource<'_>,
    ranges: &[Counter],
    branches: &[Counter],
) -> Result<(Profile, u64), WriteError> {
    let mut attribution = Attribution {
        source,
        names: NameTable::default(),
        contexts: Contexts::default(),
        context_of_node: vec![None; source.probes.table.node_count()],
        name_of_guid: FxHashMap::default(),
        unnamed: 0,
    };
    for range in ranges {
        attribution.add_range(range);
    }
    for branch in branches {
        attribution.add_branch(branch);
    }
    let Attribution {
        names,
        contexts,
        unnamed,
        ..
    } = attribution;
    let mut profile = Profile {
        functions: contexts.into_functions(&names, Combine::Sum)?,
        names,
        ..Profile::default()
    };
    profile.flags.probe_based = true;
    set_checksums(&mut profile, source.probes);
    Ok((profile, unnamed))
}

struct Attribution<'a> {
    source: &'a ProbeSource<'a>,
    names: NameTable,
    contexts: Contexts,
    /// Contexts by node, filled on first use.
    context_of_node: Vec<Option<ContextId>>,
    /// Name of each function by its GUID; `None` for a function without a descriptor.
    name_of_guid: FxHashMap<Guid, Option<NameId>>,
    unnamed: u64,
}

impl<'a> Attribution<'a> {
    /// Counts every probe of the range as often as the range was executed. The copies of duplicated code have
    /// their own probes, so the counts of the copies add up.
    fn add_range(&mut self, range: &Counter) {
        let source: &'a ProbeSource<'a> = self.source;
        let behind = Svma(range.second.0.saturating_add(1));
        for probe in source.probes.table.within(range.first..behind) {
            if source.code.class_at(probe.address).is_none() {
                continue;
            }
            let Some(context) = self.context(probe.node) else {
                self.unnamed += 1;
                continue;
            };
            let record = self
                .contexts
                .record(context, location(probe.index, probe.discriminator));
            self.contexts.add_total(record, range.count);
            self.contexts.add_count(record, range.count);
            if probe.is_entry() {
                self.contexts.add_head(context, range.count);
            }
        }
    }

    /// Counts a branch from a call's probe to a function's entry. The entry needs no count here, because it
    /// has a probe of its own.
    fn add_branch(&mut self, branch: &Counter) {
        let source: &'a ProbeSource<'a> = self.source;
        let Some(entered) = source.entries.called(source.code, branch.second) else {
            return;
        };
        let Some(probe) = source.probes.table.call_at(branch.first) else {
            return;
        };
        let Some(context) = self.context(probe.node) else {
            return;
        };
        let name = source.probes.source_name(entered.function);
        let name = name.unwrap_or_else(|| source.functions.name(entered.function));
        let callee = self.names.intern(canonical_name(name));
        let record = self.contexts.record(context, location(probe.index, 0));
        self.contexts.add_call(record, callee, branch.count);
    }

    /// Returns the context of a node: its callers from the outermost one inwards. A call that lost its probe
    /// (index 0), or whose caller is not known, cannot be named. A function that is inlined at such a call
    /// becomes a top-level function. `None` if the function itself has no name.
    fn context(&mut self, node: NodeId) -> Option<ContextId> {
        let table = &self.source.probes.table;
        let mut inner = Vec::new();
        let mut next = node;
        let mut context = loop {
            if let Some(known) = self.context_of_node[next.index()] {
                break Some(known);
            }
            inner.push(next);
            match table.node(next).inlined_at {
                Some((caller, call_site)) if call_site != 0 => next = caller,
                _ => break None,
            }
        };
        for &node in inner.iter().rev() {
            let InlineNode { guid, inlined_at } = table.node(node);
            let caller = context.zip(inlined_at);
            let call_site = caller.map(|(context, (_, index))| (context, location(index, 0)));
            let name = self.name(guid);
            context = name.map(|name| self.contexts.context(call_site, name));
            self.context_of_node[node.index()] = context;
        }
        context
    }

    fn name(&mut self, guid: Guid) -> Option<NameId> {
        *self.name_of_guid.entry(guid).or_insert_with(|| {
            let descriptor = self.source.probes.descriptor(guid)?;
            Some(self.names.intern(descriptor.name))
        })
    }
}

fn location(index: u32, discriminator: u32) -> LineLocation {
    LineLocation {
        line_offset: index,
        discriminator,
    }
}

/// Sets the checksum of the control flow graph of every function, inlined functions included.
pub(crate) fn set_checksums(profile: &mut Profile, probes: &Probes<'_>) {
    let checksum = |name| match name {
        Name::Text(text) => {
            let found = probes.descriptor(Guid::of(text))?;
            NonZeroU64::new(found.checksum)
        }
        Name::Guid(_) => None,
    };
    let mut known: FxHashMap<NameId, Option<NonZeroU64>> = FxHashMap::default();
    let names = &profile.names;
    let mut of_name = |name: NameId| *known.entry(name).or_insert_with(|| checksum(names.get(name)));
    for function in &mut profile.functions {
        set_checksum(function, &mut of_name);
    }
}

/// Sets the checksum of a function and of the functions in it. The recursion ends, because inlining is at
/// most [`pseudoprobe::MAX_INLINE_DEPTH`] deep.
fn set_checksum(function: &mut FunctionSamples, checksum_of: &mut impl FnMut(NameId) -> Option<NonZeroU64>) {
    function.checksum = checksum_of(function.name);
    for (_, inlinee) in &mut function.inlinees {
        set_checksum(inlinee, checksum_of);
    }
}
