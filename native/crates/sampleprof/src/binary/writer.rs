use super::{MAGIC, VERSION};
use crate::spelling::push_name;
use crate::write::{Ranked, TargetSorter, WriteOrder};
use crate::{FunctionSamples, LineLocation, Profile, ProfileSummary, WriteError, leb128};

/// Writes the header, the summary, the name table and the functions.
pub(crate) fn write(profile: &Profile, order: &WriteOrder) -> Result<Vec<u8>, WriteError> {
    if profile.flags.probe_based {
        return Err(WriteError::UnsupportedInBinary("probe-based"));
    }
    if profile.flags.context_sensitive {
        return Err(WriteError::UnsupportedInBinary("context-sensitive"));
    }
    order.check_names(profile, 0)?;
    let mut encoder = Encoder::new(profile, order);
    encoder.number(MAGIC);
    encoder.number(VERSION);
    encoder.summary(&ProfileSummary::compute(profile));
    encoder.names();
    for function in order.functions(profile) {
        encoder.top_level(function);
    }
    Ok(encoder.out)
}

/// Appends the parts that the binary forms share.
pub(crate) struct Encoder<'a> {
    /// The bytes that have been written.
    pub(crate) out: Vec<u8>,
    profile: &'a Profile,
    order: &'a WriteOrder,
    sorter: TargetSorter,
}

impl<'a> Encoder<'a> {
    pub(crate) fn new(profile: &'a Profile, order: &'a WriteOrder) -> Self {
        Self {
            out: Vec::new(),
            profile,
            order,
            sorter: TargetSorter::default(),
        }
    }

    pub(crate) fn number(&mut self, value: u64) {
        leb128::push(&mut self.out, value);
    }

    pub(crate) fn summary(&mut self, summary: &ProfileSummary) {
        self.number(summary.total_count);
        self.number(summary.max_count);
        self.number(summary.max_function_count);
        self.number(summary.num_counts);
        self.number(summary.num_functions);
        self.number(summary.entries.len() as u64);
        for entry in &summary.entries {
            self.number(entry.cutoff.into());
            self.number(entry.min_count);
            self.number(entry.num_counts);
        }
    }

    /// Appends the names in use, each with a NUL after it. A GUID becomes its decimal number.
    pub(crate) fn names(&mut self) {
        self.number(self.order.names.len() as u64);
        for &id in &self.order.names {
            push_name(&mut self.out, self.profile.names.get(id));
            self.out.push(0);
        }
    }

    /// Appends a function that is not inlined: its head count and its body.
    pub(crate) fn top_level(&mut self, Ranked { rank, function }: Ranked<'_>) {
        self.number(function.head);
        self.number(rank.into());
        self.body(function);
    }

    /// Appends the contexts, one for each function. Each context has for each frame, the outermost first, the name and
    /// the location of the call.
    pub(crate) fn contexts(&mut self) {
        let profile = self.profile;
        let order = self.order;
        self.number(order.contexts(profile).count() as u64);
        for function in order.contexts(profile) {
            let callers = profile.contexts.get(function.context);
            self.number(callers.len() as u64 + 1);
            for frame in callers {
                self.name(frame.function);
                self.location(frame.location);
            }
            self.name(function.name);
            self.location(LineLocation::default());
        }
    }

    pub(crate) fn location(&mut self, location: LineLocation) {
        self.number(location.line_offset.into());
        self.number(location.discriminator.into());
    }

    pub(crate) fn name(&mut self, name: crate::NameId) {
        self.number(self.order.rank(name).into());
    }

    /// Appends the part of a function that follows its name.
    fn body(&mut self, function: &FunctionSamples) {
        self.number(function.total);
        self.number(function.body.len() as u64);
        for record in &function.body {
            self.location(record.location);
            self.number(record.count);
            self.number(record.targets.len() as u64);
            for &(count, rank) in self.sorter.sort(&record.targets, self.order) {
                leb128::push(&mut self.out, rank.into());
                leb128::push(&mut self.out, count);
            }
        }
        self.number(function.inlinees.len() as u64);
        for (location, inlinee) in &function.inlinees {
            self.location(*location);
            self.name(inlinee.name);
            self.body(inlinee);
        }
    }
}
