use crate::write::{TargetSorter, WriteOrder};
use crate::{FunctionSamples, LineLocation, Name, NameId, Profile, WriteError};

/// One line a count; a function's lines are indented by one blank more than its own.
pub(crate) fn write(profile: &Profile, order: &WriteOrder) -> Result<Vec<u8>, WriteError> {
    order.check_names(profile, b'\n')?;
    let mut writer = Writer {
        out: Vec::new(),
        profile,
        order,
        sorter: TargetSorter::default(),
    };
    for function in order.functions(profile) {
        writer.function(function, 0);
    }
    Ok(writer.out)
}

struct Writer<'a> {
    out: Vec<u8>,
    profile: &'a Profile,
    order: &'a WriteOrder,
    sorter: TargetSorter,
}

impl Writer<'_> {
    /// The rest of the line that names the function, then its content.
    fn function(&mut self, function: &FunctionSamples, depth: usize) {
        self.name(function.name);
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
            self.metadata(depth, b"!CFGChecksum: ", function.checksum.unwrap_or(0));
        }
        if function.attributes != 0 {
            self.metadata(depth, b"!Attributes: ", function.attributes.into());
        }
    }

    fn location(&mut self, location: LineLocation, depth: usize) {
        self.indent(depth);
        push_decimal(&mut self.out, location.line_offset.into());
        if location.discriminator > 0 {
            self.out.push(b'.');
            push_decimal(&mut self.out, location.discriminator.into());
        }
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

/// Appends a name as text has it: a GUID as its decimal number.
pub(crate) fn push_name(out: &mut Vec<u8>, name: Name<'_>) {
    match name {
        Name::Guid(guid) => push_decimal(out, guid),
        Name::Text(text) => out.extend_from_slice(text),
    }
}

/// Appends decimal digits; `write!` costs several times as much.
fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for value in [0, 9, 10, 4_294_967_296, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }
}
