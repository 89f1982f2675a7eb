//! The lines of a text profile. Names may hold blanks and colons, so the numbers at the end of a piece show where a
//! name ends (LLVM: `ParseHead` and `ParseLine` in `SampleProfReader.cpp`).

use crate::LineLocation;

/// The line that names a function: `NAME:TOTAL:HEAD`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FunctionLine<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) total: u64,
    pub(crate) head: u64,
}

/// A line inside a function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyLine<'a> {
    /// `LOCATION: COUNT[ TARGET:COUNT]*`.
    Record {
        location: LineLocation,
        count: u64,
        targets: Vec<(&'a [u8], u64)>,
    },
    /// `LOCATION: NAME:TOTAL`. The lines after it with a deeper indentation are the inlined code.
    Inlinee {
        location: LineLocation,
        name: &'a [u8],
        total: u64,
    },
    /// `LOCATION: vtables ...`: counts of virtual tables.
    VirtualTables,
}

/// A line of metadata, which starts with `!`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MetadataLine {
    /// Checksum of the control flow graph.
    Checksum(u64),
    /// Bits of [`crate::attribute`].
    Attributes(u32),
    /// A mark that nothing is inlined into the function. The other lines of the function say the same.
    Flat,
}

/// Text in front of counts of virtual tables (LLVM: `kVTableProfPrefix`).
pub(super) const VTABLES: &[u8] = b"vtables ";

/// Largest line offset of a location without discriminator. LLVM checks no other locations.
const MAX_PLAIN_LINE_OFFSET: u32 = 0xffff;

pub(crate) fn parse_function(line: &[u8]) -> Option<FunctionLine<'_>> {
    let (rest, head) = split_number(line)?;
    let (name, total) = split_number(rest)?;
    (!line.starts_with(b" ")).then_some(FunctionLine { name, total, head })
}

/// Returns true if the name of a function is a context, which names the callers too.
pub(crate) fn is_context(name: &[u8]) -> bool {
    name.starts_with(b"[")
}

/// Text between two frames of a context.
const FRAME_SEPARATOR: &[u8] = b" @ ";

/// Parses `[CALLER:LOCATION @ ... @ NAME]`. Calls `caller` with each caller and the location of the call in it, the
/// outermost caller first, and returns the name.
///
/// Names may hold colons, so the location of a frame stands after its last colon. (LLVM takes the first colon.)
#[must_use]
pub fn parse_context<'a>(context: &'a [u8], mut caller: impl FnMut(&'a [u8], LineLocation)) -> Option<&'a [u8]> {
    let mut rest = context.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let separator = memchr::memmem::Finder::new(FRAME_SEPARATOR);
    while let Some(end) = separator.find(rest) {
        let frame = &rest[..end];
        let split = memchr::memrchr(b':', frame)
            .and_then(|colon| Some((&frame[..colon], parse_location(&frame[colon + 1..], u32::MAX)?)));
        // A call whose location is unknown has a location of zeros, as in LLVM.
        let (name, location) = split.unwrap_or((frame, LineLocation::default()));
        caller(name, location);
        rest = &rest[end + FRAME_SEPARATOR.len()..];
    }
    (!rest.is_empty()).then_some(rest)
}

/// Parses a line of a function, without its indentation. Returns `None` if the line is not valid.
pub(crate) fn parse_body(line: &[u8]) -> Option<BodyLine<'_>> {
    let colon = memchr::memchr(b':', line)?;
    let location = parse_location(&line[..colon], MAX_PLAIN_LINE_OFFSET)?;
    // One character, normally a blank, stands between the colon and the rest of the line.
    let rest = line.get(colon + 2..)?;
    if rest.first()?.is_ascii_digit() {
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let count = parse_u64(&rest[..end])?;
        return Some(BodyLine::Record {
            location,
            count,
            targets: parse_targets(&rest[end..])?,
        });
    }
    if rest.starts_with(VTABLES) {
        return Some(BodyLine::VirtualTables);
    }
    let (name, total) = split_number(rest)?;
    Some(BodyLine::Inlinee { location, name, total })
}

/// Returns the line offset of a line that [`parse_body`] refuses because that offset is too large.
pub(crate) fn excessive_line_offset(line: &[u8]) -> Option<u64> {
    let colon = memchr::memchr(b':', line)?;
    parse_u64(&line[..colon]).filter(|&offset| offset > u64::from(MAX_PLAIN_LINE_OFFSET))
}

/// Parses a line of metadata, which starts with `!`, without its indentation. Returns `None` if the line is not valid.
pub(crate) fn parse_metadata(line: &[u8]) -> Option<MetadataLine> {
    if line == b"!Flat" {
        return Some(MetadataLine::Flat);
    }
    if let Some(value) = line.strip_prefix(b"!CFGChecksum:") {
        return parse_u64(value.trim_ascii()).map(MetadataLine::Checksum);
    }
    let value = line.strip_prefix(b"!Attributes:")?;
    parse_u32(value.trim_ascii()).map(MetadataLine::Attributes)
}

/// Returns the text in front of the last colon, and the number after that colon.
fn split_number(text: &[u8]) -> Option<(&[u8], u64)> {
    let colon = memchr::memrchr(b':', text)?;
    Some((&text[..colon], parse_u64(&text[colon + 1..])?))
}

/// Parses `LINE.DISCRIMINATOR`, or a `LINE` of at most `max_plain_offset`.
fn parse_location(text: &[u8], max_plain_offset: u32) -> Option<LineLocation> {
    match memchr::memchr(b'.', text) {
        Some(dot) => Some(LineLocation::new(
            parse_u32(&text[..dot])?,
            parse_u32(&text[dot + 1..])?,
        )),
        None => parse_u32(text)
            .filter(|&line| line <= max_plain_offset)
            .map(|line| LineLocation::new(line, 0)),
    }
}

/// Parses call targets. Each target ends at the first `:NUMBER` that stands before a blank or at the end of the line.
fn parse_targets(mut text: &[u8]) -> Option<Vec<(&[u8], u64)>> {
    let mut targets: Vec<(&[u8], u64)> = Vec::new();
    while !text.is_empty() {
        let blanks = text.iter().position(|&byte| byte != b' ')?;
        text = &text[blanks..];
        let (name, count, len) = memchr::memchr_iter(b':', text).find_map(|colon| {
            // Only the digits are read here, because a search for the next blank at every colon takes quadratic time.
            let number = &text[colon + 1..];
            let len = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let ends = matches!(number.get(len), None | Some(b' '));
            let count = parse_u64(&number[..len]).filter(|_| ends)?;
            Some((&text[..colon], count, colon + 1 + len))
        })?;
        if text.starts_with(b":") {
            return None;
        }
        targets.push((name, count));
        text = &text[len..];
    }
    Some(targets)
}

fn parse_u32(digits: &[u8]) -> Option<u32> {
    parse_u64(digits)?.try_into().ok()
}

/// Parses a number of decimal digits and nothing else. The digits may be any number, as long as the value fits into 64
/// bits.
fn parse_u64(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(())?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_blanks_and_colons() {
        let line = parse_function(b"std::map<int, a::b>:12:3").unwrap();
        assert_eq!(
            line,
            FunctionLine {
                name: b"std::map<int, a::b>",
                total: 12,
                head: 3
            }
        );
        assert_eq!(parse_function(b":1:2").unwrap().name, b"");
        for bad in [
            "main",
            "main:1",
            "main:1:",
            "main:1:x",
            "main:-1:2",
            " main:1:2",
            "main:1:18446744073709551616",
        ] {
            assert_eq!(parse_function(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn records_and_inlinees() {
        let record = |line: u32, discriminator, count, targets| {
            Some(BodyLine::Record {
                location: LineLocation::new(line, discriminator),
                count,
                targets,
            })
        };
        assert_eq!(parse_body(b"1: 5"), record(1, 0, 5, vec![]));
        assert_eq!(parse_body(b"70000.1: 5"), record(70_000, 1, 5, vec![]));
        assert_eq!(
            parse_body(b"1: 5  a<b c>:7 d::e:8"),
            record(1, 0, 5, vec![(b"a<b c>", 7), (b"d::e", 8)])
        );
        let inlinee = BodyLine::Inlinee {
            location: LineLocation::new(2, 3),
            name: b"a::b",
            total: 7,
        };
        assert_eq!(parse_body(b"2.3: a::b:7"), Some(inlinee));
        assert_eq!(parse_body(b"2: vtables _ZTV1A:3 "), Some(BodyLine::VirtualTables));
        for bad in [
            "", "1", "1:", "1: ", "70000: 5", "1.: 5", "x: 5", "1: 5 ", "1: 5 a", "1: 5 a:x", "1: 5 :3", "1: a:",
        ] {
            assert_eq!(parse_body(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn contexts() {
        let parse = |text: &'static str| {
            let mut frames = Vec::new();
            let name = parse_context(text.as_bytes(), |name, location| frames.push((name, location)));
            name.map(|name| (frames, name))
        };
        let at = LineLocation::new;
        assert_eq!(parse("[main]"), Some((vec![], &b"main"[..])));
        assert_eq!(
            parse("[main:3 @ a::b:70000.7 @ c::d]"),
            Some((vec![(&b"main"[..], at(3, 0)), (b"a::b", at(70_000, 7))], &b"c::d"[..]))
        );
        assert_eq!(parse("[main @ b]"), Some((vec![(&b"main"[..], at(0, 0))], &b"b"[..])));
        for bad in ["[]", "[main", "[main:3 @ ]", "main]"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn metadata() {
        assert_eq!(
            parse_metadata(b"!CFGChecksum: 18446744073709551615"),
            Some(MetadataLine::Checksum(u64::MAX))
        );
        assert_eq!(parse_metadata(b"!Attributes:2 "), Some(MetadataLine::Attributes(2)));
        assert_eq!(parse_metadata(b"!Flat"), Some(MetadataLine::Flat));
        assert_eq!(parse_metadata(b"!Attributes: 4294967296"), None);
        assert_eq!(parse_metadata(b"!Unknown: 1"), None);
    }
}
