use std::num::NonZeroU64;

use rayon::prelude::*;

use crate::spelling::{push_decimal, push_location, push_name};
use crate::write::{Ranked, TargetSorter, WriteOrder};
use crate::{FunctionSamples, LineLocation, NameId, Profile, WriteError};

/// Smallest number of functions that one thread writes. More functions are divided among threads.
const PART: usize = 1 << 9;

/// Writes one line for each count. The lines of a function have one blank more of indentation than the line that names
/// the function.
pub(crate) fn write(profile: &Profile, order: &WriteOrder) -> Result<Vec<u8>, WriteError> {
    order.check_names(profile, b'\n')?;
    let part = |functions: &[Ranked<'_>]| {
        let mut writer = Writer {
            out: Vec::new(),
            profile,
            order,
            sorter: TargetSorter::default(),
        };
        for Ranked { function, .. } in functions {
            writer.function(function, 0);
        }
        writer.out
    };
    let functions: Vec<Ranked<'_>> = order.functions(profile).collect();
    if functions.len() <= PART {
        return Ok(part(&functions));
    }
    let parts: Vec<Vec<u8>> = functions.par_chunks(PART).map(part).collect();
    Ok(parts.concat())
}

struct Writer<'a> {
    out: Vec<u8>,
    profile: &'a Profile,
    order: &'a WriteOrder,
    sorter: TargetSorter,
}

impl Writer<'_> {
    /// Writes the rest of the line that names the function, then its content.
    fn function(&mut self, function: &FunctionSamples, depth: usize) {
        if self.profile.flags.context_sensitive {
            self.out.push(b'[');
            self.profile.full_name(function).push(&mut self.out);
            self.out.push(b']');
        } else {
            self.name(function.name);
        }
        self.out.push(b':');
        push_decimal(&mut self.out, function.total);
        if depth == 0 {
            self.out.push(b':');
            push_decimal(&mut self.out, function.head);
        }
        self.out.push(b'\n');
        let depth = depth + 1;
        for record in &function.body {
            self.location(record.location, depth);
            push_decimal(&mut self.out, record.count);
            for &(count, rank) in self.sorter.sort(&record.targets, self.order) {
                self.out.push(b' ');
                push_name(&mut self.out, self.profile.names.get(self.order.names[rank as usize]));
                self.out.push(b':');
                push_decimal(&mut self.out, count);
            }
            self.out.push(b'\n');
        }
        for (location, inlinee) in &function.inlinees {
            self.location(*location, depth);
            self.function(inlinee, depth);
        }
        if self.profile.flags.probe_based {
            self.metadata(depth, b"!CFGChecksum: ", function.checksum.map_or(0, NonZeroU64::get));
        }
        if function.attributes != 0 {
            self.metadata(depth, b"!Attributes: ", function.attributes.into());
        }
    }

    fn location(&mut self, location: LineLocation, depth: usize) {
        self.indent(depth);
        push_location(&mut self.out, location);
        self.out.extend_from_slice(b": ");
    }

    fn metadata(&mut self, depth: usize, key: &[u8], value: u64) {
        self.indent(depth);
        self.out.extend_from_slice(key);
        push_decimal(&mut self.out, value);
        self.out.push(b'\n');
    }

    fn indent(&mut self, depth: usize) {
        self.out.resize(self.out.len() + depth, b' ');
    }

    fn name(&mut self, name: NameId) {
        push_name(&mut self.out, self.profile.names.get(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, WriteOptions};

    #[test]
    fn functions_of_all_threads_are_in_order() {
        let mut profile = Profile::new();
        let count = 3 * PART as u64 + 1;
        for total in 1..=count {
            let mut function = FunctionSamples::new(profile.names.intern(format!("f{total}").as_bytes()));
            function.total = total;
            profile.functions.push(function);
        }
        let options = WriteOptions {
            format: Format::Text,
            ..WriteOptions::default()
        };
        let written = crate::write(&profile, &options).expect("it can be written");
        let lines: String = (1..=count).rev().map(|total| format!("f{total}:{total}:0\n")).collect();
        assert_eq!(String::from_utf8(written).expect("text"), lines);
    }
}
