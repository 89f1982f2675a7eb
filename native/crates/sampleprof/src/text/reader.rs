use std::num::NonZeroU64;

use super::line::{
    BodyLine, MetadataLine, excessive_line_offset, is_context, parse_body, parse_context, parse_function,
    parse_metadata,
};
use crate::combine::{Checksums, merge_same_functions, normalize};
use crate::read::{Located, Place, ReadErrorKind};
use crate::{BodyRecord, CallTarget, Frame, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, Profile, attribute};

/// Reads functions line by line. The indentation of a line shows which function it belongs to.
pub(crate) fn read(bytes: &[u8]) -> Result<Profile, Located> {
    let mut reader = Reader::default();
    for (number, line) in lines(bytes) {
        let result = if line.starts_with(b" ") {
            reader.body(line)
        } else {
            reader.function(line)
        };
        result.map_err(|kind| Located::new(Place::Line(number), kind))?;
    }
    reader.close(0);
    merge_same_functions(&mut reader.profile.functions, &reader.profile.names, Checksums::Replace);
    Ok(reader.profile)
}

/// Returns true if the first line that is neither empty nor a comment names a function.
pub(crate) fn starts_like_profile(bytes: &[u8]) -> bool {
    let mut lines = split_lines(bytes);
    lines.next().is_some_and(|(_, line)| parse_function(line).is_some())
}

/// Iterates over the lines with their numbers, without comments and blank lines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    split_lines(bytes).filter(|(_, line)| {
        line.iter()
            .find(|&&byte| byte != b' ')
            .is_some_and(|&byte| byte != b'#')
    })
}

/// Iterates over the lines with their numbers, without the lines that LLVM's `line_iterator` skips: empty lines and
/// lines that start with `#`.
fn split_lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = bytes;
    let lines = std::iter::from_fn(move || {
        (!rest.is_empty()).then(|| {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            line.strip_suffix(b"\r").unwrap_or(line)
        })
    });
    (1..)
        .zip(lines)
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
}

#[derive(Default)]
struct Reader {
    profile: Profile,
    /// The function that is being read, then the inlined functions down to the one that the next lines belong to.
    open: Vec<(LineLocation, FunctionSamples)>,
    /// The callers of the function whose line was read last.
    callers: Vec<Frame>,
    /// Indentation of the last line of metadata. No other line may follow with the same indentation.
    metadata_depth: Option<usize>,
}

impl Reader {
    fn function(&mut self, line: &[u8]) -> Result<(), ReadErrorKind> {
        let parsed = parse_function(line).ok_or_else(|| ReadErrorKind::FunctionLine(printable(line)))?;
        let context_sensitive = is_context(parsed.name);
        let first = self.open.is_empty();
        if !first && context_sensitive != self.profile.flags.context_sensitive {
            return Err(ReadErrorKind::MixedContexts);
        }
        self.profile.flags.context_sensitive = context_sensitive;
        self.close(0);
        self.metadata_depth = None;
        let mut function = if context_sensitive {
            self.called_function(parsed.name)
                .ok_or_else(|| ReadErrorKind::Context(printable(line)))?
        } else {
            FunctionSamples::new(self.profile.names.intern(parsed.name))
        };
        function.total = parsed.total;
        function.head = parsed.head;
        self.open.push((LineLocation::default(), function));
        Ok(())
    }

    /// Makes the function that a context ends with. Returns `None` if the context is not valid.
    fn called_function(&mut self, context: &[u8]) -> Option<FunctionSamples> {
        let Profile { names, contexts, .. } = &mut self.profile;
        self.callers.clear();
        let name = parse_context(context, |name, location| {
            self.callers.push(Frame {
                function: names.intern(name),
                location,
            });
        })?;
        Some(FunctionSamples {
            context: contexts.intern(&self.callers),
            ..FunctionSamples::new(names.intern(name))
        })
    }

    fn body(&mut self, line: &[u8]) -> Result<(), ReadErrorKind> {
        let depth = line.iter().take_while(|&&byte| byte == b' ').count();
        let content = &line[depth..];
        if content.starts_with(b"!") {
            let metadata = parse_metadata(content).ok_or_else(|| ReadErrorKind::Metadata(printable(line)))?;
            self.close(depth);
            self.metadata(&metadata, depth);
            return Ok(());
        }
        let parsed = parse_body(content).ok_or_else(|| body_error(content, line))?;
        if self.metadata_depth == Some(depth) {
            return Err(ReadErrorKind::CountsAfterMetadata(printable(line)));
        }
        self.close(depth);
        match parsed {
            BodyLine::Record {
                location,
                count,
                targets,
            } => self.record(location, count, &targets),
            BodyLine::Inlinee { .. } if self.profile.flags.context_sensitive => {
                return Err(ReadErrorKind::InlinedInContext);
            }
            BodyLine::Inlinee { location, name, total } => {
                // `open` also holds the function that is not inlined, so its length is the depth plus 1.
                if self.open.len() > MAX_INLINE_DEPTH {
                    return Err(ReadErrorKind::TooDeep);
                }
                let mut inlinee = FunctionSamples::new(self.profile.names.intern(name));
                inlinee.total = total;
                self.open.push((location, inlinee));
                self.metadata_depth = None;
            }
            BodyLine::VirtualTables => return Err(ReadErrorKind::Unsupported("counts of virtual tables")),
        }
        Ok(())
    }

    fn record(&mut self, location: LineLocation, count: u64, targets: &[(&[u8], u64)]) {
        let names = &mut self.profile.names;
        let mut targets: Vec<_> = targets
            .iter()
            .map(|&(name, count)| CallTarget {
                name: names.intern(name),
                count,
            })
            .collect();
        // If a line names a target twice, LLVM keeps the last count.
        if targets.len() > 1 {
            targets.reverse();
            targets.sort_by_key(|target| target.name);
            targets.dedup_by_key(|target| target.name);
        }
        if let Some((_, function)) = self.open.last_mut() {
            function.body.push(BodyRecord {
                location,
                count,
                targets,
            });
        }
    }

    fn metadata(&mut self, metadata: &MetadataLine, depth: usize) {
        let Some((_, function)) = self.open.last_mut() else {
            return;
        };
        let attributes = match *metadata {
            MetadataLine::Attributes(attributes) => attributes,
            _ => 0,
        };
        // In LLVM a line of metadata without attributes clears the attributes. LLVM's writer puts them last.
        function.attributes = attributes;
        self.profile.flags.pre_inlined |= attributes & attribute::SHOULD_BE_INLINED != 0;
        if let MetadataLine::Checksum(checksum) = *metadata
            && let Some(checksum) = NonZeroU64::new(checksum)
        {
            function.checksum = Some(checksum);
            self.profile.flags.probe_based |= depth == 1;
        }
        self.metadata_depth = Some(depth);
    }

    /// Closes functions until at most `depth` functions are open.
    fn close(&mut self, depth: usize) {
        while self.open.len() > depth
            && let Some((location, mut function)) = self.open.pop()
        {
            normalize(&mut function, &self.profile.names);
            match self.open.last_mut() {
                Some((_, caller)) => caller.inlinees.push((location, function)),
                None => self.profile.functions.push(function),
            }
        }
    }
}

/// Returns the reason why a line of a function cannot be read.
fn body_error(content: &[u8], line: &[u8]) -> ReadErrorKind {
    match excessive_line_offset(content) {
        Some(offset) => ReadErrorKind::LineOffset(offset),
        None => ReadErrorKind::BodyLine(printable(line)),
    }
}

/// Returns the start of a line, for an error message.
fn printable(line: &[u8]) -> String {
    const MOST: usize = 200;
    String::from_utf8_lossy(&line[..line.len().min(MOST)]).into_owned()
}
