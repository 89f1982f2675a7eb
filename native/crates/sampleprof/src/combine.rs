//! Adds the counts of one function to the counts of another. Sums saturate at 2^64-1 (LLVM: `SaturatingMultiplyAdd`).

use std::cmp::Ordering;

use crate::positions::{FunctionKey, Positions};
use crate::{BodyRecord, CallTarget, FunctionSamples, LineLocation, NameTable};

/// How two descriptions of one function with different control flow checksums are combined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checksums {
    /// The later checksum replaces the earlier one. For descriptions that come from one file.
    Replace,
    /// The counts of the later description are left out, because counts of different versions of a function must not
    /// be added (LLVM: `FunctionSamples::merge`).
    Match,
}

/// Adds `from` to `into`. Both describe the same function, and their records are in the order that [`FunctionSamples`]
/// demands.
///
/// Returns the number of functions, inlined ones included, that were left out because their checksums differ.
pub(crate) fn merge_function(
    into: &mut FunctionSamples,
    from: FunctionSamples,
    names: &NameTable,
    checksums: Checksums,
) -> u64 {
    match checksums {
        Checksums::Replace => {
            into.checksum = from.checksum.or(into.checksum);
            if from.attributes != 0 {
                into.attributes = from.attributes;
            }
        }
        // An earlier description without a checksum matches every later one, but not the reverse.
        Checksums::Match if into.checksum.is_none() => into.checksum = from.checksum,
        Checksums::Match if into.checksum != from.checksum => return 1,
        Checksums::Match => {}
    }
    into.total = into.total.saturating_add(from.total);
    into.head = into.head.saturating_add(from.head);
    merge_sorted(
        &mut into.body,
        from.body,
        |a, b| a.location.cmp(&b.location),
        add_record,
    );
    let mut mismatches = 0;
    merge_sorted(
        &mut into.inlinees,
        from.inlinees,
        |a, b| compare_inlinees(a, b, names),
        |into, from| mismatches += merge_function(&mut into.1, from.1, names, checksums),
    );
    mismatches
}

impl FunctionSamples {
    /// Adds the counts of the same function in another context, unless the checksums differ (LLVM:
    /// `FunctionSamples::merge`). The name, context and attributes of `self` stay.
    pub fn add(&mut self, other: Self, names: &NameTable) {
        merge_function(self, other, names, Checksums::Match);
    }
}

/// Multiplies every count of `function` by `weight`.
pub(crate) fn scale(function: &mut FunctionSamples, weight: u64) {
    function.total = function.total.saturating_mul(weight);
    function.head = function.head.saturating_mul(weight);
    for record in &mut function.body {
        record.count = record.count.saturating_mul(weight);
        for target in &mut record.targets {
            target.count = target.count.saturating_mul(weight);
        }
    }
    for (_, inlinee) in &mut function.inlinees {
        scale(inlinee, weight);
    }
}

/// Sorts the records of one function and adds up records of the same location. The inlinees must have been normalised
/// before.
///
/// Checks first whether the records are in order, because files that LLVM wrote are.
pub(crate) fn normalize(function: &mut FunctionSamples, names: &NameTable) {
    if !function.body.is_sorted_by(|a, b| a.location < b.location) {
        function.body.sort_by_key(|record| record.location);
        fold_equal(&mut function.body, |a, b| a.location == b.location, add_record);
    }
    let compare = |a: &Inlinee, b: &Inlinee| compare_inlinees(a, b, names);
    if !function.inlinees.is_sorted_by(|a, b| compare(a, b).is_lt()) {
        function.inlinees.sort_by(compare);
        fold_equal(
            &mut function.inlinees,
            |a, b| compare(a, b).is_eq(),
            |into, from| {
                merge_function(&mut into.1, from.1, names, Checksums::Replace);
            },
        );
    }
}

/// Adds up functions of the same name in the same context. Returns the number of functions, inlined ones included,
/// that were left out because their checksums differ.
pub(crate) fn merge_same_functions(
    functions: &mut Vec<FunctionSamples>,
    names: &NameTable,
    checksums: Checksums,
) -> u64 {
    let mut positions = Positions::new(names.len());
    let mut seen = |function| positions.find_or_insert(FunctionKey::of(function), 0).is_some();
    if !functions.iter().any(&mut seen) {
        return 0;
    }
    let mut positions = Positions::new(names.len());
    let mut distinct: Vec<FunctionSamples> = Vec::with_capacity(functions.len());
    let mut mismatches = 0;
    for function in functions.drain(..) {
        match positions.find_or_insert(FunctionKey::of(&function), distinct.len()) {
            Some(earlier) => mismatches += merge_function(&mut distinct[earlier], function, names, checksums),
            None => distinct.push(function),
        }
    }
    *functions = distinct;
    mismatches
}

type Inlinee = (LineLocation, FunctionSamples);

pub(crate) fn compare_inlinees(a: &Inlinee, b: &Inlinee, names: &NameTable) -> Ordering {
    a.0.cmp(&b.0).then_with(|| names.compare(a.1.name, b.1.name))
}

/// Adds the body record `from` to `into`. Both are of the same location.
pub(crate) fn add_record(into: &mut BodyRecord, from: BodyRecord) {
    into.count = into.count.saturating_add(from.count);
    if into.targets.is_empty() {
        into.targets = from.targets;
    } else {
        add_targets(&mut into.targets, from.targets);
    }
}

/// Number of call targets above which a search for each name costs more than sorting the targets.
const FEW_TARGETS: usize = 16;

fn add_targets(into: &mut Vec<CallTarget>, mut from: Vec<CallTarget>) {
    if into.len() + from.len() > FEW_TARGETS {
        into.append(&mut from);
        add_up_targets(into);
        return;
    }
    for target in from {
        match into.iter_mut().find(|known| known.name == target.name) {
            Some(known) => add_target(known, target),
            None => into.push(target),
        }
    }
}

/// Sorts call targets and adds up the counts of those with the same callee, so that each callee occurs once.
pub fn add_up_targets(targets: &mut Vec<CallTarget>) {
    if targets.len() > 1 {
        targets.sort_unstable_by_key(|target| target.name);
        fold_equal(targets, |a, b| a.name == b.name, add_target);
    }
}

/// Adds the call target `from` to `into`. Both have the same name.
pub(crate) fn add_target(into: &mut CallTarget, from: CallTarget) {
    into.count = into.count.saturating_add(from.count);
}

/// Merges two sorted lists, neither of which has equal neighbours, into one.
///
/// Profiles of one program have mostly the same locations. So elements that both lists have are combined in place, and
/// only new elements cost a sort, which takes one pass for two ascending runs.
pub(crate) fn merge_sorted<T>(
    into: &mut Vec<T>,
    from: Vec<T>,
    compare: impl Fn(&T, &T) -> Ordering,
    mut add: impl FnMut(&mut T, T),
) {
    if into.is_empty() {
        *into = from;
        return;
    }
    let mut position = 0;
    let mut new = Vec::new();
    for item in from {
        let order = loop {
            let Some(known) = into.get(position) else {
                break Ordering::Greater;
            };
            match compare(known, &item) {
                Ordering::Less => position += 1,
                order => break order,
            }
        };
        if order.is_eq() {
            add(&mut into[position], item);
        } else {
            new.push(item);
        }
    }
    if !new.is_empty() {
        into.append(&mut new);
        into.sort_by(compare);
    }
}

/// Combines each run of equal neighbours into its first element.
pub(crate) fn fold_equal<T>(items: &mut Vec<T>, same: impl Fn(&T, &T) -> bool, mut add: impl FnMut(&mut T, T)) {
    let mut folded: Vec<T> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        match folded.last_mut() {
            Some(last) if same(last, &item) => add(last, item),
            _ => folded.push(item),
        }
    }
    *items = folded;
}
