//! Puts the profiles of the parts of one program together.

use rayon::prelude::*;

use crate::combine::{add_record, compare_inlinees, merge_sorted};
use crate::positions::{FunctionKey, Positions};
use crate::{BodyRecord, FunctionSamples, NameId, NameTable, Profile};

/// How the count of a location is made of several counts of the same location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// The largest of the counts.
    Most,
    /// The sum of the counts.
    Sum,
}

impl Profile {
    /// Makes one profile of the profiles of parts of a program, for example of its compilation units. Functions with
    /// the same name become one function, and so do functions with the same name that are inlined at the same place.
    ///
    /// `combine` says how the counts of a location are combined. All other counts are added up, and sums saturate at
    /// 2^64-1. The parts must have neither contexts nor checksums. The flags and the symbol list of the result are
    /// empty.
    #[must_use]
    pub fn join(mut parts: Vec<Self>, combine: Combine) -> Self {
        let mut names = NameTable::new();
        let ids: Vec<Vec<NameId>> = parts
            .iter()
            .map(|part| part.names.iter().map(|(_, name)| names.intern_name(name)).collect())
            .collect();
        parts.par_iter_mut().zip(&ids).for_each(|(part, ids)| {
            part.names = NameTable::new();
            part.functions.iter_mut().for_each(|function| rename(function, ids));
        });
        let mut positions = Positions::new(names.len());
        let mut functions: Vec<FunctionSamples> =
            Vec::with_capacity(parts.iter().map(|part| part.functions.len()).sum());
        for function in parts.into_iter().flat_map(|part| part.functions) {
            match positions.find_or_insert(FunctionKey::of(&function), functions.len()) {
                Some(earlier) => unite(&mut functions[earlier], function, &names, combine),
                None => functions.push(function),
            }
        }
        Self {
            names,
            functions,
            ..Self::default()
        }
    }
}

/// Replaces the ids of names in a function: the new id of a name is the element of `ids` at the position of the old
/// id.
pub(crate) fn rename(function: &mut FunctionSamples, ids: &[NameId]) {
    function.name = ids[function.name.index()];
    for target in function.body.iter_mut().flat_map(|record| &mut record.targets) {
        target.name = ids[target.name.index()];
    }
    for (_, inlinee) in &mut function.inlinees {
        rename(inlinee, ids);
    }
}

/// Adds another part of the same function.
fn unite(into: &mut FunctionSamples, from: FunctionSamples, names: &NameTable, combine: Combine) {
    into.total = into.total.saturating_add(from.total);
    into.head = into.head.saturating_add(from.head);
    let unite_records = |into: &mut BodyRecord, from: BodyRecord| {
        let most = into.count.max(from.count);
        add_record(into, from);
        if combine == Combine::Most {
            into.count = most;
        }
    };
    merge_sorted(
        &mut into.body,
        from.body,
        |a, b| a.location.cmp(&b.location),
        unite_records,
    );
    merge_sorted(
        &mut into.inlinees,
        from.inlinees,
        |a, b| compare_inlinees(a, b, names),
        |into, from| unite(&mut into.1, from.1, names, combine),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    /// Joins profiles in the text form, and returns the result as text.
    fn joined(parts: &[&str], combine: Combine) -> String {
        let parse = |text: &&str| read(text.as_bytes(), "part").expect("a profile");
        let profile = Profile::join(parts.iter().map(parse).collect(), combine);
        let options = crate::WriteOptions {
            format: crate::Format::Text,
            ..crate::WriteOptions::default()
        };
        String::from_utf8(crate::write(&profile, &options).expect("it can be written")).expect("text")
    }

    #[test]
    fn parts_of_a_function_become_one() {
        let first = "f:30:1\n 1: 10\n 2: 7 b:2\n 3: g:5\n  1: 5\n 3: h:1\n  1: 1\n";
        let second = "h:9:4\n 1: 9\nf:12:0\n 0: 1\n 2: 3 a:1 b:4\n 3: g:6\n  1: 4\n  2: 2\n";
        let most = "f:42:1\n 0: 1\n 1: 10\n 2: 7 b:6 a:1\n 3: g:11\n  1: 5\n  2: 2\n 3: h:1\n  1: 1\nh:9:4\n 1: 9\n";
        assert_eq!(joined(&[first, second], Combine::Most), most);
        assert_eq!(
            joined(&[second, first], Combine::Most),
            most,
            "the order does not matter"
        );
        let sum = most.replace("2: 7", "2: 10").replace("  1: 5", "  1: 9");
        assert_eq!(joined(&[first, second], Combine::Sum), sum);
    }

    #[test]
    fn sums_saturate() {
        let full = "f:18446744073709551615:18446744073709551615\n 1: 18446744073709551615 g:18446744073709551615\n";
        for combine in [Combine::Most, Combine::Sum] {
            assert_eq!(joined(&[full, full], combine), full);
        }
    }

    #[test]
    fn no_parts_make_an_empty_profile() {
        assert_eq!(joined(&[], Combine::Most), "");
    }
}
